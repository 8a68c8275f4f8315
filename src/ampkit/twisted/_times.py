"""Moments with a fixed offset, as Twisted's `amp.DateTime` reads them; where Twisted keeps its time zones, this knows."""

from __future__ import annotations

from typing import Final

from twisted.python._tzhelper import UTC, FixedOffsetTimeZone

utc: Final = UTC
_FixedOffsetTZInfo = FixedOffsetTimeZone
