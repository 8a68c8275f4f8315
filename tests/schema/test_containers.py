"""Lists of values and of records: byte for byte as Twisted's, nested, empty, at the limit, and cut short."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections import deque
from datetime import datetime
from decimal import Decimal as Dec
from pathlib import Path as PurePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.schema.argument import Argument, NestedError
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.record import Record
from ampkit.schema.scalars import Bytes, Integer, Text
from ampkit.testing.strategies import arguments
from tests.schema.genuine import twisted_decode, twisted_encode


class Maybe(Record):
    """Everything is optional, so its box may be empty."""

    number: int | None = None
    text: str | None = None


class Part(Record):
    """Some of the types."""

    number: int
    price: Dec | None = None
    remark: str | None = None


class Order(Record):
    """A record with lists in it."""

    title: str
    sizes: list[int]
    parts: list[Part]
    grid: list[list[bytes]] | None = None


class Everything(Record):
    """One field of each type that can be compared with ==."""

    a: int
    b: bytes
    c: str
    d: bool
    e: datetime
    f: list[str]
    g: list[Maybe]


LISTS: list[Argument[Any]] = [
    ListOf(Integer()),
    ListOf(Bytes()),
    ListOf(ListOf(ListOf(Text()))),
    AmpList(Maybe),
    AmpList(Part),
    AmpList(Order),
    AmpList(Everything),
]


@pytest.mark.parametrize("argument", LISTS, ids=repr)
@given(data=st.data())
def test_every_list_comes_back_and_twisted_writes_the_same_bytes(argument: Argument[Any], data: st.DataObject) -> None:
    """decode(encode(x)) == x; Twisted writes the same bytes, and reads the same value."""
    value = data.draw(arguments(argument).filter(lambda value: "sNaN" not in repr(value) and "NaN" not in repr(value)))
    encoded = argument.encode(value)
    assert argument.decode(encoded) == value
    assert encoded == twisted_encode(argument, value)
    assert twisted_decode(argument, encoded) == value


EXACT: list[tuple[Argument[Any], Any, bytes]] = [
    (ListOf(Integer()), [], b""),
    (ListOf(Integer()), [1, -20], b"\0\0011\0\3-20"),
    (ListOf(Text()), ["", "ü"], b"\0\0\0\2\xc3\xbc"),
    (ListOf(Bytes()), [b"x" * 256], b"\1\0" + b"x" * 256),
    (ListOf(ListOf(Integer())), [[], [7]], b"\0\0\0\3\0\0017"),
    (AmpList(Maybe), [], b""),
    (AmpList(Maybe), [Maybe(), Maybe(text="")], b"\0\0\0\4text\0\0\0\0"),
    (AmpList(Part), [Part(number=1, remark="x")], b"\0\6number\0\0011\0\6remark\0\1x\0\0"),
]


@pytest.mark.parametrize(("argument", "value", "data"), EXACT, ids=[f"list {i}" for i in range(len(EXACT))])
def test_the_wire_form_is_exact(argument: Argument[Any], value: Any, data: bytes) -> None:
    """Bytes and values belong together in both directions, and Twisted says the same."""
    assert argument.encode(value) == data == twisted_encode(argument, value)
    assert argument.decode(data) == value == twisted_decode(argument, data)


def test_other_collections_than_lists_can_be_sent() -> None:
    """A tuple, a deque, a range and the values of a dict are lists in all but name."""
    for value in ((1, 2), deque([1, 2]), range(1, 3), dict.fromkeys([1, 2]).keys()):
        assert ListOf(Integer()).encode(value) == b"\0\0011\0\0012"
    assert AmpList(Part).encode((Part(number=1),)) == b"\0\6number\0\0011\0\0"


@pytest.mark.parametrize("argument", [ListOf(Integer()), AmpList(Part)], ids=repr)
@pytest.mark.parametrize(
    "value",
    ["12", b"12", bytearray(b"1"), memoryview(b"1"), {1: 2}, 12, None, iter([1]), (n for n in [1])],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_list_is_a_type_error(argument: Argument[Any], value: Any) -> None:
    """Text and dicts are not taken apart, and an iterator is refused, as it could be walked only once."""
    with pytest.raises(TypeError, match=f"^expected list, not {type(value).__name__}$"):
        argument.encode(value)


def test_the_element_that_cannot_be_sent_is_named() -> None:
    """By its index, in nested lists at each level."""
    with pytest.raises(ValueError, match=r"^element 1: expected int, not str$"):
        ListOf(Integer()).encode([1, "2"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^element 0: element 2: expected int, not NoneType$"):
        ListOf(ListOf(Integer())).encode([[1, 2, None]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^element 1: Part\.number: expected int, not str$"):
        AmpList(Part).encode([Part(number=1), Part(number="2")])  # type: ignore[arg-type]


def test_an_element_has_at_most_65535_bytes() -> None:
    """The longest is sent, one more byte is refused with its size and the limit."""
    assert ListOf(Bytes()).encode([b"x" * 65_535]) == b"\xff\xff" + b"x" * 65_535
    with pytest.raises(ValueError, match=r"^element 1: it is 65536 bytes long; the most is 65535$"):
        ListOf(Bytes()).encode([b"", b"x" * 65_536])


class Views(Argument[Any]):
    """A faulty type of argument of a program's own."""

    def encode(self, value: Any) -> Any:
        return memoryview(value).cast("H")

    def decode(self, data: bytes) -> Any:
        raise KeyError(data)


