"""Records to bytes and boxes to records, compiled and in Python: the same bytes, values and errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit import Argument, Integer, Record, Text, Wire
from ampkit.schema import compiler, mapping
from ampkit.schema.codecs import make_caller, make_decoder, make_encoder, make_mapping_decoder, make_mapping_encoder
from ampkit.schema.containers import AmpList
from ampkit.speed import compiled
from ampkit.testing.strategies import records
from ampkit.wire.box import encode_box
from ampkit.wire.codec import parse_string
from tests.speed.office import COMPILED, Odd
from tests.speed.twins import in_python, needs_both, outcome, shown

pytestmark = needs_both


class Strange(Argument[Any]):
    """Returns and raises what a type of argument should not."""

    def encode(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    def decode(self, data: bytes) -> Any:
        if data == b"key":
            raise KeyError(data)
        if data == b"deep":
            raise RecursionError
        return bytearray(data)


class Small(Record):
    """A record inside of another."""

    number: int
    text: str = "small"


class Deep(Record):
    """A record inside of itself."""

    name: str
    inside: list[Deep] = dataclasses.field(default_factory=list["Deep"])


class Every(Record):
    """A field of each kind."""

    a: int = 1
    b: str = "b"
    c: bytes = b"c"
    d: float = 0.5
    e: bool = True
    f: Annotated[int, Odd()] = 1
    g: list[Small] = dataclasses.field(default_factory=list[Small])
    h: list[list[int]] = dataclasses.field(default_factory=list[list[int]])
    i: int | None = None
    j: str | None = None
    k: Annotated[Any, Strange()] = b"k"
    l: list[Deep] = dataclasses.field(default_factory=list[Deep])  # noqa: E741 - the letter behind k
    m: Annotated[int, Wire(name="_timeout")] = 5
    n: Annotated[str, Text()] | None = None


class Needy(Record):
    """Fields without defaults, and a look at them."""

    a: int
    b: str
    c: float | None

    def __post_init__(self) -> None:
        if self.a == 13:
            raise ValueError("thirteen")


class Wide(Record):
    """More fields than one mask of bits has room for."""

    __annotations__ = {f"f{number}": int for number in range(70)}


class Mark(str):
    """A text that is more than that."""


class Number(int):
    """A number that is more than that."""


_odd_values: Final = st.sampled_from(
    [None, True, 0, 1, -1, 256, 257, 2**63, -(2**63), 10**255, 10**4299, 10**5000, 1.0, -0.0, 1e22,
    float("inf"), float("nan"), "", "text", "\xe4", "\ud800", "a" * 65_535, "a" * 65_536, "\xe4" * 40_000, b"",
    b"bytes", bytes(65_535), bytes(65_536), bytearray(b"array"), memoryview(b"view"), Mark("mark"), Number(5),
    [], [1], [[1, 2], []], ["1"], (1,), {"number": 1}, [{"number": 1}], [{"number": "1"}], ValueError("bad"),
    KeyError("bad"), 2, 3, object()]
)  # fmt: skip
_odd_bytes: Final = st.sampled_from(
    [b"", b"0", b"-0", b"+1", b"-1", b"--1", b"-", b"01", b"1_0", b" 1", b"1 ", b"1\0", b"\xb2", b"9" * 18,
    b"9" * 19, b"-" + b"9" * 18, b"9223372036854775808", b"1" * 4300, b"1" * 4301, b"1.5", b".5", b"5.", b"1e5",
    b"1E+5", b"1e", b"e", b"1e999", b"-1e-999", b"1" * 39, b"1" * 40, b"1." + b"0" * 40, b"inf", b"-nan",
    b"Infinity", b"0x1p3", b"True", b"False", b"true", b"\xff", b"\xc3\xa4", b"text", b"key", b"deep", b"\0\1",
    b"\0\0011", b"\0\3\0\0011", b"\0\4\0\0011"]
)  # fmt: skip
_lists: Final = st.builds(
    lambda boxes, tail: b"".join(map(encode_box, boxes)) + tail,
    st.lists(
        st.dictionaries(st.sampled_from([b"number", b"text", b"name", b"inside", b"x"]), _odd_bytes, min_size=1),
        max_size=3,
    ),
    st.sampled_from([b"", b"", b"\0\0", b"\0", b"\0\1"]),
)


def _twins_of(kind: type[Record]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    fields = kind.__schema__.fields
    python = compiler.make_encoder("It", fields, b"head"), compiler.make_decoder(kind, fields)
    return python, (compiled.make_encoder("It", fields, b"head"), compiled.make_decoder(kind, fields))


_OURS: Final[tuple[type[Record], ...]] = (Every, Needy, Wide, Deep, Small) if compiled else ()
TWINS: Final[dict[type[Record], Any]] = {kind: _twins_of(kind) for kind in _OURS}


class Plain:
    """An object with attributes, some of which may be missing."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        vars(self).update(values)


