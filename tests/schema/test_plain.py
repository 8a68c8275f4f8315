"""The reference for generated code: what it gives, and what it says of each mistake without telling secrets."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.schema.argument import Argument
from ampkit.schema.plain import decode_plainly, encode_plainly
from ampkit.schema.scalars import Integer, Text
from ampkit.schema.typed import Field


def field(name: str, argument: Argument[Any], *, optional: bool = False, absent: Any = None) -> Field:
    """Return a field whose name on the wire is the same with a dash behind."""
    return Field(name, name.encode() + b"-", argument, optional, absent)


FIELDS = (
    field("a", Integer()),
    field("b", Text(), optional=True, absent=lambda: None),
    field("c", Integer(), absent=lambda: 7),
)


@dataclass(kw_only=True)
class Sample:
    """A record with these fields, and an opinion of its own on the values."""

    a: int
    b: str | None
    c: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError(f"a is {self.a}, which is less than \x1b[1mnothing")
        if self.a == 13:
            raise KeyError("password of the database")
        if self.a == 14:
            raise TypeError("x" * 1_000)


def test_pairs_stand_in_the_order_of_the_fields() -> None:
    """None in an optional field is no key at all."""
    assert encode_plainly("Sample", FIELDS, Sample(a=1, b="x", c=2)) == b"\0\2a-\0\0011\0\2b-\0\1x\0\2c-\0\0012"
    assert encode_plainly("Sample", FIELDS, Sample(a=1, b=None, c=2)) == b"\0\2a-\0\0011\0\2c-\0\0012"
    assert encode_plainly("Sample", FIELDS, Sample(a=0, b="", c=2)) == b"\0\2a-\0\0010\0\2b-\0\0\0\2c-\0\0012"
    assert encode_plainly("Sample", (), Sample(a=1, b=None, c=2)) == b""


def test_a_box_becomes_a_record() -> None:
    """Absent keys become what stands for them, and keys that no field has are ignored."""
    box = {b"a-": b"1", b"b-": b"", b"c-": b"2", b"_trace": b"x"}
    assert decode_plainly(Sample, FIELDS, box) == Sample(a=1, b="", c=2)
    assert decode_plainly(Sample, FIELDS, {b"a-": b"1"}) == Sample(a=1, b=None, c=7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": "secret", "b": None, "c": 0}, "Sample.a: expected int, not str"),
        ({"a": None, "b": None, "c": 0}, "Sample.a: expected int, not NoneType"),
        ({"a": 0, "b": b"secret", "c": 0}, "Sample.b: expected str, not bytes"),
        ({"a": 0, "b": "x" * 65_536, "c": 0}, r"Sample.b: value of key b- is 65536 bytes long; .*at most 65535 bytes"),
        ({"a": 0, "b": None, "c": 10**4_300}, r"Sample.c: Exceeds the limit \(4300 digits\)"),
        ({"b": None, "c": 0}, "Sample.a: .*has no attribute 'a'"),
    ],
)
def test_what_cannot_be_sent_names_class_and_field(values: dict[str, Any], message: str) -> None:
    """A LocalProtocolError with the reason, its cause, and no value."""
    with pytest.raises(LocalProtocolError, match=f"^{message}") as caught:
        encode_plainly("Sample", FIELDS, SimpleNamespace(**values))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is not None


class Broken(Argument[Any]):
    """A type of argument of a program's own with bugs in it."""

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, data: bytes) -> Any:
        raise LookupError(f"password of the database of {data!r}")


@pytest.mark.parametrize("value", ["text", bytearray(b"x"), memoryview(b"abcd").cast("H"), None, 5])
def test_a_type_of_argument_must_make_bytes(value: Any) -> None:
    """Anything else is refused with its type, before it can tear the box."""
    with pytest.raises(LocalProtocolError, match=rf"^Sample\.a: .*must be bytes, not {type(value).__name__}$"):
        encode_plainly("Sample", [field("a", Broken())], SimpleNamespace(a=value))


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ({}, "Sample lacks the argument a-"),
        ({b"a-": b"x"}, "argument a- of Sample: not an integer: x"),
        (
            {b"a-": b"1", b"b-": b"\xff"},
            "argument b- of Sample: 'utf-8' codec can't decode byte 0xff in position 0: .*",
        ),
        ({b"a-": b"1", b"c-": b""}, "argument c- of Sample: not an integer: "),
        ({b"a-": b"-1"}, r"Sample: a is -1, which is less than \\x1b\[1mnothing"),
        ({b"a-": b"13"}, "Sample: KeyError"),
        ({b"a-": b"14"}, r"Sample: x{300}\.\.\."),
    ],
)
def test_what_is_malformed_names_argument_and_class(box: dict[bytes, bytes], reason: str) -> None:
    """A RemoteProtocolError with the reason, short and printable; bugs of this end show their name only."""
    with pytest.raises(RemoteProtocolError, match=f"^{reason}$") as caught:
        decode_plainly(Sample, FIELDS, box)
    assert caught.value.reason.isprintable()
    assert caught.value.position is None
    assert "password" not in str(caught.value)


def test_bugs_of_a_type_of_argument_stay_here() -> None:
    """The reason goes to the other end, so only the exception's name is in it; the cause keeps the rest."""
    with pytest.raises(RemoteProtocolError, match=r"^argument a- of Sample: LookupError$") as caught:
        decode_plainly(Sample, [field("a", Broken())], {b"a-": b"1"})
    assert str(caught.value.__cause__) == "password of the database of b'1'"


def test_odd_names_on_the_wire_are_shown_printably() -> None:
    """A name may be any bytes, as a program chooses."""
    odd = Field("a", b"\x1b\xff", Integer(), optional=False, absent=None)
    with pytest.raises(RemoteProtocolError, match=r"^Sample lacks the argument \\x1b\\xff$"):
        decode_plainly(Sample, [odd], {})
    with pytest.raises(RemoteProtocolError, match=r"^argument \\x1b\\xff of Sample: not an integer: $"):
        decode_plainly(Sample, [odd], {b"\x1b\xff": b""})
