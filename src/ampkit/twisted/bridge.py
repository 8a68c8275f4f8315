"""Where asyncio and Twisted meet: a Twisted protocol on an asyncio transport, and an ampkit peer for its other end.

The event loop may be a Twisted reactor's, as with the asyncio reactor, or any other: nothing here needs a reactor.
Deferreds become futures, and back, by Twisted's own `Deferred.asFuture` and `Deferred.fromFuture`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import Any, Final, cast

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.asyncio.address import MemoryAddress
from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.memory import connect_pair
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

_log: Final = Logger()


def connect(
    protocol: Protocol, service: Services = None, *, limits: Limits = DEFAULT_LIMITS, options: Options = DEFAULT_OPTIONS
) -> Opening[Peer]:
    """Connect to a Twisted protocol of this process, without a socket.

    `async with connect(Calculator()) as peer:` closes the connection at the end of the block;
    `peer = await connect(Calculator())` leaves that to you. The peer calls the protocol's responders; what the
    protocol asks by `callRemote`, the service answers. Raises TypeError, at once, for services that cannot be joined.
    """
    responders = Responders(service)

    async def open_pair() -> Peer:
        address = MemoryAddress(type(protocol).__name__)
        peer = unconnected_peer(lambda _: responders, address, limits=limits, options=options)
        connect_pair(peer.channel.loop, peer.channel, OnAsyncio(protocol), address)
        return peer

    return Opening(open_pair)


class OnAsyncio(asyncio.Protocol):
    """A Twisted protocol as `loop.create_connection`, `loop.create_server` and their like want one.

    Its transport can neither start TLS nor send descriptors: for these it takes a transport of Twisted's.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol: Any = protocol  # Twisted's base class is not annotated
        self._reason: Failure | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self._protocol.makeConnection(TwistedTransport(self._transport))

    def data_received(self, data: bytes) -> None:
        """Give the protocol bytes. If it raises, that is logged and ends the connection, as a reactor would do."""
        try:
            self._protocol.dataReceived(data)
        except Exception:  # noqa: BLE001 - whatever it is, the loop has to go on
            self._reason = Failure()
            _log.failure("Unhandled error in dataReceived", self._reason)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with the reason that Twisted has for it."""
        lost = ConnectionDone() if exc is None else ConnectionLost(str(exc))
        self._protocol.connectionLost(self._reason or Failure(lost))


@implementer(ITransport)
class TwistedTransport:
    """An asyncio transport by the names that Twisted protocols use."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    @property
    def disconnecting(self) -> bool:
        """Whether the connection is closing or closed."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send bytes; dropped once the connection is closing."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes, one behind the other."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close when all is sent."""
        self._transport.close()

    def abortConnection(self) -> None:
        """Close at once."""
        self._transport.abort()

    def pauseProducing(self) -> None:
        """Receive nothing until `resumeProducing`."""
        self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    def stopProducing(self) -> None:
        """Close."""
        self._transport.close()

    def getPeer(self) -> Any:
        """Return the address of the other end; one without a name for a connection in memory."""
        return _address(self._transport.get_extra_info("peername"))

    def getHost(self) -> Any:
        """Return the address of this end; one without a name for a connection in memory."""
        return _address(self._transport.get_extra_info("sockname"))


def _address(name: Any) -> Any:
    if isinstance(name, tuple):
        return IPv6Address("TCP", *name) if len(name) == 4 else IPv4Address("TCP", *name)
    return UNIXAddress(os.fsencode(name) if name else None)