@given(st.sampled_from([Every, Needy]).flatmap(lambda kind: st.tuples(st.just(kind), records(kind, **_strange(kind)))))
def test_good_values_are_the_same_bytes_and_come_back(case: tuple[type[Record], Record]) -> None:
    """Through either twin."""
    kind, record = case
    (encode, decode), (quick_encode, quick_decode) = TWINS[kind]
    assert outcome(quick_encode, record) == outcome(encode, record)
    try:
        box = parse_string(encode(record)[4:] + b"\0\0", empty_boxes=True)[0]
    except Exception:  # noqa: BLE001 - the values together are no record
        return
    assert outcome(quick_decode, box) == outcome(decode, box)


def _strange(kind: type[Record]) -> dict[str, Any]:
    if kind is Needy:
        return {"a": st.integers(14, 20)}
    return {"f": st.integers(0, 99), "k": st.binary(max_size=5), "l": st.just([])}


@given(st.sampled_from([Every, Needy, Wide]), st.data())
def test_odd_values_are_the_same_bytes_or_the_same_error(kind: type[Record], data: st.DataObject) -> None:
    """Whatever stands in an attribute, if it stands there at all."""
    names = [field.name for field in kind.__schema__.fields]
    odd = data.draw(st.dictionaries(st.sampled_from(names), _odd_values, max_size=3))
    missing = data.draw(st.sampled_from([None, None, None, *names]))
    usual = (
        {"a": 1, "b": "b", "c": 1.0} if kind is Needy else vars(kind()) if kind is Every else dict.fromkeys(names, 1)
    )
    record = Plain({name: value for name, value in {**usual, **odd}.items() if name != missing})
    (encode, _), (quick_encode, _) = TWINS[kind]
    assert outcome(quick_encode, record) == outcome(encode, record)


@given(st.sampled_from([Every, Needy, Wide]), st.data())
def test_odd_boxes_are_the_same_records_or_the_same_error(kind: type[Record], data: st.DataObject) -> None:
    """Whatever the other end may send."""
    keys = [field.key for field in kind.__schema__.fields]
    usual = {b"a": b"1", b"b": b"b"} if kind is Needy else dict.fromkeys(keys, b"1") if kind is Wide else {}
    box = {**usual, **data.draw(st.dictionaries(st.sampled_from([*keys, b"x"]), _odd_bytes | _lists, max_size=4))}
    missing = data.draw(st.sampled_from([None, None, None, *keys]))
    box = {key: value for key, value in box.items() if key != missing}
    (_, decode), (_, quick_decode) = TWINS[kind]
    assert outcome(quick_decode, box) == outcome(decode, box)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_boxes_of_other_kinds_of_bytes(kind: type) -> None:
    """They come from nobody but programs' own tests."""
    box = {b"a": kind(b"5"), b"b": kind(b"text"), b"c": kind(b"c"), b"d": kind(b"1.5"), b"e": kind(b"True")}
    for each in [box, *({key: value} for key, value in box.items())]:
        (_, decode), (_, quick_decode) = TWINS[Every]
        assert outcome(quick_decode, each) == outcome(decode, each)


