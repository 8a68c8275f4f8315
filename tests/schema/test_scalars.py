"""The wire forms of single values, byte for byte as Twisted's, and what is refused in either direction."""

from __future__ import annotations

import decimal
import enum
import math
import os
import pathlib
import struct
from decimal import Decimal as Dec
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.schema.argument import Argument
from ampkit.schema.scalars import Boolean, Bytes, Decimal, Enumeration, Float, Integer, Path, String, Text, Unicode
from ampkit.testing.strategies import arguments
from tests.schema.genuine import twisted_decode, twisted_encode


class Colour(enum.Enum):
    """An enumeration of texts."""

    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    """A number with a name."""

    LOW = 7


class Mode(enum.StrEnum):
    """A text with a name."""

    FAST = "fast"


WIRE_FORMS: list[tuple[Argument[Any], Any, bytes]] = [
    (Integer(), 0, b"0"),
    (Integer(), -42, b"-42"),
    (Integer(), 2**64, b"18446744073709551616"),
    (Integer(), 10**4_299, b"1" + b"0" * 4_299),
    (Integer(), -(10**4_299), b"-1" + b"0" * 4_299),
    (Bytes(), b"", b""),
    (Bytes(), bytes(range(256)), bytes(range(256))),
    (Bytes(), b"\xff" * 65_535, b"\xff" * 65_535),
    (Text(), "", b""),
    (Text(), "naïve \0 𝄞", b"na\xc3\xafve \x00 \xf0\x9d\x84\x9e"),
    (Text(), " 12 ", b" 12 "),
    (Float(), 1.5, b"1.5"),
    (Float(), 1e22, b"1e+22"),
    (Float(), 5e-324, b"5e-324"),
    (Float(), math.inf, b"inf"),
    (Float(), -math.inf, b"-inf"),
    (Boolean(), True, b"True"),
    (Boolean(), False, b"False"),
    (Decimal(), Dec("1.50"), b"1.50"),
    (Decimal(), Dec("-0"), b"-0"),
    (Decimal(), Dec("1E+5"), b"1E+5"),
    (Decimal(), Dec("1E-400"), b"1E-400"),
    (Decimal(), Dec("3." + "14159" * 100), b"3." + b"14159" * 100),
    (Decimal(), Dec("Infinity"), b"Infinity"),
    (Decimal(), Dec("-Infinity"), b"-Infinity"),
    (Path(), pathlib.Path("/tmp/ünï code"), "/tmp/ünï code".encode()),
]


def name_of(value: object) -> str:
    """Keep the names of tests short."""
    shown = repr(value)
    return shown if len(shown) < 40 else f"{shown[:30]}({len(shown)})"


@pytest.mark.parametrize(("argument", "value", "data"), WIRE_FORMS, ids=name_of)
def test_the_wire_form_is_exact(argument: Argument[Any], value: Any, data: bytes) -> None:
    """Bytes and values belong together in both directions, and Twisted says the same."""
    assert argument.encode(value) == data == twisted_encode(argument, value)
    decoded = argument.decode(data)
    assert decoded == value == twisted_decode(argument, data)
    assert type(decoded) is type(value)


@pytest.mark.parametrize("argument", [Integer(), Bytes(), Text(), Boolean(), Float()], ids=repr)
@given(data=st.data())
def test_every_value_comes_back_and_twisted_writes_the_same_bytes(argument: Argument[Any], data: st.DataObject) -> None:
    """decode(encode(x)) == x, and the bytes are Twisted's."""
    value = data.draw(arguments(argument))
    encoded = argument.encode(value)
    assert encoded == twisted_encode(argument, value)
    assert same(argument.decode(encoded), value)
    assert same(twisted_decode(argument, encoded), value)


@given(st.decimals() | st.from_regex(r"-?(0|[1-9]\d{0,40})(\.\d{1,40})?(E[+-]\d{1,3})?", fullmatch=True).map(Dec))
def test_decimals_keep_digits_exponent_and_payload(value: Dec) -> None:
    """A Decimal comes back as the same triple of sign, digits and exponent, signalling NaN included."""
    encoded = Decimal().encode(value)
    assert encoded == twisted_encode(Decimal(), value)
    assert Decimal().decode(encoded).as_tuple() == value.as_tuple() == twisted_decode(Decimal(), encoded).as_tuple()


def test_a_path_is_not_resolved() -> None:
    """What it is relative to, its receiver decides."""
    assert Path().encode(pathlib.Path("a/../b")) == b"a/../b"
    assert Path().decode(b"a/../b") == pathlib.Path("a/../b")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")).map(lambda text: pathlib.Path("/", text)))
def test_paths_come_back_as_they_were(value: pathlib.Path) -> None:
    """A path is not resolved on the way; Twisted reads the same one."""
    encoded = Path().encode(value)
    assert encoded == str(value).encode()
    assert Path().decode(encoded) == value


