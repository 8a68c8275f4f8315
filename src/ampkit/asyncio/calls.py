"""The asks of this end: one future each, with its time limit; knows boxes, but no command's fields."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ampkit.asyncio.channel import Channel
from ampkit.core.events import AnswerReceived, RefusalReceived
from ampkit.errors import AmpError, ConnectionLost, DeadlineExceeded


@dataclass(slots=True)
class Ended:
    """The outcome of an ask whose connection ended first."""

    reason: AmpError


@dataclass(slots=True)
class Expired:
    """The outcome of an ask whose time ran out first."""


Outcome: TypeAlias = AnswerReceived | RefusalReceived | Ended | Expired
"""How an ask ended. It is always a result, never an exception, of a future: so none is left unretrieved."""


class Timer:
    """Ends whatever its call waits for when the time has run out: first room to write, then the answer."""

    __slots__ = ("_handle", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.waiting: asyncio.Future[Any] | None = None
        self._handle = loop.call_later(max(seconds, 0), self._expire)

    def stop(self) -> None:
        """Let the call go on without a limit."""
        self._handle.cancel()

    def _expire(self) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(Expired())


class Batch:
    """Several asks that are awaited as one future."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self.future: asyncio.Future[Any] = loop.create_future()
        self.outcomes: list[Outcome] = [Expired()] * size
        self.tags: list[bytes] = []
        self._missing = size

    def take(self, index: int, outcome: Outcome) -> None:
        """Note how one ask ended; the last one ends the future."""
        self.outcomes[index] = outcome
        self._missing -= 1
        if not self._missing and not self.future.done():
            self.future.set_result(None)


class Slot:
    """The waiter of one ask of a batch; what it has in common with a future is all that a waiter needs."""

    __slots__ = ("_batch", "_index", "future")

    def __init__(self, batch: Batch, index: int) -> None:
        self.future = batch.future
        self._batch = batch
        self._index = index

    def done(self) -> bool:
        """Say whether nobody waits any more."""
        return self.future.done()

    def set_result(self, outcome: Outcome) -> None:
        """Take how the ask ended."""
        self._batch.take(self._index, outcome)


class Calls:
    """Queues asks on a channel and awaits how they end.

    Whoever awaits may be cancelled at any time: the ask is then abandoned, and a late answer dropped.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = channel.loop

    async def ask(self, pairs: bytes, seconds: float | None) -> Outcome:
        """Ask, and return how that ended. Raises ConnectionLost if the connection has ended before it."""
        channel = self._channel
        timer = None if seconds is None else Timer(self._loop, seconds)
        tag = b""
        try:
            if channel.is_full and (expired := await self._room(timer)):
                return expired
            future: asyncio.Future[Outcome] = self._loop.create_future()
            tag = channel.connection.ask_encoded(pairs, future)
            channel.asked(len(pairs))
            if timer is not None:
                timer.waiting = future
            outcome = await future
        except asyncio.CancelledError:
            channel.connection.abandon(tag)
            raise
        finally:
            if timer is not None:
                timer.stop()
        if outcome.__class__ is Expired:
            channel.connection.abandon(tag)
        return outcome

    async def ask_many(self, all_pairs: Sequence[bytes], seconds: float | None) -> Sequence[Outcome]:
        """Ask all, and return how they ended, in the same order."""
        batch = Batch(self._loop, len(all_pairs))
        timer = None if seconds is None else Timer(self._loop, seconds)
        try:
            if all_pairs and await self._ask_each(batch, all_pairs, timer):
                if timer is not None:
                    timer.waiting = batch.future
                await batch.future
        finally:
            if timer is not None:
                timer.stop()
            for tag in batch.tags:
                self._channel.connection.abandon(tag)
        return batch.outcomes

    async def _ask_each(self, batch: Batch, all_pairs: Sequence[bytes], timer: Timer | None) -> bool:
        """Queue all asks; return false if the time ran out on the way."""
        channel = self._channel
        for index, pairs in enumerate(all_pairs):
            if channel.is_full and await self._room(timer):
                return False
            try:
                batch.tags.append(channel.connection.ask_encoded(pairs, Slot(batch, index)))
                channel.asked(len(pairs))
            except AmpError as error:
                batch.take(index, Ended(error))
        return True

    def waiting(self) -> set[asyncio.Future[Any]]:
        """Return the futures of all asks that wait for an answer."""
        return {waiter.future if isinstance(waiter, Slot) else waiter for waiter in self._channel.connection.pending.values()}

    async def send(self, pairs: bytes) -> None:
        """Tell, once there is room. Raises ConnectionLost if the connection has ended."""
        if self._channel.is_full:
            await self._room(None)
        self._channel.connection.tell_encoded(pairs)
        self._channel.flush_soon(len(pairs))

    async def _room(self, timer: Timer | None) -> Expired | None:
        while self._channel.is_full:
            future = self._channel.room()
            if timer is not None:
                timer.waiting = future
            if isinstance(expired := await future, Expired):
                return expired
        return None
