"""The orderly end of one connection: what may still end, for how long, and who is waited for; moves no bytes."""

from __future__ import annotations

import asyncio
from typing import Any

from ampkit.asyncio.answering import Answering
from ampkit.asyncio.calls import Calls
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.extending import Extending
from ampkit.errors import ConnectionLost
from ampkit.policy.extensions import DRAIN


class Closing:
    """Closes a connection, as often and by as many at a time as may be."""

    __slots__ = ("_announced", "_answering", "_calls", "_channel", "_extending", "_timeout")

    def __init__(
        self, channel: Channel, calls: Calls, answering: Answering, extending: Extending, timeout: float
    ) -> None:
        self._channel = channel
        self._extending = extending
        self._announced: asyncio.Future[None] | None = None
        self._calls = calls
        self._answering = answering
        self._timeout = timeout

    async def close(self, grace: float, closer: asyncio.Task[Any] | None) -> None:
        """Close on behalf of a task: if it is a responder of this connection, it is not waited for."""
        with self._answering.sparing(closer):
            if grace > 0:
                self._announce()
            self._channel.connection.close()
            in_peace = False
            try:
                await self._settle(grace)
                in_peace = grace > 0
            finally:
                self.end(in_peace)
            await self._wait_for_responders(closer)
            await asyncio.shield(self._channel.closed)

    def _announce(self) -> None:
        """Tell the other end, once: what it asked before it knew is read when it answers, and it asks nothing more.

        Every AMP peer answers; one that does not within `close_timeout` is not waited for.
        """
        if self._announced is None:
            announced = self._announced = self._channel.loop.create_future()
            timer = self._channel.loop.call_later(self._timeout, _end, announced)
            announced.add_done_callback(lambda _: timer.cancel())
            if not self._extending.notify(DRAIN, ended=lambda _: _end(announced)):
                _end(announced)

    async def _settle(self, grace: float) -> None:
        """Wait at most `grace` seconds until nothing is under way in either direction, or the connection is closed."""
        loop, closed = self._channel.loop, self._channel.closed
        deadline = loop.time() + grace
        while (waiting := self._under_way()) is not None and not closed.done() and (left := deadline - loop.time()) > 0:
            await asyncio.wait({waiting, closed}, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    def running_responder(self) -> asyncio.Future[Any] | None:
        """Return any one responder that has not ended."""
        return next(iter(self._answering.tasks()), None)

    def _under_way(self) -> asyncio.Future[Any] | None:
        """Return any one thing that is under way."""
        if self._announced is not None and not self._announced.done():
            return self._announced
        return next(self._answering.running(), None) or self._calls.waiting()

    def end(self, in_peace: bool = False) -> None:
        """Close without waiting for anything; `in_peace` if the other end is to take all that was written."""
        reason = ConnectionLost("this end closed the connection")
        end = self._channel.finish if in_peace else self._channel.close
        end(reason, self._timeout)
        self._answering.cancel()

    async def _wait_for_responders(self, closer: asyncio.Task[Any] | None) -> None:
        """Wait for all of them; but responders that close do not wait for one another, or they would for ever."""
        everyone = set(self._answering.tasks())
        running = set(self._answering.running()) if closer in everyone else everyone
        if running:
            _, left = await asyncio.wait(running, timeout=self._timeout)
            if left:
                self._answering.log.still_running(len(left))


def _end(announced: asyncio.Future[None]) -> None:
    if not announced.done():
        announced.set_result(None)
