"""Which annotation has which wire form, name and default, and which has none."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, List, NewType, Optional, Union, get_type_hints  # noqa: UP035 - old programs

import pytest

from ampkit.schema.argument import Argument
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.record import Record
from ampkit.schema.scalars import Boolean, Bytes, Decimal, Enumeration, Float, Integer, Path, Text
from ampkit.schema.times import DateTime
from ampkit.schema.typed import Field, Wire, argument_for, fields_of
from ampkit.wire.keys import RESERVED


class Item(Record):
    """Something for a list."""

    number: int


class Colour(enum.Enum):
    """Texts."""

    RED = "red"


class Level(enum.IntFlag):
    """Numbers."""

    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    """Has no wire form."""

    ONE = 1
    TWO = "two"


class Empty(enum.Enum):
    """Has no wire form either."""


class Upper(Argument[str]):
    """A type of argument of a program's own, whose instances are false."""

    def encode(self, value: str) -> bytes:
        return value.upper().encode()

    def decode(self, data: bytes) -> str:
        return data.decode().lower()

    def __len__(self) -> int:
        return 0


UPPER = Upper()
UserId = NewType("UserId", int)
Deep = NewType("Deep", UserId)


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (int, "Integer()"),
        (bytes, "Bytes()"),
        (str, "Text()"),
        (float, "Float()"),
        (bool, "Boolean()"),
        (decimal.Decimal, "Decimal()"),
        (datetime.datetime, "DateTime()"),
        (pathlib.Path, "Path()"),
        (list[int], "ListOf(Integer())"),
        (List[int], "ListOf(Integer())"),  # noqa: UP006 - old programs
        (list[list[str]], "ListOf(ListOf(Text()))"),
        (list[Item], "AmpList(Item)"),
        (list[list[Item]], "ListOf(AmpList(Item))"),
        (list[Annotated[Item, "a remark"]], "AmpList(Item)"),
        (list[Annotated[int, UPPER]], "ListOf(Upper())"),
        (list[Annotated[Item, UPPER]], "ListOf(Upper())"),
        (list[Colour], "ListOf(Enumeration(Colour))"),
        (Colour, "Enumeration(Colour)"),
        (Level, "Enumeration(Level)"),
        (UserId, "Integer()"),
        (Deep, "Integer()"),
        (list[UserId], "ListOf(Integer())"),
        (Annotated[int, "a remark"], "Integer()"),
        (Annotated[object, UPPER], "Upper()"),
        (Annotated[int, Wire("x"), UPPER], "Upper()"),
    ],
    ids=str,
)
def test_annotations_choose_the_type_of_argument(annotation: Any, shown: str) -> None:
    """Python types, lists of them and of records, enumerations, new types, and Annotated above all."""
    assert repr(argument_for(annotation)) == shown


def test_enumerations_take_the_type_of_their_values() -> None:
    """All members' values must have one."""
    colour, level = argument_for(Colour), argument_for(Level)
    assert isinstance(colour, Enumeration)
    assert isinstance(colour.value, Text)
    assert isinstance(level, Enumeration)
    assert isinstance(level.value, Integer)
    assert level.decode(level.encode(Level.LOW | Level.HIGH)) == Level.LOW | Level.HIGH


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (object, "object"),
        (list, "list"),
        (dict[str, int], r"dict\[str, int\]"),
        (tuple[int, ...], r"tuple\[int, \.\.\.\]"),
        (Sequence[int], r"collections\.abc\.Sequence\[int\]"),
        (list[int | None], r"int \| None"),
        (int | str, r"int \| str"),
        (Union[int, str, None], r"typing\.Union\[int, str, NoneType\]"),  # noqa: UP007 - old programs
        (Any, "Any"),
        (Item, "Item"),
        (datetime.date, "date"),
        (type(None), "NoneType"),
        (Callable[[], int], r"collections\.abc\.Callable"),
    ],
    ids=str,
)
def test_what_has_no_wire_form_is_a_type_error(annotation: Any, shown: str) -> None:
    """The message names the type and says what could be used."""
    with pytest.raises(TypeError, match=f"^no wire form is known for {shown}.*; use one of bool, bytes, datetime, dec"):
        argument_for(annotation)


@pytest.mark.parametrize("members", [Mixed, Empty])
def test_enumerations_of_several_types_are_a_type_error(members: type[enum.Enum]) -> None:
    """They could not be told apart on the wire."""
    with pytest.raises(TypeError, match=rf"^the values of {members.__name__} must all be of one type$"):
        argument_for(members)


def fields(**members: Any) -> dict[str, Field]:
    """Return the fields of a dataclass with these annotations; a pair has a default."""
    body = {name: member for name, member in members.items() if not isinstance(member, tuple)}
    defaults = {name: member[1] for name, member in members.items() if isinstance(member, tuple)}
    body |= {name: member[0] for name, member in members.items() if isinstance(member, tuple)}
    cls = type("Sample", (), {"__annotations__": body, "__module__": __name__, **defaults})
    cls = dataclasses.dataclass(kw_only=True)(cls)
    return {field.name: field for field in fields_of(cls, get_type_hints(cls, include_extras=True))}


def test_fields_are_sorted_by_their_names_on_the_wire() -> None:
    """So equal records are equal bytes, and the bytes are those of Twisted."""
    found = fields(b=int, a=str, c=Annotated[int, Wire("_c")], From=bytes)
    assert [(field.key, field.name) for field in found.values()] == [
        (b"_c", "c"),
        (b"a", "a"),
        (b"b", "b"),
        (b"from", "From"),
    ]


