"""Who owns an open file, and how one stands in a box."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.schema.command import Command
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.descriptor import CHECKING, Carrier, Descriptor, FileDescriptor
from ampkit.schema.record import Record
from ampkit.schema.typed import argument_for
from ampkit.wire.box import END
from ampkit.wire.codec import parse_string


def is_open(number: int) -> bool:
    """Say whether there is an open file of this number."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


@pytest.fixture
def number() -> Iterator[int]:
    """Return the number of an open file that belongs to the test."""
    own = os.open(os.devnull, os.O_RDWR)
    yield own
    os.close(own)


class Shelf:
    """A carrier that keeps what is put in, and gives it back."""

    def __init__(self) -> None:
        self.files: list[FileDescriptor] = []

    def put(self, file: FileDescriptor) -> int:
        self.files.append(file)
        return len(self.files) - 1

    def take(self, number: int) -> FileDescriptor:
        return self.files[number]


# Owning


def test_the_original_stays_the_programs(number: int) -> None:
    """A duplicate is made of a number, a file, or another descriptor, and it is not inherited."""
    with open(number, "rb", closefd=False) as file, FileDescriptor(number) as first:
        for made in (first, FileDescriptor(file), FileDescriptor(first)):
            assert made.fileno() != number
            assert not os.get_inheritable(made.fileno())
            assert os.path.sameopenfile(made.fileno(), number)


def test_it_is_closed_once(number: int) -> None:
    """By close, at the end of its block, or when nothing refers to it."""
    descriptor = FileDescriptor(number)
    own = descriptor.fileno()
    with descriptor:
        assert repr(descriptor) == f"<FileDescriptor {own}>"
    descriptor.close()
    assert not is_open(own)
    assert descriptor.is_closed
    assert repr(descriptor) == "<FileDescriptor closed>"
    dropped = FileDescriptor(number)
    own = dropped.fileno()
    del dropped
    assert not is_open(own)


def test_what_is_taken_out_is_the_programs(number: int) -> None:
    """`detach` gives the number, `open` a file; closing the descriptor does nothing then."""
    descriptor = FileDescriptor(number)
    own = descriptor.detach()
    descriptor.close()
    assert is_open(own)
    adopted = FileDescriptor.adopt(own)
    assert adopted.fileno() == own
    with adopted.open("w", encoding="utf-8") as file:
        assert file.fileno() == own
        assert adopted.is_closed
    assert not is_open(own)


def test_a_wrong_mode_takes_nothing_out(number: int) -> None:
    """The descriptor stays open, and its own."""
    with FileDescriptor(number) as descriptor:
        with pytest.raises(ValueError, match="mode"):
            descriptor.open("nonsense")
        assert is_open(descriptor.fileno())


def test_what_is_closed_has_no_number(number: int) -> None:
    """ValueError, so that no other file of the same number is taken for it."""
    descriptor = FileDescriptor(number)
    descriptor.close()
    for use in (descriptor.fileno, descriptor.detach, descriptor.open):
        with pytest.raises(ValueError, match="has been closed, or taken out"):
            use()


def test_what_is_no_open_file() -> None:
    """OSError, and nothing is left to be closed."""
    with pytest.raises(OSError, match="Bad file"):
        FileDescriptor(999_999)


# In a box


class Part(Record):
    """A record for lists."""

    file: FileDescriptor


class Hand(Command[None]):
    """Has descriptors in all places."""

    file: FileDescriptor
    more: list[FileDescriptor]
    parts: list[Part]
    none: FileDescriptor | None = None


def test_the_annotation_is_enough() -> None:
    """`FileDescriptor` is a Descriptor on the wire, in lists and records too."""
    assert isinstance(argument_for(FileDescriptor), Descriptor)
    lists = argument_for(list[FileDescriptor]), argument_for(list[Part])
    assert isinstance(lists[0], ListOf)
    assert isinstance(lists[1], AmpList)


def test_the_number_of_those_before_stands_in_the_box(number: int) -> None:
    """Each value puts its file on the carrier, and takes it from there."""
    shelf = Shelf()
    schema = Hand.__command__
    sent = Hand(
        file=FileDescriptor(number), more=[FileDescriptor(number)] * 2, parts=[Part(file=FileDescriptor(number))]
    )
    (box,) = parse_string(schema.encode(sent, shelf) + END)
    assert box == {
        b"_command": b"Hand",
        b"file": b"0",
        b"more": b"\0\1" + b"1" + b"\0\1" + b"2",
        b"parts": b"\0\4file\0\1" + b"3" + b"\0\0",
    }
    assert schema.decode(box, shelf) == sent


def test_the_careful_way_has_the_same_carrier(number: int) -> None:
    """A record that checks itself, or fails at first, carries as any other."""

    class Checked(Command[None]):
        file: FileDescriptor
        name: str

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("a name is needed")

    shelf = Shelf()
    shelf.put(FileDescriptor(number))
    decoded = Checked.__command__.decode({b"file": b"0", b"name": b"n"}, shelf)
    assert decoded.file is shelf.files[0]
    with pytest.raises(RemoteProtocolError, match="a name is needed"):
        Checked.__command__.decode({b"file": b"0", b"name": b""}, shelf)


def test_a_descriptor_needs_a_carrier(number: int) -> None:
    """Without one it can be neither sent nor received, and the error says how it travels."""
    hand = Hand(file=FileDescriptor(number), more=[], parts=[])
    with pytest.raises(LocalProtocolError, match=r"Hand\.file: a descriptor travels beside a box, over a unix socket"):
        Hand.__command__.encode(hand)
    with pytest.raises(ValueError, match="travels beside a box"):
        Descriptor().encode(hand.file)
    with pytest.raises(ValueError, match="travels beside a box"):
        Descriptor().decode(b"0")


@pytest.mark.parametrize("carrier", [CHECKING, Shelf()])
def test_what_is_no_descriptor(carrier: Carrier) -> None:
    """A number or a file alone is refused: who owns it would not be clear."""
    with pytest.raises(TypeError, match="expected FileDescriptor, not int"):
        Descriptor().encode_with(3, carrier)  # type: ignore[arg-type]


def test_checking_sends_nothing(number: int) -> None:
    """It only says whether a value could be sent."""
    descriptor = FileDescriptor(number)
    assert Descriptor().encode_with(descriptor, CHECKING) == b"0"
    descriptor.close()
    with pytest.raises(ValueError, match="has been closed"):
        Descriptor().encode_with(descriptor, CHECKING)
    with pytest.raises(ValueError, match="no descriptor 7 has come"):
        Descriptor().decode_with(b"7", CHECKING)
