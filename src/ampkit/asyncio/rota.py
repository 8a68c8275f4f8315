"""When each of many connections is looked at next, in a few timers of the loop; knows not what is looked for."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Final, Protocol

TICKS: Final = 32
"""Into so many parts the shortest time until a look is divided: it comes later by one of them, at most."""


class Looking(Protocol):
    """Who looks at a connection."""

    def look(self) -> None:
        """Look at it."""
        ...


@dataclass(slots=True, eq=False)
class _Tick:
    number: int
    """One object for all that are in it: an integer of its own would be some bytes for each connection."""
    timer: asyncio.TimerHandle
    all: dict[Looking, None] = field(default_factory=dict[Looking, None])


class Rota:
    """What the connections of one server share: those that are to be looked at at about the same time share a timer.

    A timer of its own would be a quarter of what an idle connection takes on uvloop, and a tenth on the standard loop.
    """

    def __init__(self, period: float, shortest: float) -> None:
        self.period = period
        """Seconds that usually lie between two looks."""
        self._tick = min(period, shortest) / TICKS
        self._ticks: dict[int, _Tick] = {}

    def add(self, looking: Looking, seconds: float) -> int:
        """Let somebody look, once, in so many seconds; return what `remove` needs to know."""
        loop = asyncio.get_running_loop()
        number = math.ceil((loop.time() + seconds) / self._tick)
        tick = self._ticks.get(number)
        if tick is None:
            tick = self._ticks[number] = _Tick(number, loop.call_at(number * self._tick, self._run, number))
        tick.all[looking] = None
        return tick.number

    def remove(self, looking: Looking, number: int) -> None:
        """Let it be, if it has not looked yet."""
        tick = self._ticks.get(number)
        if tick is not None:
            tick.all.pop(looking, None)
            if not tick.all:
                tick.timer.cancel()
                del self._ticks[number]

    def _run(self, number: int) -> None:
        for looking in self._ticks.pop(number).all:
            looking.look()
