"""Single values: what each type writes and reads, and what it refuses; directly, and by a command on each way."""

# mypy: allow-untyped-calls, allow-subclassing-any

import decimal
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from twisted.python.filepath import FilePath

from tests.twisted.rows.common import Watched, bytes_of, started

MANY = 10**4_300


class Two(int):
    """An integer of a program's own."""


WRITTEN = [
    ("Integer", 0, b"0"),
    ("Integer", -42, b"-42"),
    ("Integer", 300, b"300"),
    ("Integer", 2**70, b"1180591620717411303424"),
    ("Integer", True, b"1"),
    ("Integer", 3.7, b"3"),
    ("Integer", Two(2), b"2"),
    ("String", b"\0\xff", b"\0\xff"),
    ("String", b"", b""),
    ("String", bytearray(b"x"), b"x"),
    ("Unicode", "a\u20ac", b"a\xe2\x82\xac"),
    ("Unicode", "", b""),
    ("Float", 1.0, b"1.0"),
    ("Float", 1e22, b"1e+22"),
    ("Float", -0.0, b"-0.0"),
    ("Float", math.inf, b"inf"),
    ("Float", -math.inf, b"-inf"),
    ("Float", math.nan, b"nan"),
    ("Float", 0.1, b"0.1"),
    ("Boolean", True, b"True"),
    ("Boolean", 0, b"False"),
    ("Boolean", "False", b"True"),
    ("Boolean", None, b"False"),
    ("Boolean", [], b"False"),
    ("Path", FilePath("/a/\u20ac"), b"/a/\xe2\x82\xac"),
    ("Path", FilePath(b"/a"), b"/a"),
    ("Decimal", decimal.Decimal("1.50"), b"1.50"),
    ("Decimal", decimal.Decimal("1E+2"), b"1E+2"),
    ("Decimal", decimal.Decimal("1E-10"), b"1E-10"),
    ("Decimal", decimal.Decimal("-Infinity"), b"-Infinity"),
    ("Decimal", decimal.Decimal("-sNaN12"), b"-sNaN12"),
    ("Decimal", decimal.Decimal("NaN"), b"NaN"),
]
READ = [
    ("Integer", b"0", 0),
    ("Integer", b"-42", -42),
    ("Integer", b" 12 ", 12),
    ("Integer", b"+12", 12),
    ("Integer", b"1_000", 1_000),
    ("Integer", b"007", 7),
    ("String", b"\0\xff", b"\0\xff"),
    ("Unicode", b"a\xe2\x82\xac", "a\u20ac"),
    ("Float", b"1e3", 1000.0),
    ("Float", b" 1 ", 1.0),
    ("Float", b"-inf", -math.inf),
    ("Boolean", b"True", True),
    ("Boolean", b"False", False),
    ("Path", b"/a/b", FilePath("/a/b")),
    ("Path", b"a", FilePath(str(Path.cwd() / "a"))),
    ("Path", b"", FilePath(str(Path.cwd()))),
    ("Decimal", b"1.50", decimal.Decimal("1.50")),
    ("Decimal", b" 1_0 ", decimal.Decimal(10)),
]
UNWRITABLE = [
    ("Integer", "3", TypeError, ""),
    ("Integer", None, TypeError, ""),
    ("Integer", (3,), TypeError, ""),
    pytest.param("Integer", MANY, ValueError, "4300", id="4301 digits"),
    ("String", "text", TypeError, "Unicode value for key b'value' not allowed: 'text'"),
    ("String", 3, TypeError, ""),
    ("Unicode", b"bytes", AttributeError, "encode"),
    ("Unicode", None, AttributeError, "encode"),
    ("Unicode", "\ud800", UnicodeEncodeError, "surrogates"),
    ("Float", 1, ValueError, "Bad float value 1$"),
    ("Float", True, ValueError, "Bad float value True$"),
    ("Float", "1.0", ValueError, "Bad float value '1.0'$"),
    ("Path", "/a", AttributeError, "asTextMode"),
    ("Decimal", 1, ValueError, "amp.Decimal can only encode instances of decimal.Decimal"),
    ("Decimal", 1.0, ValueError, "amp.Decimal can only encode instances of decimal.Decimal"),
]
UNREADABLE = [
    ("Integer", b"", ValueError, "invalid literal"),
    ("Integer", b"x", ValueError, "invalid literal"),
    ("Integer", b"1.0", ValueError, "invalid literal"),
    pytest.param("Integer", b"1" * 4_301, ValueError, "4300", id="4301 digits"),
    ("Unicode", b"\xff", UnicodeDecodeError, "utf-8"),
    ("Float", b"x", ValueError, "could not convert"),
    ("Boolean", b"true", TypeError, "^Bad boolean value: b'true'$"),
    ("Boolean", b"", TypeError, "^Bad boolean value: b''$"),
    ("Path", b"\xff", UnicodeDecodeError, "utf-8"),
    ("Decimal", b"x", decimal.InvalidOperation, ""),
    ("Decimal", b"\xff", UnicodeDecodeError, "ascii"),
]


def taking(amp: Any, name: str) -> Any:
    """A command with one value of a type."""
    fields = [(b"value", getattr(amp, name)())]
    return type("Take", (amp.Command,), {"arguments": fields, "response": fields})


@pytest.mark.parametrize(("name", "value", "data"), WRITTEN)
def test_a_value_is_written(name: str, value: Any, data: bytes, amp: Any, base: Any) -> None:
    """By the type, and in the bytes of a call."""
    assert getattr(amp, name)().toString(value) == data
    end = base()
    wire = started(end)
    end.callRemote(taking(amp, name), value=value)
    assert wire.take() == bytes_of(_ask=b"1", _command=b"Take", value=data)