class Bottomless(Argument[Any]):
    """Goes deeper than Python does."""

    def encode(self, value: Any) -> bytes:
        raise RecursionError(value)

    def decode(self, data: bytes) -> Any:
        raise RecursionError(data)


def test_lists_that_are_nested_too_deeply_are_an_error_of_their_values() -> None:
    """What the other end sends must not be able to raise a RecursionError."""
    with pytest.raises(NestedError, match=r"^element 0: nested too deeply$"):
        ListOf(Bottomless()).encode([1])
    with pytest.raises(NestedError, match=r"^element 1: element 0: nested too deeply$"):
        ListOf(ListOf(Bottomless())).decode(b"\0\0" + b"\0\2\0\0")


def test_what_a_record_inside_said_is_passed_on() -> None:
    """As a NestedError, which nobody looks into again; other errors are plain ones."""
    with pytest.raises(NestedError, match=r"^element 0: element 0: Part lacks the argument number$"):
        ListOf(AmpList(Part)).decode(b"\0\2\0\0")
    with pytest.raises(NestedError, match=r"^element 0: Part\.number: "):
        AmpList(Part).encode([Part(number="x")])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^element 0: expected Part, not int$") as caught:
        AmpList(Part).encode([5])
    assert type(caught.value) is ValueError


def test_an_element_that_is_not_bytes_is_refused() -> None:
    """The length of a view of wider items is not its number of bytes, and the list would be torn."""
    with pytest.raises(ValueError, match=r"^element 0: expected bytes, not memoryview$"):
        ListOf(Views()).encode([b"abcd"])


@pytest.mark.parametrize(
    ("data", "index"),
    [(b"\0", 0), (b"\0\1", 0), (b"\0\0011\0", 1), (b"\0\0011\0\2x", 1), (b"\xff\xff" + b"x" * 65_533, 0)],
)
def test_a_truncated_list_is_an_error(data: bytes, index: int) -> None:
    """Twisted drops the last element silently, or takes a part of it."""
    twisted_decode(ListOf(Bytes()), data)
    with pytest.raises(ValueError, match=f"^element {index}: the list ends inside of it$"):
        ListOf(Bytes()).decode(data)