@given(st.sampled_from([Small, Deep]), _lists)
def test_lists_of_records(kind: type[Record], data: bytes) -> None:
    """Good ones, bad ones and those that end inside."""
    quick = outcome(AmpList(kind).decode, data)
    with in_python():
        assert outcome(AmpList(kind).decode, data) == quick


@pytest.mark.parametrize(
    "data",
    [bytearray(b"\0\6number\0\0011\0\0"), memoryview(b"\0\6number\0\0011\0\0"), None, "text", 5,
     b"\0\6number\0\0011" + b"\0\1x\xff\xff" + bytes(65_535) + b"\0\0",
     b"\0\6number\0\0011" + (b"\0\1x\xff\xff" + bytes(65_535)) * 16 + b"\0\0",
     b"\0\6number\0\0011" + b"\0\1x\0\0" * 1023 + b"\0\0", b"\0\6number\0\0011" + b"\0\1x\0\0" * 1024 + b"\0\0"],
)  # fmt: skip
def test_lists_of_other_kinds_and_around_the_limits(data: Any) -> None:
    """A list that a program decodes itself can be larger than a value."""
    quick = outcome(AmpList(Small).decode, data)
    with in_python():
        assert outcome(AmpList(Small).decode, data) == quick


class Smaller(Small):
    """A record that can stand for another."""

    more: int = 1


class Items(list[Any]):
    """A list of a program's own."""


_items: Final = st.lists(
    st.builds(Small, number=_odd_values, text=_odd_values)
    | st.builds(Small, number=st.integers(), text=st.text())
    | st.builds(Smaller, number=st.integers())
    | st.fixed_dictionaries({"number": st.integers()})
    | _odd_values,
    max_size=3,
)


@given(st.sampled_from([list, list, list, tuple, Items, iter, set]), _items)
def test_lists_of_items_that_are_sent(kind: Callable[[list[Any]], Any], items: list[Any]) -> None:
    """Of records, of what can stand for them, and of what cannot."""
    quick = outcome(lambda: AmpList(Small).encode(kind(items)))
    with in_python():
        assert outcome(lambda: AmpList(Small).encode(kind(items))) == quick


def test_a_list_that_changes_while_it_is_sent() -> None:
    """Only what is left of it is looked at."""

    class Shrinks(Record):
        number: int

        def __getattribute__(self, name: str) -> Any:
            if name == "number":
                items.clear()
            return super().__getattribute__(name)

    items = [Shrinks(number=number) for number in range(3)]
    assert AmpList(Shrinks).encode(items) == b"\0\6number\0\x010\0\0"


def test_a_record_that_is_made_of_a_built_in_type_as_well() -> None:
    """It is made as its class makes it."""

    class Failure(Record, ValueError):
        number: int

    class Table(Record, dict):  # type: ignore[type-arg]
        number: int

    for kind in Failure, Table:
        (_, decode), (_, quick_decode) = _twins_of(kind)
        made: Any = quick_decode({b"number": b"5"})
        assert (type(made), made.number, repr(made)) == (kind, 5, repr(decode({b"number": b"5"})))
    assert Failure.__schema__.decode({b"number": b"5"}).args == ()


def test_an_abstract_record_cannot_be_made() -> None:
    """Neither way."""
    abstract: Any = type("Abstract", (Record,), {"__annotations__": {"number": int}})
    abstract.__abstractmethods__ = frozenset({"method"})
    (_, decode), (_, quick_decode) = _twins_of(abstract)
    assert outcome(quick_decode, {b"number": b"5"}) == outcome(decode, {b"number": b"5"})


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_to_end_the_program_is_not_taken_for_a_bad_value(error: type[BaseException]) -> None:
    """It comes out of either twin as it is."""

    class Ending(Argument[Any]):
        def encode(self, value: Any) -> bytes:  # noqa: ARG002
            raise error

        def decode(self, data: bytes) -> Any:  # noqa: ARG002
            raise error

    class Last(Record):
        number: Annotated[Any, Ending()]

    for encode, decode in _twins_of(Last):
        with pytest.raises(error):
            encode(Last(number=1))
        with pytest.raises(error):
            decode({b"number": b"1"})


