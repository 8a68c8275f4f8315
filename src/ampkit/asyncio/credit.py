"""How many bytes of this end's asks may wait for answers, and who waits for them to become fewer; sends nothing."""

from __future__ import annotations

import asyncio
import math
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ampkit.asyncio.deadlines import Limit, Waiting
from ampkit.errors import NotSent
from ampkit.speed import fields

ASK_OVERHEAD: Final = 20
"""Bytes that count for an ask beside its pairs: its tag and what keeps it apart from the next."""

_NOTHING: Final = -1

if TYPE_CHECKING:
    from ampkit.speed import Fields as CreditFields
else:
    CreditFields = fields("CreditFields", "taken", "free_below", "_line")


class Credit(CreditFields):
    """Taken by asks and given back when they end. Whoever finds none waits in line, first come, first served."""

    __slots__ = ("_loop", "_most", "is_withdrawn")

    def __init__(self, loop: asyncio.AbstractEventLoop, most: float) -> None:
        self.taken = 0
        """Bytes of asks that wait. Whoever finds `taken + size <= free_below` may add its size to it."""
        self.free_below: float = min(most, sys.maxsize)
        """`most`, but nothing while others wait in line."""
        self._loop = loop
        self._most: float = self.free_below
        self.is_withdrawn = False
        """Whether the other end wants no further asks."""
        self._line: OrderedDict[Waiting, int] | None = None

    def take_now(self, size: int) -> bool:
        """Take it if it is there and nobody waits for it. Raises NotSent if none is given any more."""
        if self.taken + size > self.free_below:
            if self.is_withdrawn:
                raise withdrawn()
            if self._line or not self._fits(size):
                return False
        self.taken += size
        return True

    async def take(self, size: int, limit: Limit | None) -> bool:
        """Take it when it is there; return false if the time ran out first. What is larger than all goes alone."""
        if self.take_now(size):
            return True
        future: asyncio.Future[bool | None] = self._loop.create_future()
        self.line_up(future, size)
        if limit is not None:
            limit.waiting = future
        try:
            if await future is False:
                raise withdrawn()
            return future.result() is True
        except asyncio.CancelledError:
            if not future.cancelled() and future.result():  # it was given in the same turn
                self.give_back(size)
            raise
        finally:
            self.leave(future)

    def line_up(self, waiter: Waiting, size: int) -> None:
        """Let a waiter wait: it gets True as its result when it has the credit, and False if none is given any more."""
        if self._line is None:
            self._line = OrderedDict()
        self._line[waiter] = size
        self.free_below = _NOTHING

    def leave(self, waiter: Waiting) -> None:
        """Let it wait no more, if it does."""
        if self._line and self._line.pop(waiter, None) is not None and not self.is_withdrawn:
            self._give_out()

    def another(self) -> Credit:
        """Return as much again, of which nothing is taken."""
        return Credit(self._loop, self._most)

    def give_back(self, size: int) -> None:
        """Let others have it."""
        self.taken -= size
        if self._line and not self.is_withdrawn:
            self._give_out()

    def waiting(self) -> Waiting | None:
        """Return one of those that wait in line."""
        return next(iter(self._line or ()), None)

    def withdraw(self) -> None:
        """Give none any more, until `close`: whoever wants some, now or later, gets NotSent."""
        self.is_withdrawn = True
        self.free_below = _NOTHING
        for waiter in self._line or ():
            if not waiter.done():
                waiter.set_result(False)

    def close(self) -> None:
        """Let everybody go on, now and from now on."""
        self._most = math.inf
        self.is_withdrawn = False
        self._give_out()

    def _give_out(self) -> None:
        while self._line:
            waiter, size = next(iter(self._line.items()))
            if not waiter.done() and not self._fits(size):
                return
            del self._line[waiter]
            if not waiter.done():
                self.taken += size
                waiter.set_result(True)
        self.free_below = self._most

    def _fits(self, size: int) -> bool:
        return not self.taken or self.taken + size <= self._most


def withdrawn() -> NotSent:
    """Return the error for those who get none any more."""
    return NotSent("the other end is about to close and begins nothing new; nothing was sent")
