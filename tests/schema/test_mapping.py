"""Mappings on the straight way: the boxes and values of records, and None or UNUSUAL for whatever is unusual."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.schema.argument import Argument
from ampkit.schema.mapping import UNUSUAL, make_caller, make_mapping_decoder, make_mapping_encoder
from ampkit.schema.record import Record
from ampkit.schema.typed import Field
from ampkit.testing.strategies import records
from ampkit.wire.box import END
from ampkit.wire.codec import parse_string


class Sample(Record):
    """Inline and called types, required, optional and with a default."""

    a: int
    b: str | None = None
    c: bytes = b"c"
    d: list[int] | None = None


class Required(Record):
    """Nothing is optional."""

    a: int
    b: str


HEAD = b"\0\1A\0\1x"
FIELDS = Sample.__schema__.fields
OPEN = make_mapping_encoder(FIELDS, b"", b"", closed=False)
CLOSED = make_mapping_encoder(FIELDS, b"_t", HEAD, closed=True)
DECODE = make_mapping_decoder(FIELDS)


@given(records(Sample), st.booleans())
def test_a_mapping_has_the_bytes_of_a_record(record: Sample, named: bool) -> None:
    """Optional values may be None or left out; the first pair and the head stand before the pairs."""
    values = {name: value for name, value in vars(record).items() if named or value is not None}
    encoded = Sample.__schema__.encode(record)
    assert OPEN(values, b"ignored") == encoded + END
    assert CLOSED(values, b"12") == b"\0\2_t\0\00212" + HEAD + encoded + END
    (box,) = parse_string(encoded + END)
    assert DECODE(box) == vars(record)


def test_absent_and_unknown_keys() -> None:
    """What stands for an absent key is made; keys that no field has are ignored."""
    assert DECODE({b"a": b"1", b"unknown": b""}) == {"a": 1, "b": None, "c": b"c", "d": None}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": 1},
        {"c": b""},
        {"a": None, "c": b""},
        {"a": "1", "c": b""},
        {"a": 1, "c": b"", "b": 5},
        {"a": 1, "c": b"", "d": [None]},
        {"a": 1, "c": b"x" * 65_536},
        5,
    ],
    ids=repr,
)
def test_what_is_unusual_is_left_to_others(values: Any) -> None:
    """A missing value, a wrong type, one that is too long: None, and nothing is raised."""
    assert OPEN(values, b"") is CLOSED(values, b"") is None


def test_the_first_value_has_the_length_of_a_value() -> None:
    """From nothing to the most that AMP can say; what is longer is unusual."""
    for length in (0, 255, 256, 65_535):
        (box,) = parse_string(CLOSED({"a": 1, "c": b""}, b"x" * length) or b"")
        assert box[b"_t"] == b"x" * length
    assert CLOSED({"a": 1, "c": b""}, b"x" * 65_536) is None


@pytest.mark.parametrize("box", [{}, {b"a": b"x"}, {b"a": b"1", b"b": b"\xff"}, {b"a": b"1", b"d": b"\0"}], ids=repr)
def test_what_came_malformed_is_left_to_others(box: dict[bytes, bytes]) -> None:
    """None, and nothing is raised."""
    assert DECODE(box) is None


def test_a_closed_one_takes_no_further_names() -> None:
    """With optional fields or without; an open one ignores them."""
    values = {"a": 1, "b": "x", "c": b"", "more": 1}
    assert OPEN(values, b"") == OPEN({**values, "other": 2}, b"") is not None
    assert CLOSED(values, b"") is None
    fields = Required.__schema__.fields
    encode = make_mapping_encoder(fields, b"", b"", closed=True)
    assert encode({"a": 1, "b": "x"}, b"") == b"\0\1a\0\0011\0\1b\0\1x\0\0"
    assert encode({"a": 1, "b": "x", "more": 1}, b"") is None
    assert make_mapping_encoder(fields, b"", b"", closed=False)({"a": 1, "b": "x", "more": 1}, b"") is not None


class Whatever(Argument[Any]):
    """Takes anything for itself, and so None."""

    def encode(self, value: Any) -> bytes:
        return repr(value).encode()

    def decode(self, data: bytes) -> Any:
        return data


def test_a_missing_value_is_not_none() -> None:
    """Even where None could be sent."""
    encode = make_mapping_encoder([Field("a", b"a", Whatever(), optional=False, absent=None)], b"", b"", closed=False)
    assert encode({"a": None}, b"") == b"\0\1a\0\4None\0\0"
    assert encode({}, b"") is None


def test_no_fields_at_all() -> None:
    """Nothing in, nothing out."""
    assert make_mapping_encoder((), b"", HEAD, closed=True)({}, b"") == HEAD + END
    assert make_mapping_encoder((), b"", HEAD, closed=True)({"more": 1}, b"") is None
    assert make_mapping_decoder(())({b"a": b"1"}) == {}
    assert make_caller(())({b"a": b"1"}, lambda owner: owner, "me") == "me"


def called(owner: object, **values: Any) -> Any:
    """Return all that it gets."""
    return owner, values


def test_a_method_is_called_with_the_values_of_a_box() -> None:
    """By the names of the fields; a box that is unusual does not reach it."""
    call = make_caller(FIELDS)
    assert call({b"a": b"1", b"b": b"x"}, called, "me") == ("me", {"a": 1, "b": "x", "c": b"c", "d": None})
    assert call({b"a": b"x"}, called, "me") is call({}, called, "me") is UNUSUAL


def test_what_a_method_raises_is_raised() -> None:
    """It is not taken for what is wrong with the box."""

    def fail(owner: object, a: int, b: str) -> None:
        raise KeyError(owner, a, b)

    with pytest.raises(KeyError):
        make_caller(Required.__schema__.fields)({b"a": b"1", b"b": b"x"}, fail, "me")


@pytest.mark.parametrize("name", ["class", "with", "two words", "1", "", "__debug__", "\ufb01", "{0}", "a'b"])
def test_a_name_that_python_would_not_take_is_taken(name: str) -> None:
    """Also one that Python would change."""
    fields = [Field(name, b"a", Whatever(), optional=False, absent=None)]
    assert make_caller(fields)({b"a": b"1"}, called, "me") == ("me", {name: b"1"})
    assert make_mapping_decoder(fields)({b"a": b"1"}) == {name: b"1"}
