"""Moments in 32 characters: every offset, byte for byte as Twisted's, and what is no moment."""

# mypy: allow-untyped-calls

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.schema.times import DateTime
from ampkit.testing.strategies import arguments
from tests.schema.genuine import twisted_decode, twisted_encode

FORM = "not a date and time of the form YYYY-MM-DDTHH:MM:SS.ffffff"


def at(offset: timedelta, year: int = 2012) -> datetime:
    """Return some moment at an offset."""
    return datetime(year, 1, 23, 12, 34, 56, 54_321, tzinfo=timezone(offset))


def test_the_wire_form_is_exact() -> None:
    """The example of the documentation, in both directions."""
    moment = at(-timedelta(hours=1, minutes=23))
    assert DateTime().encode(moment) == b"2012-01-23T12:34:56.054321-01:23"
    assert DateTime().decode(b"2012-01-23T12:34:56.054321-01:23") == moment


def test_every_offset_of_whole_minutes_is_written_as_twisted_writes_it() -> None:
    """From -23:59 to +23:59; a zero offset is -00:00."""
    for minutes in range(-1439, 1440):
        moment = at(timedelta(minutes=minutes))
        data = DateTime().encode(moment)
        assert data == twisted_encode(DateTime(), moment)
        decoded = DateTime().decode(data)
        assert decoded == moment
        assert decoded.utcoffset() == moment.utcoffset()
    assert DateTime().encode(at(timedelta(0))) == b"2012-01-23T12:34:56.054321-00:00"


@given(arguments(DateTime()))
def test_every_moment_comes_back(value: datetime) -> None:
    """decode(encode(x)) == x at the same offset, the bytes are Twisted's, and Twisted reads the same moment."""
    encoded = DateTime().encode(value)
    assert len(encoded) == 32
    assert encoded == twisted_encode(DateTime(), value)
    assert DateTime().decode(encoded) == value == twisted_decode(DateTime(), encoded)
    assert DateTime().decode(encoded).utcoffset() == value.utcoffset()


@pytest.mark.parametrize("spelling", [b"+00:00", b"-00:00"])
def test_a_zero_offset_is_read_in_both_spellings(spelling: bytes) -> None:
    """Twisted writes the one and may be sent the other."""
    data = b"2012-01-23T12:34:56.054321" + spelling
    assert DateTime().decode(data) == at(timedelta(0)) == twisted_decode(DateTime(), data)


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_first_and_the_last_moment_cross(moment: datetime) -> None:
    """Years have four digits, from 0001 to 9999."""
    assert DateTime().encode(moment) == twisted_encode(DateTime(), moment)
    assert DateTime().decode(DateTime().encode(moment)) == moment


def test_named_zones_are_sent_as_their_offset() -> None:
    """Summer and winter of one zone, and the hour that comes twice."""
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    assert DateTime().encode(datetime(2024, 7, 1, tzinfo=zone)).endswith(b"+02:00")
    assert DateTime().encode(datetime(2024, 10, 27, 2, 30, tzinfo=zone)).endswith(b"02:30:00.000000+02:00")
    assert DateTime().encode(datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zone)).endswith(b"02:30:00.000000+01:00")


@given(st.timedeltas(-timedelta(hours=23, minutes=59), timedelta(hours=23, minutes=59)))
def test_seconds_in_an_offset_keep_the_moment(offset: timedelta) -> None:
    """What the wire cannot say is put into the time of day, so the moment is the same to the microsecond."""
    value = at(offset)
    decoded = DateTime().decode(DateTime().encode(value))
    assert decoded == value
    kept = decoded.utcoffset()
    assert kept is not None
    assert timedelta(0) <= offset - kept < timedelta(minutes=1)


def test_less_than_a_minute_of_offset_is_a_zero_offset() -> None:
    """It is written -00:00 then, as any zero offset is."""
    assert DateTime().encode(at(timedelta(seconds=30))) == b"2012-01-23T12:34:26.054321-00:00"


