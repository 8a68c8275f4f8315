"""Bytes that come in pieces as lines of bounded length, safe for a log; knows not who writes or reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ampkit.wire.text import printable

LINE_SHOWN: Final = 4_000
"""Bytes of a line; the rest of a longer one follows as further lines. Log collectors commonly cut at 8,000 or more."""


class Lines(asyncio.Protocol):
    """Calls `take` for each line, escaped, without its end; and `ended` once, behind the last one."""

    def __init__(self, take: Callable[[str], object], ended: Callable[[], object]) -> None:
        self._take = take
        self._ended = ended
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        """Take whole lines, and keep what has begun."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._give(line.removesuffix(b"\r"))
        while len(self._begun) >= LINE_SHOWN:
            self._give(self._begun[:LINE_SHOWN])
            self._begun = self._begun[LINE_SHOWN:]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - an end is an end
        """Take what has no end of line."""
        if self._begun:
            self._give(self._begun)
        self._ended()

    def _give(self, line: bytes) -> None:
        for at in range(0, len(line) or 1, LINE_SHOWN):
            self._take(printable(line[at : at + LINE_SHOWN], None))
