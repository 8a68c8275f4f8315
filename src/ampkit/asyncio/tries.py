"""The time and the tries that one call has, across all connections that it may need; sends nothing itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable
from typing import Any, Final, TypeVar

from ampkit.errors import DeadlineExceeded
from ampkit.policy.backoff import Backoff
from ampkit.policy.retry import was_not_begun

T = TypeVar("T")

BUSY_PAUSE: Final = Backoff(first=0.05, longest=1.0)
"""Before an ask that was refused as BUSY is sent again: responders end in milliseconds, or it is no passing matter."""


class Tries:
    """Of one call, or of one `call_many`."""

    def __init__(self, seconds: float | None, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = None if seconds is None else self._loop.time() + seconds
        self._most = most
        self._count = 0

    def left(self) -> float | None:
        """Return the seconds that are left, not below 0; None without a limit."""
        return None if self._due is None else max(0.0, self._due - self._loop.time())

    async def within(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Await something within the time. Raises DeadlineExceeded."""
        try:
            async with asyncio.timeout_at(self._due):
                return await waiting
        except TimeoutError as error:
            raise DeadlineExceeded("the time is over") from error

    async def another(self, errors: Iterable[Exception]) -> bool:
        """Note that a try failed, and wait until the next one; return false if there is none, or no time for it."""
        self._count += 1
        if self._count >= self._most:
            return False
        if any(was_not_begun(error) for error in errors):
            pause = BUSY_PAUSE.wait(self._count - 1, random.random()) or 0.0  # noqa: S311 - spreads load, hides nothing
            left = self.left()
            if left is not None and pause >= left:
                return False
            await asyncio.sleep(pause)
        return True