def same(one: Any, other: Any) -> bool:
    """Equal, and for floats the same bits but for the payload of a NaN."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    return bool(one == other) and type(one) is type(other)


def test_nan_and_minus_zero() -> None:
    """The two floats that == does not tell."""
    assert Float().encode(math.nan) == b"nan" == twisted_encode(Float(), math.nan)
    assert math.isnan(Float().decode(b"nan"))
    assert Float().encode(-0.0) == b"-0.0" == twisted_encode(Float(), -0.0)
    assert math.copysign(1, Float().decode(b"-0.0")) == -1


def test_both_names_of_a_type_are_one_class() -> None:
    """The specification says Bytes and Text where Twisted says String and Unicode."""
    assert String is Bytes
    assert Unicode is Text


READ_TOO: list[tuple[Argument[Any], bytes, Any]] = [
    (Integer(), b"+12", 12),
    (Integer(), b"007", 7),
    (Integer(), b"-0", 0),
    (Float(), b"123", 123.0),
    (Float(), b"10.", 10.0),
    (Float(), b".5", 0.5),
    (Float(), b"+1E5", 100_000.0),
    (Float(), b"Infinity", math.inf),
    (Decimal(), b"+1e5", Dec("1E+5")),
    (Decimal(), b"inf", Dec("Infinity")),
]


@pytest.mark.parametrize(("argument", "data", "value"), READ_TOO, ids=name_of)
def test_other_spellings_of_the_specification_are_read(argument: Argument[Any], data: bytes, value: Any) -> None:
    """What other implementations may write is read as Twisted reads it."""
    assert argument.decode(data) == value == twisted_decode(argument, data)


STRICTER: list[tuple[Argument[Any], bytes]] = [
    *((Integer(), data) for data in (b" 12", b"12 ", b"1_0", b" 1_0 ", b"12\n", b"-1_0", b"\x0c1")),
    *((Float(), data) for data in (b" 1.5", b"1.5\n", b"1_0.5", b" 1_0.5\n", b"\x0b1", b"1.5\t")),
    *((Decimal(), data) for data in (b" 1.5", b"1.5\n", b"1_0", b" 1_0 ", b"\x1c1", b"NaN1_0")),
]


@pytest.mark.parametrize(("argument", "data"), STRICTER, ids=name_of)
def test_what_no_peer_writes_is_refused_though_twisted_reads_it(argument: Argument[Any], data: bytes) -> None:
    """Blanks and underscores are an error, not a guess."""
    twisted_decode(argument, data)
    with pytest.raises(ValueError, match=r"^not a"):
        argument.decode(data)


MALFORMED: list[tuple[Argument[Any], bytes, str]] = [
    *((Integer(), data, "not an integer: ") for data in (b"", b"-", b"+-1", b"1.0", b"0x10", b"1\0", b"\xff", b"ten")),
    *((kind, "\u0661\u0662".encode(), "not a") for kind in (Integer(), Float(), Decimal())),
    (Integer(), b"1" * 4_301, "Exceeds the limit"),
    (Text(), b"\xff", "codec can't decode byte 0xff"),
    (Text(), b"\xed\xa0\x80", "codec can't decode"),
    (Path(), b"/\xff", "codec can't decode byte 0xff"),
    *((Float(), data, "not a float: ") for data in (b"", b"1,5", b"1.5\0", b"0x1p3", b"\xff", b"sNaN")),
    *((Boolean(), data, "not True or False: ") for data in (b"", b"true", b"1", b"True ", b"\xff")),
    *((Decimal(), data, "not a decimal number: ") for data in (b"", b"x", b"\xff", b"1E", b"1E+99999999999999999999")),
    (Enumeration(Colour, Text()), b"blue", "'blue' is not a valid Colour"),
    (Enumeration(Colour, Text()), b"\xff", "codec can't decode"),
]


@pytest.mark.parametrize(("argument", "data", "reason"), MALFORMED, ids=name_of)
def test_malformed_bytes_are_a_value_error(argument: Argument[Any], data: bytes, reason: str) -> None:
    """The reason says what was expected and shows what came, in printable characters."""
    with pytest.raises(ValueError, match=reason) as caught:
        argument.decode(data)
    assert str(caught.value).isprintable()


def test_what_is_shown_of_malformed_bytes_is_short() -> None:
    """A long value is shown with its length, not whole."""
    with pytest.raises(ValueError, match=r"\(60000 bytes\)$") as caught:
        Integer().decode(b"x" * 60_000)
    assert len(str(caught.value)) < 200


WRONG_TYPES: list[tuple[Argument[Any], Any, str]] = [
    *((Integer(), value, "expected int, not ") for value in ("1", 1.0, None, Dec(1), b"1")),
    *((Bytes(), value, "expected bytes, not ") for value in ("a", 1, None, [1])),
    *((Text(), value, "expected str, not ") for value in (b"a", 1, None)),
    *((Float(), value, "expected float, not ") for value in ("1.5", None, Dec("1.5"), 1j)),
    *((Boolean(), value, "expected bool, not ") for value in (1, 0, "True", None)),
    *((Decimal(), value, "expected decimal.Decimal, not ") for value in (1, 1.5, "1.5", None)),
    *((Path(), value, "expected pathlib.Path, not ") for value in ("/tmp", b"/tmp", None)),
    *((Enumeration(Colour, Text()), value, "expected Colour, not ") for value in ("red", None)),
]


@pytest.mark.parametrize(("argument", "value", "message"), WRONG_TYPES, ids=name_of)
def test_the_wrong_type_is_a_type_error(argument: Argument[Any], value: Any, message: str) -> None:
    """Nothing is converted by guess; the message names both types."""
    with pytest.raises(TypeError, match=f"^{message}{type(value).__name__}$"):
        argument.encode(value)


@pytest.mark.parametrize(
    ("argument", "value", "sent"), [(Integer(), 3.7, b"3"), (Boolean(), "False", b"True"), (Float(), 3, None)], ids=repr
)
def test_twisted_takes_other_values(argument: Argument[Any], value: Any, sent: bytes | None) -> None:
    """It sends what is no integer and no truth, and refuses an int for a float."""
    if sent is None:
        assert argument.encode(value) == b"3.0"
        with pytest.raises(ValueError, match="Bad float value"):
            twisted_encode(argument, value)
    else:
        assert twisted_encode(argument, value) == sent
        with pytest.raises(TypeError):
            argument.encode(value)


def test_close_relatives_are_taken() -> None:
    """A bool is an int and an int can be a float, for a type checker and for us; buffers are bytes."""
    assert Integer().encode(True) == b"1"
    assert Float().encode(3) == b"3.0"
    assert Bytes().encode(bytearray(b"ab")) == b"ab"
    assert Bytes().encode(memoryview(b"abcd")[::2]) == b"ac"
    assert type(Bytes().encode(type("B", (bytes,), {})(b"a"))) is bytes


def test_what_has_a_path_is_a_path() -> None:
    """Any os.PathLike can be sent, also one that says its path in bytes."""

    class Entry(os.PathLike[bytes]):
        """As os.scandir gives them for a directory in bytes."""

        def __fspath__(self) -> bytes:
            return "/tmp/ü".encode()

    assert Path().encode(Entry()) == "/tmp/ü".encode()
    assert Path().encode(pathlib.PurePosixPath("a/b")) == b"a/b"


WITHOUT_WIRE_FORM: list[tuple[Argument[Any], Any, str]] = [
    (Integer(), 10**4_300, "Exceeds the limit"),
    (Float(), 10**400, "this integer is too large for a float"),
    (Text(), "\ud800", "surrogates not allowed"),
    (Path(), pathlib.Path("/\udcff"), "surrogates not allowed"),
]


@pytest.mark.parametrize(("argument", "value", "message"), WITHOUT_WIRE_FORM, ids=["digits", "float", "text", "path"])
def test_values_without_a_wire_form_are_a_value_error(argument: Argument[Any], value: Any, message: str) -> None:
    """The type is right, but AMP or Python cannot write it."""
    with pytest.raises(ValueError, match=message):
        argument.encode(value)


def test_a_program_s_decimal_context_changes_nothing() -> None:
    """Precision and traps of the program's own arithmetic are not the wire's."""
    with decimal.localcontext() as context:
        context.prec = 2
        context.traps[decimal.InvalidOperation] = False
        assert Decimal().decode(b"1.23456") == Dec("1.23456")
        assert Decimal().encode(Dec("1.23456")) == b"1.23456"
        with pytest.raises(ValueError, match=r"^not a decimal number: x$"):
            Decimal().decode(b"x")


def test_an_enumeration_is_sent_by_value() -> None:
    """A member goes as the wire form of its value, and comes back as the member."""
    argument = Enumeration(Colour, Text())
    assert argument.encode(Colour.GREEN) == b"green"
    assert argument.decode(b"green") is Colour.GREEN
    assert repr(argument) == "Enumeration(Colour)"
    assert repr(Enumeration(Colour, Text(), optional=True)) == "Enumeration(Colour, optional=True)"
    assert Enumeration(Colour, Text(), optional=True).optional


def test_numbers_and_texts_that_are_members_go_as_what_they_are() -> None:
    """An IntEnum in an int field and a StrEnum in a str field need no Enumeration."""
    assert Integer().encode(Level.LOW) == b"7"
    assert Text().encode(Mode.FAST) == b"fast"