def test_the_malformed_element_is_named() -> None:
    """By its index, with the reason of its own type."""
    with pytest.raises(ValueError, match=r"^element 1: not an integer: x$"):
        ListOf(Integer()).decode(b"\0\0011\0\1x")
    with pytest.raises(ValueError, match=r"^element 1: argument number of Part: not an integer: x$"):
        AmpList(Part).decode(b"\0\6number\0\0011\0\0" + b"\0\6number\0\1x\0\0")
    with pytest.raises(ValueError, match=r"^element 0: Part lacks the argument number$"):
        AmpList(Part).decode(b"\0\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\6number\0\0011", r"11 bytes into a box \(at byte 11 of the list\)"),
        (b"\0\0\0", r"1 bytes into a box \(at byte 3 of the list\)"),
        (b"\0\0\1\0x", r"a key of 256 bytes.* \(at byte 2 of the list\)"),
    ],
)
def test_a_list_of_records_that_is_no_boxes_is_an_error(data: bytes, reason: str) -> None:
    """The reason says what is wrong and where in the list; Twisted drops the last box silently."""
    with pytest.raises(ValueError, match=f"{reason}$"):
        AmpList(Maybe).decode(data)


def test_errors_of_other_kinds_are_not_called_malformed() -> None:
    """What a type of argument does not raise on purpose goes its own way."""
    with pytest.raises(KeyError):
        ListOf(Views()).decode(b"\0\0")


def test_a_dict_is_taken_for_a_record_when_it_is_sent() -> None:
    """As programs on Twisted have it; what comes is always a record."""
    data = AmpList(Part).encode([{"number": 1}, Part(number=2)])
    assert AmpList(Part).decode(data) == [Part(number=1), Part(number=2)]
    with pytest.raises(ValueError, match=r"^element 0: .*unexpected keyword argument 'colour'"):
        AmpList(Part).encode([{"number": 1, "colour": "red"}])
    with pytest.raises(ValueError, match=r"^element 0: expected Part, not Maybe$"):
        AmpList(Part).encode([Maybe()])


def test_a_classic_list_makes_the_record() -> None:
    """The names are those on the wire; a dict with the Python names can be sent."""
    argument = AmpList([(b"from", Integer()), (b"foo-bar", Text(optional=True))])
    data = argument.encode([{"From": 1}, {"From": 2, "foo_bar": "x"}])
    assert data == b"\0\4from\0\0011\0\0" + b"\0\7foo-bar\0\1x\0\4from\0\0012\0\0"
    one, two = argument.decode(data)
    assert (one.From, one.foo_bar, two.From, two.foo_bar) == (1, None, 2, "x")


def test_lists_nest_in_each_other() -> None:
    """A list of lists of records, which Twisted cannot send, is an ordinary ListOf."""
    argument = ListOf(AmpList(Part))
    value = [[Part(number=1)], [], [Part(number=2), Part(number=3)]]
    assert argument.decode(argument.encode(value)) == value


def test_they_show_how_they_were_made() -> None:
    """The repr is the call that makes it."""
    assert repr(ListOf(ListOf(Integer()))) == "ListOf(ListOf(Integer()))"
    assert repr(ListOf(Text(), optional=True)) == "ListOf(Text(), optional=True)"
    assert repr(AmpList(Part)) == "AmpList(Part)"
    assert repr(AmpList(Part, optional=True)) == "AmpList(Part, optional=True)"
    assert ListOf(Text(), optional=True).optional
    assert AmpList(Part, optional=True).optional


def test_paths_in_lists_compare_with_twisted() -> None:
    """Twisted's paths are absolute when they arrive."""
    argument: Argument[Any] = AmpList(type("Files", (Record,), {"__annotations__": {"files": list[PurePath]}}))
    value = [argument.record(files=[PurePath("/a"), PurePath("/b c/ü")])]  # type: ignore[attr-defined]
    assert argument.encode(value) == twisted_encode(argument, value)
    assert twisted_decode(argument, argument.encode(value)) == value
