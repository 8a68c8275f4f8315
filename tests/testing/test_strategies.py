"""Hypothesis strategies for what AMP carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ampkit import AmpList, Argument, Command, Connection, Integer, ListOf, Record, encode_box, parse_string
from ampkit.core.events import AskReceived
from ampkit.testing.contract.commands import Echo, Item, Note
from ampkit.testing.strategies import asks, boxes, chunks, commands, keys, records, values
from ampkit.wire.keys import RESERVED

T = TypeVar("T")

QUICK = hypothesis.settings(database=None, phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink])


class Tree(Record):
    """A record that holds its own kind."""

    name: str
    branches: list[Tree]


class Celsius(Argument[float]):
    """A type of argument of a program's own."""

    def encode(self, value: float) -> bytes:
        return b"%d C" % value

    def decode(self, data: bytes) -> float:
        return float(data.removesuffix(b" C"))


class Heat(Command[None]):
    """A command with such an argument."""

    to: Annotated[float, Celsius()]
    minutes: int | None = None


class Classic(Command[None]):
    """A command in the classic form."""

    arguments = [  # noqa: RUF012 - the classic form
        (b"a-b", Integer()),
        (b"some", ListOf(ListOf(Integer()), optional=True)),
        (b"rows", AmpList([(b"x", Integer())])),
    ]


def simplest(strategy: SearchStrategy[T], condition: Callable[[T], bool]) -> T:
    """Return the simplest value that a strategy draws and that meets the condition; fails if there is none."""
    return hypothesis.find(strategy, condition, settings=QUICK)


def crossed(command: Command[Any]) -> Command[Any]:
    """Return what a command is at the other end."""
    schema = type(command).__command__
    (box,) = parse_string(schema.encode(command) + b"\0\0")
    del box[b"_command"]
    return schema.decode(box)  # type: ignore[no-any-return]


@given(boxes())
def test_boxes_cross_the_wire(box: dict[bytes, bytes]) -> None:
    """Every box can be encoded and read back."""
    assert parse_string(encode_box(box)) == [box]


@given(st.data(), st.lists(boxes(), min_size=1, max_size=3))
def test_chunks_are_a_split(data: st.DataObject, sent: list[dict[bytes, bytes]]) -> None:
    """The pieces are not empty, and together are the whole."""
    stream = b"".join(map(encode_box, sent))
    pieces = data.draw(chunks(stream))
    assert b"".join(pieces) == stream
    assert all(pieces)


@pytest.mark.parametrize("lengths", [[1, 1, 1, 1], [4], [2, 2], [1, 2, 1], [3, 1]])
def test_every_split_is_found(lengths: list[int]) -> None:
    """Any way to cut is among those drawn: byte by byte, in the middle, not at all."""
    pieces = simplest(chunks(b"abcd"), lambda pieces: [len(piece) for piece in pieces] == lengths)
    assert b"".join(pieces) == b"abcd"


def test_chunks_shrink_to_the_whole() -> None:
    """A failure that has nothing to do with the cuts is shown without any."""
    assert simplest(chunks(b"abcd"), lambda _: True) == [b"abcd"]


@given(chunks(b""))
def test_nothing_has_no_pieces(pieces: list[bytes]) -> None:
    """An empty stream is never received."""
    assert pieces == []


@given(keys(reserved=False))
def test_own_keys_can_be_left_out(key: bytes) -> None:
    """Keys for arguments are none of AMP's own."""
    assert 1 <= len(key) <= 255
    assert key not in RESERVED


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_535])
def test_the_sizes_that_matter_are_among_the_values(size: int) -> None:
    """Empty values and those at the limits of the length bytes are drawn."""
    assert simplest(values().map(len), lambda length: length == size) == size


@given(asks())
def test_asks_are_asks(box: dict[bytes, bytes]) -> None:
    """A connection takes each of them for an ask, with its arguments."""
    connection = Connection()
    connection.receive(encode_box(box))
    event = connection.next_event()
    assert isinstance(event, AskReceived)
    assert event.tag == box.get(b"_ask")
    assert event.command == box[b"_command"]
    assert event.box == {key: value for key, value in box.items() if key not in {b"_ask", b"_command"}}


@given(commands(Echo))
def test_commands_cross_the_wire(command: Echo) -> None:
    """Every command that is drawn can be sent, and arrives as it was; NaN compares by its form."""
    assert repr(crossed(command)) == repr(command)


@given(commands(Classic))
def test_classic_commands_too(command: Classic) -> None:
    """A command from classic lists has strategies like a typed one."""
    assert crossed(command) == command


@given(records(Tree))
def test_records_may_hold_themselves(tree: Tree) -> None:
    """Trees are drawn, and they end."""
    data = Tree.__schema__.encode(tree)
    (box,) = parse_string(data + b"\0\0")
    assert Tree.__schema__.decode(box) == tree


def test_trees_have_branches() -> None:
    """Records inside themselves are not always empty."""
    tree = simplest(records(Tree), lambda tree: bool(tree.branches))
    assert tree == Tree(name="", branches=[Tree(name="", branches=[])])


class Columns(Record):
    """A record that holds another kind twice."""

    left: list[Item]
    right: list[Item]


def test_a_record_may_stand_in_two_fields() -> None:
    """Only a record inside itself is kept short, not one that another field holds too."""
    columns = simplest(records(Columns), lambda columns: len(columns.right) > 3)
    assert columns.left == []


@given(records(Item, amounts=st.just([1])))
def test_a_field_may_have_its_own_strategy(item: Item) -> None:
    """A given strategy replaces the one of the field's type."""
    assert item.amounts == [1]


@given(commands(Heat, to=st.integers(0, 9).map(float)))
def test_a_type_of_ones_own_needs_a_strategy(command: Heat) -> None:
    """With one given, the command is drawn, optional fields with and without a value."""
    assert crossed(command) == command


def test_a_type_of_ones_own_without_a_strategy() -> None:
    """The error says what to do."""
    with pytest.raises(TypeError, match=r"Celsius\(\).*give one"):
        commands(Heat)


def test_a_field_that_is_not_there() -> None:
    """A misspelt field is an error, not ignored."""
    with pytest.raises(TypeError, match="Note has no field lime"):
        commands(Note, lime=st.just(""))


@pytest.mark.parametrize("simple", [None, 0])
def test_optional_fields_are_drawn_with_and_without(simple: int | None) -> None:
    """None and values are both drawn for a field that may be None."""
    heat = simplest(commands(Heat, to=st.just(1.0)), lambda heat: (heat.minutes is None) == (simple is None))
    assert heat.minutes == simple
