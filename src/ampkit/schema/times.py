"""The wire form of a moment in time; knows no clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final

from ampkit.schema.argument import Argument, wrong_type
from ampkit.wire.text import printable

_FORM: Final = re.compile(rb"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:[0-5]\d")
_MINUTE: Final = timedelta(minutes=1)


class DateTime(Argument[datetime]):
    """An aware `datetime` in exactly 32 characters, `2012-01-23T12:34:56.054321-01:23`.

    A zero offset is written `-00:00`, as Twisted does, and read in both spellings. The wire has whole minutes
    of offset: a datetime with seconds in its offset is sent as the same moment in the next lower whole minute.
    """

    def encode(self, value: datetime) -> bytes:
        if not isinstance(value, datetime):
            raise wrong_type(value, "datetime")
        offset = value.utcoffset()
        if offset is None:
            raise ValueError("a naive datetime is no moment in time; give it a tzinfo, such as datetime.timezone.utc")
        if offset % _MINUTE:
            value = _in_whole_minutes(value, offset)
        return value.isoformat(timespec="microseconds").replace("+00:00", "-00:00").encode("ascii")

    def decode(self, data: bytes) -> datetime:
        if not _FORM.fullmatch(data):
            raise ValueError(f"not a date and time of the form YYYY-MM-DDTHH:MM:SS.ffffff+HH:MM: {printable(data)}")
        return datetime.fromisoformat(data.decode("ascii"))


def _in_whole_minutes(value: datetime, offset: timedelta) -> datetime:
    try:
        return value.astimezone(timezone(offset // _MINUTE * _MINUTE))
    except (OverflowError, ValueError):
        raise ValueError("in whole minutes of offset, as AMP has them, its year or offset is out of range") from None
