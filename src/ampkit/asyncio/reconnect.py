"""A connection that comes back: one peer after another to the same address; decides no wait and repeats no call."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Self

from ampkit.asyncio.indirect import Indirect
from ampkit.asyncio.log import logger
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.presence import Presence
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionFailed, ConnectionLost, NotSent
from ampkit.policy.backoff import Backoff
from ampkit.policy.options import Options
from ampkit.wire.text import printable


class ReconnectingPeer(Indirect):
    """The other end of one connection after another: `connect(address, reconnect=Backoff())` makes it.

    When a connection ends, or the other end says that it will end it, another one is made, and a service serves on
    each; what is under way on the old one has its time to end. Calls wait while there is none, or
    fail at once with `Options.fail_fast`. What was told to the other end over an earlier connection, it may have
    forgotten: `changes` says when to tell it again.
    """

    def __init__(
        self, address: str, open_peer: Callable[[], Coroutine[Any, Any, Peer]], backoff: Backoff, options: Options
    ) -> None:
        super().__init__(options)
        self._address = address
        self._open_peer = open_peer
        self._backoff = backoff
        self._peer: Peer | None = None
        self._leaving: set[Peer] = set()
        self._reason: AmpError | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def open(self) -> Self:
        """Connect; returns when there is a connection, and tries as long as `Backoff` says.

        Raises the ConnectionFailed of the last attempt.
        """
        self.start()
        try:
            await self.wait_for(Presence.CONNECTED)
        except BaseException:
            await self.close()
            raise
        return self

    def start(self) -> None:
        """Begin to connect, once."""
        # In an empty context: if a responder begins this, its deadline is not that of the connections.
        self._keeper = asyncio.get_running_loop().create_task(self._keep_connected(), context=Context())

    # The connection of the moment

    @property
    def peer(self) -> Peer | None:
        """The connection of this moment; None if there is none."""
        return self._peer

    @property
    def address(self) -> str:
        """Where it connects to, as a URL."""
        return self._address

    @property
    def end_reason(self) -> AmpError | None:
        """Why the last connection ended, or could not be made; None if nothing has gone wrong yet."""
        return self._reason

    # The end

    async def close(self, grace: float = 0.0) -> None:
        """Close for good: the connection as `Peer.close` does, and make no further one.

        Calls that wait for a connection raise NotSent.
        """
        await self.close_for(asyncio.current_task(), grace)

    async def close_for(self, closer: asyncio.Task[Any] | None, grace: float) -> None:
        """Close on behalf of a task: if it is a responder of a connection, it is not waited for."""
        self.board.become(Presence.CLOSED)
        try:
            if self._keeper is not None:
                self._keeper.cancel()
                await asyncio.wait([self._keeper])
            await asyncio.gather(*(peer.closing.close(grace, closer) for peer in self._peers()))
        except BaseException:
            for peer in self._peers():
                peer.closing.end()
            raise
        finally:
            self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until it is closed for good, by `close` or because there were too many failures."""
        await self._closed.wait()

    def __repr__(self) -> str:
        return f"<ReconnectingPeer {self._address} {self.presence.value}>"

    # Inside

    def _find(self, count: int) -> Peer | None:  # noqa: ARG002 - one peer is asked any number of things
        peer = self._peer
        if peer is not None and peer.state is State.OPEN and not peer.is_draining:
            return peer
        if self._options.fail_fast or self.board.now is Presence.CLOSED:
            raise self._absent()
        return None

    def _peers(self) -> list[Peer]:
        """Return all connections that there are."""
        return [*self._leaving, self._peer] if self._peer else [*self._leaving]

    def _absent(self) -> NotSent:
        why = self._reason or ("it was closed" if self.board.now is Presence.CLOSED else "not yet")
        error = NotSent(f"no connection to {self._address}: {why}")
        error.__cause__ = self._reason
        return error

    async def _keep_connected(self) -> None:
        failures = 0
        wait: float | None = 0.0
        while wait is not None:
            await asyncio.sleep(wait)
            try:
                peer = await self._open_peer()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next attempt may do better
                failures += 1
                self._failed(error, failures)
            else:
                failures = self._backoff.failures_after(failures, await self._stay(peer))
            wait = self._backoff.wait(failures, random.random())  # noqa: S311 - it spreads load and hides nothing
        logger.warning("gave up %s after %d failures", self._address, failures)
        self.board.become(Presence.CLOSED)
        self._closed.set()

    def _failed(self, error: Exception, failures: int) -> None:
        if isinstance(error, AmpError):
            self._reason = error
        else:
            self._reason = ConnectionFailed(f"cannot connect to {self._address}: {error}")
            self._reason.__cause__ = error
        if failures == 1:  # the others of the row say the same
            logger.warning("%s; it is tried again", _shown(self._reason))

    async def _stay(self, peer: Peer) -> float:
        """Be connected until the connection ends or the other end drains, and return how long that was."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        over: asyncio.Future[None] = loop.create_future()
        peer.on_draining = lambda: _end(over)
        peer.channel.closed.add_done_callback(lambda _: _end(over))
        self._peer = peer
        self.board.become(Presence.CONNECTED)
        await over
        self._peer = None
        self._reason = peer.end_reason or ConnectionLost("the other end will close the connection")
        if peer.is_draining:
            self._leaving.add(peer)
            peer.channel.closed.add_done_callback(lambda _: self._leaving.discard(peer))
        self.board.become(Presence.WAITING)
        logger.warning("lost %s: %s", self._address, _shown(self._reason))
        return loop.time() - began


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _shown(error: AmpError) -> str:
    return printable(str(error).encode("utf-8", "backslashreplace"), 500)