@pytest.mark.parametrize("name", ["größe", b"gr\xc3\xb6\xc3\x9fe"])
def test_a_field_may_have_any_name_on_the_wire(name: str | bytes) -> None:
    """Wire(name=...) takes text, sent as UTF-8, or bytes; and then the Python name may be anything."""
    found = fields(größe=Annotated[int, Wire(name=name)])
    assert found["größe"].key == "größe".encode()


@pytest.mark.parametrize(
    "annotation",
    [
        int | None,
        Optional[int],  # noqa: UP045 - old programs
        None | int,
        Annotated[int | None, Wire("n")],
        Optional[Annotated[int, Wire("n")]],  # noqa: UP045
        Optional[Annotated[int, Wire("n"), Integer()]],  # noqa: UP045
        Annotated[Any, Integer(optional=True), Wire("n")],
    ],
    ids=str,
)
def test_optional_fields(annotation: Any) -> None:
    """None beside the type, inside or outside of Annotated; an absent key is None."""
    field = fields(n=annotation)["n"]
    assert (field.key, field.optional) == (b"n", True)
    assert isinstance(field.argument, Integer)
    assert field.absent is not None
    assert field.absent() is None


def test_the_outer_wire_name_and_argument_win() -> None:
    """What stands around `| None` is nearer to the reader."""
    field = fields(n=Annotated[Annotated[int, Wire("inner"), Integer()] | None, Wire("outer"), UPPER])["n"]
    assert (field.key, field.argument) == (b"outer", UPPER)
    field = fields(n=Annotated[Annotated[int, Wire("inner"), UPPER] | None, "a remark"])["n"]
    assert (field.key, field.argument) == (b"inner", UPPER)


def test_what_stands_for_an_absent_key() -> None:
    """A default, a new value of a default_factory, or nothing: then the other end has to send it."""
    found = fields(a=int, b=(int, 5), c=(list[int], dataclasses.field(default_factory=list)), d=(int | None, None))
    absent = {name: field.absent for name, field in found.items()}
    assert absent["a"] is None
    assert absent["b"] is not None
    assert absent["b"]() == 5
    assert absent["c"] is not None
    assert absent["c"]() == []
    assert absent["c"]() is not absent["c"]()
    assert absent["d"] is not None
    assert absent["d"]() is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"a": object}, r"a: no wire form is known for object"),
    ({"a": int | str}, r"a: no wire form is known for int \| str"),
    ({"a": int | str | None}, r"a: no wire form is known for int \| str \| None"),
    ({"größe": int}, r"größe: 'größe' is not ASCII"),
    ({"a": Annotated[int, Wire("")]}, r"a: key .*0 bytes"),
    ({"a": Annotated[int, Wire("k" * 256)]}, r"a: key .*256 bytes"),
    ({"a": Annotated[int, Wire(7)]}, r"a: a key must be bytes, not int"),  # type: ignore[arg-type]
    ({"a": int, "b": Annotated[int, Wire("a")]}, r"b: the name b'a' on the wire is taken by the field 'a'"),
    ({"from_": int, "From": int}, r"From: the name b'from' on the wire is taken by the field 'from_'"),
    ({"_ask": int}, r"_ask: the name b'_ask' on the wire is taken by AMP itself"),
    ({"a": (int, dataclasses.field(init=False))}, r"a: field\(init=False\) cannot be sent; make it a property"),
    ({"a": dataclasses.InitVar[int]}, r"a: an InitVar cannot be sent; make it a field"),
    ({"a": (int | None, 5)}, r"a: its default must be None: None is sent as no key, so it would come back"),
    ({"a": (list[int] | None, dataclasses.field(default_factory=list))}, r"a: its default must be None"),
]


@pytest.mark.parametrize(("members", "message"), WRONG, ids=[f"mistake {i}" for i in range(len(WRONG))])
def test_mistakes_name_class_and_field(members: dict[str, Any], message: str) -> None:
    """A TypeError, so that the class statement fails where the mistake is."""
    with pytest.raises(TypeError, match=rf"^Sample\.{message}"):
        fields(**members)


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_no_field_may_have_a_name_of_amp_s_own(key: bytes) -> None:
    """The receiver would take it for its own."""
    with pytest.raises(TypeError, match="is taken by AMP itself"):
        fields(a=Annotated[int, Wire(key)])


def test_class_variables_are_no_fields() -> None:
    """They are the class's, not the record's."""
    assert list(fields(a=int, b=(ClassVar[object], 7))) == ["a"]


def test_all_known_types_have_an_argument() -> None:
    """The list in the message for unknown types is the list that is known."""
    with pytest.raises(TypeError) as caught:
        argument_for(object)
    known = {bool, bytes, datetime.datetime, decimal.Decimal, float, int, pathlib.Path, str}
    kinds = {type(argument_for(each)) for each in known}
    assert kinds == {Boolean, Bytes, DateTime, Decimal, Float, Integer, Path, Text}
    assert all(each.__name__ in str(caught.value) for each in known)


def test_lists_of_records_and_of_values_differ() -> None:
    """A list of records is boxes, a list of anything else is values with their lengths."""
    assert isinstance(argument_for(list[Item]), AmpList)
    assert isinstance(argument_for(list[int]), ListOf)