@pytest.mark.parametrize(("name", "data", "value"), READ)
def test_a_value_is_read(name: str, data: bytes, value: Any, amp: Any, base: Any) -> None:
    """By the type, and from the bytes of an answer."""
    assert getattr(amp, name)().fromString(data) == value
    started(end := base())
    command: Any = type("Take", (taking(amp, name),), {"arguments": []})
    asked = Watched(end.callRemote(command))
    end.dataReceived(bytes_of(_answer=b"1", value=data))
    assert asked.result == {"value": value}
    assert type(asked.result["value"]) is type(value)


@pytest.mark.parametrize(("name", "value", "error", "said"), UNWRITABLE)
def test_a_value_is_refused(name: str, value: Any, error: Any, said: str, amp: Any, base: Any) -> None:
    """The call raises, and nothing is sent."""
    end = base()
    wire = started(end)
    with pytest.raises(error, match=said or None):
        end.callRemote(taking(amp, name), value=value)
    assert (wire.take(), wire.closed, end._outstandingRequests) == (b"", 0, {})


@pytest.mark.parametrize(("name", "data", "error", "said"), UNREADABLE)
def test_an_answer_is_refused(name: str, data: bytes, error: Any, said: str, amp: Any, base: Any) -> None:
    """The call fails."""
    with pytest.raises(error, match=said or None):
        getattr(amp, name)().fromString(data)
    started(end := base())
    command: Any = type("Take", (taking(amp, name),), {"arguments": []})
    asked = Watched(end.callRemote(command))
    end.dataReceived(bytes_of(_answer=b"1", value=data))
    assert type(asked.result) is error


MINUTE = timedelta(minutes=1)
MOMENTS = [
    (datetime(2012, 1, 23, 12, 34, 56, 54321, timezone(-83 * MINUTE)), b"2012-01-23T12:34:56.054321-01:23"),
    (datetime(2012, 1, 23, 12, 34, 56, 54321, timezone(83 * MINUTE)), b"2012-01-23T12:34:56.054321+01:23"),
    (datetime(1, 1, 1, tzinfo=UTC), b"0001-01-01T00:00:00.000000-00:00"),
    (datetime(9999, 12, 31, 23, 59, 59, 999999, timezone(1439 * MINUTE)), b"9999-12-31T23:59:59.999999+23:59"),
    (datetime(2012, 1, 2, tzinfo=timezone(timedelta(seconds=90))), b"2012-01-02T00:00:00.000000+00:01"),
    (datetime(2012, 1, 2, tzinfo=timezone(timedelta(seconds=-90))), b"2012-01-02T00:00:00.000000-00:02"),
    (datetime(2012, 1, 2, tzinfo=timezone(timedelta(seconds=30))), b"2012-01-02T00:00:00.000000-00:00"),
    (datetime(2012, 1, 2, tzinfo=timezone(timedelta(microseconds=1))), b"2012-01-02T00:00:00.000000-00:00"),
]


@pytest.mark.parametrize(("moment", "data"), MOMENTS, ids=[str(moment) for moment, _ in MOMENTS])
def test_a_moment_has_32_characters(moment: datetime, data: bytes, amp: Any) -> None:
    """A zero offset is `-00:00`, and the seconds of an offset are cut off downwards."""
    assert amp.DateTime().toString(moment) == data


@pytest.mark.parametrize(
    ("data", "moment", "zone"),
    [
        (b"2012-01-23T12:34:56.054321-01:23", MOMENTS[0][0], "-01:23"),
        ("2012-01-23T12:34:56.054321-01:23", MOMENTS[0][0], "-01:23"),
        (b"2012/01 23-12.34.56,054321+01.23", MOMENTS[1][0], "+01:23"),
        (b"0001-01-01T00:00:00.000000-00:00", MOMENTS[2][0], "-00:00"),
        (b"0001-01-01T00:00:00.000000+00:00", MOMENTS[2][0], "+00:00"),
    ],
)
def test_a_moment_is_read_by_position(data: Any, moment: datetime, zone: str, amp: Any) -> None:
    """What stands between the numbers does not matter; the zone has the name of its offset."""
    read = amp.DateTime().fromString(data)
    assert (read, read.utcoffset(), read.tzname()) == (moment, moment.utcoffset(), zone)
    assert type(read.tzinfo) is amp._FixedOffsetTZInfo


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"2012-01-23", "^invalid date format '2012-01-23'$"),
        (b"2012-01-23T12:34:56.054321?01:23", "sign"),
        (b"2012-13-23T12:34:56.054321+01:23", "month"),
        (b"2012-xx-23T12:34:56.054321+01:23", "invalid literal"),
    ],
)
def test_what_is_no_moment_is_refused(data: bytes, said: str, amp: Any) -> None:
    """As a ValueError."""
    with pytest.raises(ValueError, match=said):
        amp.DateTime().fromString(data)


def test_a_naive_moment_is_refused(amp: Any) -> None:
    """And the text says what would help."""
    said = r"^amp\.DateTime cannot serialize naive datetime instances\.  You may find amp\.utc useful\.$"
    with pytest.raises(ValueError, match=said):
        amp.DateTime().toString(datetime(2012, 1, 2))
    assert len(amp.DateTime._positions) == 9


def test_not_a_number_is_read_as_what_it_is(amp: Any) -> None:
    """Floats and decimals have it, decimals with sign and payload."""
    assert math.isnan(amp.Float().fromString(b"nan"))
    assert str(amp.Decimal().fromString(b"-sNaN12")) == "-sNaN12"
