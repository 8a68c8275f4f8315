"""The asks of this end: one future each, or one for many, and their time limits; knows no command's fields."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from ampkit.asyncio.ambient import TURN, Turn
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.credit import ASK_OVERHEAD, Credit
from ampkit.asyncio.deadlines import Deadlines, Limit
from ampkit.asyncio.extending import Extending, Notice
from ampkit.asyncio.outcome import Ended, Outcome
from ampkit.asyncio.unsent import Unsent
from ampkit.core.tagged import Pairs
from ampkit.errors import AmpError
from ampkit.policy.extensions import timeout_pair
from ampkit.speed import fields, twin

T = TypeVar("T")

Begin: TypeAlias = "Callable[[Batch, Sequence[Pairs], bytes], int]"
"""Queues asks of a batch, given their pairs and the one of the time limit; returns how many."""


if TYPE_CHECKING:
    from ampkit.speed import Fields as BatchFields
else:
    BatchFields = fields("BatchFields", "future", "outcomes", "tags", "missing")


class Batch(BatchFields):
    """Several asks that are awaited as one future."""

    __slots__ = ()

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


class Place:
    """The waiter of one ask of a batch; what it has in common with a future is all that a waiter needs."""

    __slots__ = ("_batch", "_credit", "_index", "_size", "future")

    def __init__(self, batch: Batch, index: int, credit: Credit, size: int) -> None:
        self.future = batch.future
        self._batch = batch
        self._index = index
        self._credit = credit
        self._size = size

    def done(self) -> bool:
        """Whether nothing is to be done when the ask has ended: it has credit to give back, whoever still waits."""
        return False

    def set_result(self, outcome: Outcome) -> None:
        """Take how the ask ended."""
        self.give_back()
        self._batch.take(self._index, outcome)

    def give_back(self) -> None:
        """Let other asks be sent in place of this one."""
        self._credit.give_back(self._size)


_PLACES: Final = (Place, twin("Place", Place))
_expected: Final[Any] = twin("Expected", None)


class Calls:
    """Queues asks on a channel and awaits how they end.

    Whoever awaits may be cancelled at any time: the other end is told, and a late answer dropped.
    """

    __slots__ = ("_channel", "_connection", "_extending", "_loop", "credit", "deadlines", "told")

    def __init__(self, channel: Channel, extending: Extending, max_waiting_bytes: int) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._extending = extending
        self._loop = channel.loop
        self.deadlines = Deadlines(channel.loop)
        self.credit = Credit(channel.loop, max_waiting_bytes)
        self.told = 0
        """Commands sent that want no answer."""

    def waiting(self) -> asyncio.Future[Any] | None:
        """Return a future that some ask of the program waits for; None if there is no ask."""
        asked = (waiter for waiter in self._connection.pending.values() if not isinstance(waiter, Notice))
        waiter: Any = next(asked, None) or self.credit.waiting() or self._channel.waiting_for_room()
        future: asyncio.Future[Any] | None = getattr(waiter, "future", waiter)
        return future

    async def ask(self, pairs: Pairs, seconds: float | None, plan: Any = None) -> Any:
        """Ask, and return how that ended: an Outcome, or with a plan of the compiled module the response itself.

        Raises ConnectionLost if the connection has ended before it.
        """
        if seconds is not None and seconds <= 0:
            return None
        size, turn = len(pairs) + ASK_OVERHEAD, self._turn()
        credit = self.credit if turn is None else self._credit_for(turn, size)
        future: asyncio.Future[Outcome] = self._loop.create_future()
        waiter = future if plan is None else _expected(plan, future)
        limit = None
        if seconds is not None:
            limit = self.deadlines.start(seconds)
            limit.waiting = future
        tag, has_credit, unsent = b"", False, None
        try:
            if credit.taken + size <= credit.free_below and not self._channel.is_full:
                credit.taken += size
                has_credit = True
                tag = self._send(pairs, waiter, limit, turn)
            else:
                unsent = Unsent(self._channel, credit, size, future, partial(self._send, pairs, waiter, limit, turn))
                unsent.begin()
            outcome = await future
        except asyncio.CancelledError:
            self.cancel(tag if unsent is None else unsent.tag)
            raise
        finally:
            if unsent is not None:
                unsent.leave()
                tag, has_credit = unsent.tag, unsent.has_credit
            if has_credit:
                credit.give_back(size)
            if limit is not None:
                self.deadlines.stop(limit)
            if turn is not None and tag:
                turn.calls -= 1
        if outcome is None:
            self._connection.abandon(tag)
        return outcome

    def _send(self, pairs: Pairs, waiter: Any, limit: Limit | None, turn: Turn | None) -> bytes:
        """Queue an ask, and return its tag; the answer may stand behind what is not being read."""
        size = len(pairs) + ASK_OVERHEAD
        if limit is not None:
            pairs += self.timeout_pair(limit)
        tag = self._connection.ask_encoded(pairs, waiter)
        self._channel.flush_soon(size)
        if turn is not None:  # which may make this end stuck: then what waits for a turn is refused
            turn.calls += 1
            self._channel.pull_soon()
        elif not self._channel.is_reading:
            self._channel.pull_soon()
        return tag

    async def ask_many(
        self, all_pairs: Sequence[Pairs], seconds: float | None, begin: Begin | None = None
    ) -> Sequence[Any]:
        """Ask all, and return how they ended, in the same order: an Outcome each.

        `begin`, if it is given, queues those at the beginning that need not wait, and says how many they are; the
        outcome of those may be a response that is decoded already.
        """
        batch = Batch(self._loop, len(all_pairs))
        if seconds is not None and seconds <= 0:
            return batch.outcomes
        limit = None if seconds is None else self.deadlines.start(seconds)
        try:
            if await self._ask_each(batch, all_pairs, limit, begin) and batch.missing:
                if limit is not None:
                    limit.waiting = batch.future
                turn = self._turn()
                await (batch.future if turn is None else self._awaited(batch.future, turn))
        except asyncio.CancelledError:
            for tag in batch.tags:
                self.cancel(tag)
            raise
        finally:
            if limit is not None:
                self.deadlines.stop(limit)
            if batch.missing:
                for tag in batch.tags:
                    self._give_up(tag)
        return batch.outcomes

    async def _ask_each(
        self, batch: Batch, all_pairs: Sequence[Pairs], limit: Limit | None, begin: Begin | None
    ) -> bool:
        """Queue all asks; return false if the time ran out on the way."""
        timeout = b"" if limit is None else self.timeout_pair(limit)
        turn = self._turn()
        first = 0 if begin is None else begin(batch, all_pairs, timeout)
        for index in range(first, len(all_pairs)):
            pairs = all_pairs[index]
            size = len(pairs) + ASK_OVERHEAD
            credit = self.credit if turn is None else self._credit_for(turn, size)
            if not credit.take_now(size) and not await self._hindering(credit.take(size, limit)):
                return False
            place = Place(batch, index, credit, size)
            try:
                if self._channel.is_full and not await self._hindering(self._find_room(size, limit)):
                    credit.give_back(size)
                    return False
                batch.tags.append(self._connection.ask_encoded(pairs + timeout, place))
            except AmpError as error:
                place.set_result(Ended(self._connection.end_reason or error))
            else:
                self._asked(size)
        return True

    async def tell(self, pairs: Pairs, seconds: float | None) -> bool:
        """Tell, once there is room; return false if the time ran out. Raises ConnectionLost after the end."""
        if self._channel.is_full:
            limit = None if seconds is None else self.deadlines.start(seconds)
            try:
                if not await self._hindering(self._find_room(len(pairs), limit)):
                    return False
            finally:
                if limit is not None:
                    self.deadlines.stop(limit)
        self._connection.tell_encoded(pairs)
        self.told += 1
        self._channel.flush_soon(len(pairs))
        return True

    async def wait_for_room(self) -> None:
        """Wait until there is room, behind all who wait for it already."""
        if self._channel.is_full:
            await self._hindering(self._find_room(0, None))

    @property
    def is_drained(self) -> bool:
        """Whether `drain` was called, and the connection has not ended."""
        return self.credit.is_withdrawn

    def drain(self) -> None:
        """Send no further ask: NotSent is what they get."""
        self.credit.withdraw()

    def end(self) -> None:
        """Say that there will be no further ask."""
        self.deadlines.close()
        self.credit.close()

    def _asked(self, size: int) -> None:
        """Let it be sent; and the answer may stand behind what is not being read."""
        self._channel.flush_soon(size)
        if not self._channel.is_reading:
            self._channel.pull_soon()

    async def _awaited(self, future: asyncio.Future[T], turn: Turn) -> T:
        """Await an answer on behalf of a responder: if that makes this end stuck, what waits for a turn is refused."""
        turn.calls += 1
        try:
            self._channel.pull_soon()
            return await future
        finally:
            turn.calls -= 1

    def cancel(self, tag: bytes) -> None:
        """Wait no more for an ask, and tell the other end if it does not know that yet."""
        if self._give_up(tag):
            self._extending.cancel(tag)

    def _give_up(self, tag: bytes) -> bool:
        """Wait no more for an ask; return false if it has ended."""
        waiter = self._connection.abandon(tag)
        if isinstance(waiter, _PLACES):
            waiter.give_back()
        return waiter is not None

    def timeout_pair(self, limit: Limit) -> bytes:
        """Return the pair of an ask that tells the other end of its limit; nothing if it is not told such things."""
        return timeout_pair(limit.left(self._loop.time())) if self._extending.enabled else b""

    def _turn(self) -> Turn | None:
        """Return the responder on whose behalf this end asks, if it was asked here."""
        turn = TURN.get()
        return turn if turn is not None and turn.connection is self._connection else None

    def _credit_for(self, turn: Turn, size: int) -> Credit:
        """Return what to take: if too little is left, the responder's own, as those who have all may wait for it."""
        credit = self.credit
        if credit.taken + size <= credit.free_below or credit.is_withdrawn:
            return credit
        if turn.credit is None:
            turn.credit = credit.another()
        return turn.credit

    async def _hindering(self, waiting: Coroutine[Any, Any, bool]) -> bool:
        """Await what an ask has to wait for before it is sent; what it waits for may stand behind what is not read."""
        self._channel.hindered += 1
        try:
            if not self._channel.is_reading:
                self._channel.pull_soon()
            return await waiting
        finally:
            self._channel.hindered -= 1

    async def _find_room(self, size: int, limit: Limit | None) -> bool:
        """Wait for room; return false if the time ran out first."""
        room = self._channel.room(size)
        if limit is not None:
            limit.waiting = room
        refused = await room
        if refused is not None:
            raise refused
        return limit is None or not limit.expired
