"""STARTTLS on one connection, whichever end asks for it; the boundary is the core's, the handshake is the layer's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ampkit.asyncio.handshakes import AnyTls, Handshakes
from ampkit.asyncio.log import logger
from ampkit.asyncio.tls_layer import TlsLayer
from ampkit.core.conversation import START_TLS
from ampkit.core.events import ChangeRefused, TlsAgreed, TlsAsked
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, LocalProtocolError, TlsFailed
from ampkit.policy.dispatch import TLS_ERROR

if TYPE_CHECKING:
    from ampkit.asyncio.calls import Calls
    from ampkit.asyncio.channel import Channel
    from ampkit.asyncio.tls_transport import TlsTransport
    from ampkit.policy.options import Options


BREATH: Final = 0.05
"""Seconds between the answer to a StartTLS and the hello of TLS, where one end sends both: Twisted reads as boxes what
comes in one piece with the answer."""


@dataclass(frozen=True, slots=True)
class TlsPart:
    """The part that this end has in TLS, the same for all connections of a server. Who connects is the client."""

    is_server: bool = False
    handshakes: Handshakes | None = None
    """What this end agrees to; None refuses."""
    host: str | None = None
    """The name that a TLS client verifies."""


NO_TLS: Final = TlsPart()


class StartTls:
    """Secures a connection that is in use; `remote` is the address of the other end, for the log."""

    __slots__ = ("_asking", "_calls", "_channel", "_connection", "_options", "_outcome", "_part", "_remote")

    def __init__(self, channel: Channel, calls: Calls, options: Options, part: TlsPart, remote: str) -> None:
        self._part = part
        self._remote = remote
        self._channel = channel
        self._connection = channel.connection
        self._calls = calls
        self._options = options
        self._asking: Handshakes | None = None
        self._outcome: asyncio.Future[ChangeRefused | AmpError | None] | None = None

    async def start(self, tls: AnyTls | None) -> ChangeRefused | None:
        """Ask for TLS; return once the connection is secure, or how the other end refused."""
        asking = self._handshakes(tls)
        limit = asyncio.timeout(asking.timeout)
        try:
            async with limit:
                await self._calls.wait_for_room()
                self._ask(asking)
                outcome = await self._settled()
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._give_up(TlsFailed(f"no TLS within {asking.timeout} s", "timeout")) from None
        except asyncio.CancelledError:
            self._give_up(ConnectionLost("this end has given up STARTTLS"))
            raise
        if isinstance(outcome, AmpError):
            raise outcome
        return outcome

    def _handshakes(self, tls: AnyTls | None) -> Handshakes:
        if tls is not None:
            timeout = self._options.handshake_timeout
            return Handshakes(
                tls, server_side=self._part.is_server, host=self._part.host, timeout=timeout, from_first_byte=False
            )
        if self._part.handshakes is None:
            raise LocalProtocolError("start_tls needs a Tls; neither it nor the connection has one")
        return self._part.handshakes

    def _ask(self, asking: Handshakes) -> None:
        outcome = self._channel.loop.create_future()
        self._connection.ask_tls(outcome)
        self._asking, self._outcome = asking, outcome
        self._channel.hold()
        self._channel.flush()

    async def _settled(self) -> ChangeRefused | AmpError | None:
        assert self._outcome is not None  # noqa: S101 - narrows the type
        return await self._outcome

    def _give_up(self, reason: AmpError) -> AmpError:
        """End the connection, if the other end may have agreed to what nobody waits for."""
        if self._asking is not None:
            self._asking = None
            self._channel.fail(reason)
        return reason

    # What comes from the other end

    def asked(self, event: TlsAsked) -> None:
        """Agree, or refuse: without a Tls, this end does not know the command."""
        if self._part.handshakes is None:
            refusal = self._options.dispatch.unhandled(START_TLS)
            self._refuse(event.tag, refusal.code, refusal.description)
            return
        try:
            self._connection.agree_tls(event.tag)
        except LocalProtocolError as error:
            self._refuse(event.tag, TLS_ERROR, str(error).encode())
        else:
            self._begin(self._part.handshakes, b"", 0.0 if self._part.is_server else BREATH)

    def _refuse(self, tag: bytes, code: bytes, description: bytes) -> None:
        self._connection.refuse_tls(tag, code, description)
        self._channel.flush_soon(len(description))

    def agreed(self, _: TlsAgreed) -> None:
        """Begin the handshake, with what came for it already."""
        assert self._asking is not None  # noqa: S101 - who has asked and given up has no connection any more
        self._begin(self._asking, self._connection.begin_tls(tls_server=self._part.is_server))

    def refused(self, event: ChangeRefused) -> None:
        """Go on as before; what was to go over TLS is not sent without."""
        self._asking = None
        self._channel.release(TlsFailed("not sent: it was to go over TLS, which the other end refused", "refused"))
        self._settle(event)

    # The handshake

    def _begin(self, handshakes: Handshakes, received: bytes, pause: float = 0.0) -> None:
        channel = self._channel
        assert channel.transport is not None  # noqa: S101 - it has just brought an event
        channel.hold()
        channel.flush()
        layer = TlsLayer(channel, handshakes, opened=self._opened, failed=self._failed)
        layer.upgrade(channel.transport, received, pause)

    def _opened(self, transport: TlsTransport) -> None:
        self._asking = None
        self._channel.transport = transport
        self._connection.secured()
        self._channel.release(None)
        self._channel.flush()
        self._settle(None)

    def _failed(self, error: AmpError, _: asyncio.Transport) -> None:
        if self._connection.state is not State.CLOSED:
            if self._outcome is None:  # else whoever asked is told
                logger.warning("no TLS with %s: %s", self._remote, error)
            self._channel.end(error)

    def ended(self, reason: AmpError) -> None:
        """Tell whoever waits that the connection has ended."""
        self._asking = None
        self._settle(reason)

    def _settle(self, outcome: ChangeRefused | AmpError | None) -> None:
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)
        self._outcome = None
