"""The time limits of many calls in a few timers of the event loop; knows not what a limit is for."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ampkit.policy.extensions import LONGEST_TIMEOUT

TICKS_A_SECOND: Final = 100
"""A limit ends with the tick it falls in, less than 10 ms late; the limits of one tick share a timer."""


class Waiting(Protocol):
    """A future, or what has in common with one all that is needed to end it."""

    def done(self) -> bool:
        """Whether it has ended."""
        ...

    def set_result(self, result: Any, /) -> None:
        """End it."""
        ...


@dataclass(slots=True, eq=False)
class Limit:
    """A time limit. What waits within it is put in `waiting`, and gets None as its result if the time runs out."""

    due: int
    waiting: Waiting | None = None
    expired: bool = False

    def left(self, now: float) -> float:
        """Return the seconds that are left at a time of the event loop, up to 10 ms more than were given."""
        return self.due / TICKS_A_SECOND - now

    def expire(self) -> None:
        """End what waits."""
        self.expired = True
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)


@dataclass(slots=True, eq=False)
class _Tick:
    handle: asyncio.TimerHandle
    limits: dict[Limit, None] = field(default_factory=dict[Limit, None])


class Deadlines:
    """Starts and stops limits.

    A timer costs more than all the rest of a call, and almost every limit is stopped in time: so a limit is only
    noted with its tick. A tick that all its limits have left is dropped, but not the newest one: the next call
    of a program that makes one after another falls in the same tick.
    """

    __slots__ = ("_closed", "_loop", "_newest", "_ticks")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticks: dict[int, _Tick] = {}
        self._newest: int | None = None
        self._closed = False

    def start(self, seconds: float) -> Limit:
        """Begin a limit of so many seconds from now; whoever begins it has to stop it."""
        due = math.ceil((self._loop.time() + min(seconds, LONGEST_TIMEOUT)) * TICKS_A_SECOND)
        limit = Limit(due)
        (self._ticks.get(due) or self._add(due)).limits[limit] = None
        return limit

    def stop(self, limit: Limit) -> None:
        """Let it go, be it expired or not."""
        tick = self._ticks.get(limit.due)
        if tick is not None:
            tick.limits.pop(limit, None)
            if not tick.limits and limit.due != self._newest:
                self._drop(limit.due)

    def close(self) -> None:
        """Keep no timer that no limit needs."""
        self._closed = True
        self._renew(None)

    def _add(self, due: int) -> _Tick:
        tick = self._ticks[due] = _Tick(self._loop.call_at(due / TICKS_A_SECOND, self._expire, due))
        if not self._closed:
            self._renew(due)
        return tick

    def _renew(self, newest: int | None) -> None:
        previous, self._newest = self._newest, newest
        if previous in self._ticks and not self._ticks[previous].limits:
            self._drop(previous)

    def _drop(self, due: int) -> None:
        self._ticks.pop(due).handle.cancel()

    def _expire(self, due: int) -> None:
        for limit in self._ticks.pop(due).limits:
            limit.expire()