def test_the_room_uses_the_compiled_ones() -> None:
    """Or all of this would compare one twin with itself."""
    for name in (make_encoder, make_decoder, make_mapping_encoder, make_mapping_decoder, make_caller):
        assert getattr(compiled, name.__name__) is name
    assert type(COMPILED.Sum.__schema__.decode) is compiled.RecordDecoder


# Mappings


_FIELDS: Final = Every.__schema__.fields
_USUAL: Final = {field.name: getattr(Every(), field.name) for field in _FIELDS}
_STRAIGHT: Final[dict[str, Any]] = {**_USUAL, "k": b"k"}


@given(
    st.dictionaries(st.sampled_from([*_STRAIGHT, "other"]), _odd_values, max_size=2),
    st.sampled_from([None, None, *_STRAIGHT]),
    st.sampled_from([b"", b"_ask"]),
    st.sampled_from([b"", b"1", bytes(255), bytes(256), bytes(65_535), bytes(65_536)]),
    st.booleans(),
    st.booleans(),
)
def test_mappings_to_boxes(
    odd: dict[str, Any], missing: str | None, first: bytes, value: bytes, closed: bool, optional: bool
) -> None:
    """The same bytes; but what is unusual to one of them may be usual to the other."""
    fields = [field for field in _FIELDS if optional or not field.optional]
    given = {name: value for name, value in {**_STRAIGHT, **odd}.items() if name != missing}
    if not optional:
        given = {name: value for name, value in given.items() if name not in {"i", "j", "n"}}
    python = mapping.make_mapping_encoder(fields, first, b"head", closed=closed)(given, value)
    quick = compiled.make_mapping_encoder(fields, first, b"head", closed=closed)(given, value)
    if quick != python:
        assert python is None  # integers of many digits, which that one leaves to others
        assert any(type(each) is int and each >= 10**255 for each in given.values())
        assert compiler.make_encoder("It", fields, b"head")(Plain({"i": None, "j": None, "n": None, **given})) in quick


@given(st.dictionaries(st.sampled_from([field.key for field in _FIELDS]), _odd_bytes | _lists, max_size=4))
def test_boxes_to_mappings_and_calls(box: dict[bytes, bytes]) -> None:
    """The same values, or unusual to both."""
    python, quick = mapping.make_mapping_decoder(_FIELDS)(box), compiled.make_mapping_decoder(_FIELDS)(box)
    assert shown(quick) == shown(python)
    assert quick is None or list(quick) == list(python or ())

    def method(owner: object, **values: Any) -> Any:
        if values["a"] == 0:
            raise ZeroDivisionError("by a")
        return owner, values

    calls = [make(_FIELDS) for make in (mapping.make_caller, compiled.make_caller)]
    python, quick = (outcome(call, box, method, "owner") for call in calls)
    if "object at" not in repr(python):  # both say that it is unusual
        assert quick == python
    assert (calls[0](box, lambda *_, **__: 1, 0) is mapping.UNUSUAL) is (
        calls[1](box, lambda *_, **__: 1, 0) is mapping.UNUSUAL
    )


def test_a_call_without_fields() -> None:
    """Only the owner is given."""
    for make in mapping.make_caller, compiled.make_caller:
        assert make([])({b"x": b""}, lambda owner: owner, 5) == 5


def test_names_that_are_no_identifiers() -> None:
    """Classic lists have them."""
    fields = [
        dataclasses.replace(_FIELDS[0], name=name, key=name.encode(), argument=Integer())
        for name in ("class", "a b", "\xe4")
    ]
    box = {name.encode(): b"5" for name in ("class", "a b", "\xe4")}
    for make in mapping.make_caller, compiled.make_caller:
        assert make(fields)(box, lambda _, **values: values, None) == {"class": 5, "a b": 5, "\xe4": 5}