class Strange(tzinfo):
    """Half a minute off, at the edge of what Python can hold."""

    def __init__(self, offset: timedelta) -> None:
        self.offset = offset

    def utcoffset(self, _: datetime | None, /) -> timedelta:
        return self.offset

    def dst(self, _: datetime | None, /) -> None:
        return None

    def tzname(self, _: datetime | None, /) -> str:
        return "strange"


@pytest.mark.parametrize(
    "value",
    [
        datetime.min.replace(tzinfo=Strange(timedelta(seconds=30))),
        datetime.max.replace(tzinfo=Strange(-timedelta(seconds=30))),
        at(timedelta(0)).replace(tzinfo=Strange(-timedelta(hours=23, minutes=59, seconds=30))),
    ],
    ids=["first year", "last year", "last offset"],
)
def test_what_is_out_of_range_in_whole_minutes_is_refused(value: datetime) -> None:
    """There is no other moment to send in its place."""
    with pytest.raises(ValueError, match=r"^in whole minutes of offset, as AMP has them, its year or offset is out of"):
        DateTime().encode(value)


def test_a_naive_datetime_is_no_moment() -> None:
    """The message says what to do about it."""
    with pytest.raises(ValueError, match=r"^a naive datetime is no moment in time; give it a tzinfo, such as .*utc$"):
        DateTime().encode(datetime(2012, 1, 23))


@pytest.mark.parametrize("value", ["2012-01-23", date(2012, 1, 23), 0, None])
def test_the_wrong_type_is_a_type_error(value: Any) -> None:
    """A date is no datetime, and neither is a text."""
    with pytest.raises(TypeError, match=r"^expected datetime, not "):
        DateTime().encode(value)


SLOPPY = [
    b"2012-01-23 12:34:56.054321-01:23",
    b"2012-01-23x12y34z56?054321-01:23",
    b"2012/01/23 12.34.56,054321-01:99",
    b"2012/01/23T12:34:56.054321-01:23",
    b"2012-01-23T12:34:56.054321-01:99",
    b"2012-01-23T12:34:56.054321+24:00",
    b"+012-01-23T12:34:56.054321+01:00",
    b"2012- 1-23T12:34:56.054321+01:00",
    b"2012-01-23T12:34:56.0_4321+01:00",
]


@pytest.mark.parametrize("data", SLOPPY)
def test_what_no_peer_writes_is_refused_though_twisted_reads_it(data: bytes) -> None:
    """Separators, signs, blanks and minutes above 59 are checked."""
    twisted_decode(DateTime(), data)
    with pytest.raises(ValueError, match=r"^(not a date and time|offset must be)"):
        DateTime().decode(data)


MALFORMED = [
    (b"", FORM),
    (b"2012-01-23T12:34:56-01:23", FORM),
    (b"2012-01-23T12:34:56.054321Z", FORM),
    (b"2012-01-23T12:34:56.054321-01:23\n", FORM),
    (b"\x1b012-01-23T12:34:56.054321-01:23", FORM),
    ("٢012-01-23T12:34:56.05432-01:23".encode(), FORM),
    (b"2012-01-23T24:00:00.000000-01:23", FORM),
    (b"2012-13-23T12:34:56.054321-01:23", "month must be in"),
    (b"2012-02-30T12:34:56.054321-01:23", "day is out of range"),
    (b"0000-01-23T12:34:56.054321-01:23", "year 0 is out of range"),
    (b"2012-01-23T25:34:56.054321-01:23", "hour must be in"),
    (b"2012-01-23T12:34:56.054321-24:00", "offset must be"),
]


@pytest.mark.parametrize(("data", "reason"), MALFORMED)
def test_malformed_bytes_are_a_value_error(data: bytes, reason: str) -> None:
    """The reason says what was expected and shows what came, in printable characters."""
    with pytest.raises(ValueError, match=reason) as caught:
        DateTime().decode(data)
    assert str(caught.value).isprintable()
