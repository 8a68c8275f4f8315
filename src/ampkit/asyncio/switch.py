"""This end asks to switch to another protocol; once that is agreed, nothing here looks at a byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, cast

from ampkit.asyncio.outcome import Ended
from ampkit.core.events import ChangeRefused, SwitchAgreed
from ampkit.errors import AmpError, ConnectionLost, DeadlineExceeded

if TYPE_CHECKING:
    from ampkit.asyncio.calls import Calls
    from ampkit.asyncio.channel import Channel

Outcome: TypeAlias = asyncio.Transport | ChangeRefused | Ended | Exception


class Switching:
    """Gives a connection to a protocol of the program's, if the other end agrees."""

    __slots__ = ("_calls", "_channel", "_connection", "_make")

    def __init__(self, channel: Channel, calls: Calls) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._calls = calls
        self._make: Callable[[], asyncio.Protocol] | None = None

    @property
    def is_asking(self) -> bool:
        """Whether the other end has not decided yet."""
        return self._make is not None

    async def ask(
        self, pairs: bytes, make: Callable[[], asyncio.Protocol], seconds: float | None
    ) -> asyncio.Transport | ChangeRefused | Ended:
        """Ask; return the transport that is the protocol's now, or how the other end refused, or why none answered.

        The protocol is made when the other end has agreed. If the time runs out, or whoever waits is cancelled, the
        connection is closed: the other end may have switched.
        """
        outcome: asyncio.Future[Outcome] = self._channel.loop.create_future()
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await self._calls.wait_for_room()
                self._connection.ask_switch(pairs, outcome)
                self._make = make
                self._channel.flush()
                result = await outcome
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._give_up(DeadlineExceeded("the other end has not said in time whether it switches")) from None
        except asyncio.CancelledError:
            self._give_up(ConnectionLost("this end has given up to switch"))
            raise
        if isinstance(result, Exception):
            raise result
        return result

    def _give_up(self, reason: AmpError) -> AmpError:
        if self._make is not None:
            self._make = None
            self._channel.fail(reason)
        return reason

    def agreed(self, event: SwitchAgreed) -> None:
        """Give the connection to the protocol of this end."""
        rest = self._connection.switch()
        make, self._make = self._make, None
        assert make is not None  # noqa: S101 - who has given up has no connection any more
        try:
            protocol = make()
        except Exception as error:  # noqa: BLE001 - the program's own code failed, and nobody else can take over
            event.waiter.set_result(error)
            self._channel.fail(ConnectionLost("the protocol to switch to could not be made"))
            return
        event.waiter.set_result(self._channel.transport)
        self._channel.hand_over(protocol, rest)

    def refused(self, event: ChangeRefused) -> None:
        """Go on as before."""
        self._make = None
        event.waiter.set_result(event)
        self._channel.flush_soon(0)


def stream_protocol(connected: object = None) -> asyncio.StreamReaderProtocol:
    """Return a protocol that is read as a stream; `connected`, if given, is called with reader and writer."""
    callback = cast("Callable[[asyncio.StreamReader, asyncio.StreamWriter], None] | None", connected)
    return asyncio.StreamReaderProtocol(asyncio.StreamReader(), callback)
