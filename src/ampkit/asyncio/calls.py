"""The asks of this end: one future each, or one for many, and their time limits; knows no command's fields."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ampkit.asyncio.channel import Channel
from ampkit.asyncio.deadlines import Deadlines, Limit
from ampkit.core.events import AnswerReceived, RefusalReceived
from ampkit.errors import AmpError


@dataclass(slots=True)
class Ended:
    """The outcome of an ask that will not be answered, because of this error."""

    reason: AmpError


Outcome: TypeAlias = AnswerReceived | RefusalReceived | Ended | None
"""How an ask ended; None if its time ran out. It is always the result of a future, never its exception: so no
exception is left that nobody took."""


class Batch:
    """Several asks that are awaited as one future."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self.future: asyncio.Future[None] = loop.create_future()
        self.outcomes: list[Outcome] = [None] * size
        self.tags: list[bytes] = []
        self.missing = size

    def take(self, index: int, outcome: Outcome) -> None:
        """Note how one ask ended; the last one ends the future."""
        self.outcomes[index] = outcome
        self.missing -= 1
        if not self.missing and not self.future.done():
            self.future.set_result(None)


class Slot:
    """The waiter of one ask of a batch; what it has in common with a future is all that a waiter needs."""

    __slots__ = ("_batch", "_index", "done", "future")

    def __init__(self, batch: Batch, index: int) -> None:
        self.future = batch.future
        self.done = batch.future.done
        self._batch = batch
        self._index = index

    def set_result(self, outcome: Outcome) -> None:
        """Take how the ask ended."""
        self._batch.take(self._index, outcome)


class Calls:
    """Queues asks on a channel and awaits how they end.

    Whoever awaits may be cancelled at any time: the ask is then abandoned, and a late answer dropped.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._loop = channel.loop
        self._deadlines = Deadlines(channel.loop)
        self._hindered = 0

    def under_way(self) -> int:
        """Count the asks that wait for an answer, or for room to be sent."""
        return len(self._connection.pending) + self._hindered

    def waiting(self) -> asyncio.Future[Any] | None:
        """Return a future that some ask waits for; None if there is no ask."""
        for waiter in self._connection.pending.values():
            return waiter.future if isinstance(waiter, Slot) else waiter
        return self._channel.waiting_for_room()

    async def ask(self, pairs: bytes, seconds: float | None) -> Outcome:
        """Ask, and return how that ended. Raises ConnectionLost if the connection has ended before it."""
        limit = None if seconds is None else self._deadlines.start(seconds)
        tag = b""
        try:
            if self._channel.is_full and not await self._find_room(len(pairs), limit):
                return None
            future: asyncio.Future[Outcome] = self._loop.create_future()
            tag = self._connection.ask_encoded(pairs, future)
            self._asked(len(pairs))
            if limit is not None:
                limit.waiting = future
            outcome = await future
        except asyncio.CancelledError:
            self._connection.abandon(tag)
            raise
        finally:
            if limit is not None:
                self._deadlines.stop(limit)
        if outcome is None:
            self._connection.abandon(tag)
        return outcome

    async def ask_many(self, all_pairs: Sequence[bytes], seconds: float | None) -> Sequence[Outcome]:
        """Ask all, and return how they ended, in the same order."""
        batch = Batch(self._loop, len(all_pairs))
        limit = None if seconds is None else self._deadlines.start(seconds)
        try:
            if await self._ask_each(batch, all_pairs, limit) and batch.missing:
                if limit is not None:
                    limit.waiting = batch.future
                await batch.future
        finally:
            if limit is not None:
                self._deadlines.stop(limit)
            if batch.missing:
                for tag in batch.tags:
                    self._connection.abandon(tag)
        return batch.outcomes

    async def _ask_each(self, batch: Batch, all_pairs: Sequence[bytes], limit: Limit | None) -> bool:
        """Queue all asks; return false if the time ran out on the way."""
        for index, pairs in enumerate(all_pairs):
            if self._channel.is_full and not await self._find_room(len(pairs), limit):
                return False
            try:
                batch.tags.append(self._connection.ask_encoded(pairs, Slot(batch, index)))
                self._asked(len(pairs))
            except AmpError as error:
                batch.take(index, Ended(self._connection.end_reason or error))
        return True

    async def tell(self, pairs: bytes, seconds: float | None) -> bool:
        """Tell, once there is room; return false if the time ran out. Raises ConnectionLost after the end."""
        if self._channel.is_full:
            limit = None if seconds is None else self._deadlines.start(seconds)
            try:
                if not await self._find_room(len(pairs), limit):
                    return False
            finally:
                if limit is not None:
                    self._deadlines.stop(limit)
        self._connection.tell_encoded(pairs)
        self._channel.flush_soon(len(pairs))
        return True

    def end(self) -> None:
        """Say that there will be no further ask."""
        self._deadlines.close()

    def _asked(self, size: int) -> None:
        """Let it be sent; and the answer may stand behind what is not being read."""
        self._channel.flush_soon(size)
        if not self._channel.is_reading:
            self._channel.pull_later()

    async def _find_room(self, size: int, limit: Limit | None) -> bool:
        """Wait for room; return false if the time ran out first."""
        self._hindered += 1
        try:
            self._channel.pull_later()
            room = self._channel.room(size)
            if limit is not None:
                limit.waiting = room
            await room
        finally:
            self._hindered -= 1
        return limit is None or not limit.expired
