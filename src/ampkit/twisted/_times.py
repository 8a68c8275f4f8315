"""Moments with a fixed offset, as Twisted's `amp.DateTime` has them; where Twisted keeps its time zones, this knows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from twisted.python._tzhelper import UTC, FixedOffsetTimeZone

utc: Final = UTC
_FixedOffsetTZInfo = FixedOffsetTimeZone

_MINUTE: Final = timedelta(minutes=1)


def inWholeMinutes(moment: datetime) -> datetime:
    """Return the same reading of the clock with the offset that Twisted sends: the next lower whole minute."""
    offset = moment.utcoffset()
    if offset is None or not offset % _MINUTE:
        return moment
    return moment.replace(tzinfo=timezone(offset // _MINUTE * _MINUTE))
