"""Connections between their acceptance and the end of their TLS handshake: limited, logged, let go; knows no peer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast
from weakref import WeakSet

from ampkit.asyncio.address import Address, address_of
from ampkit.asyncio.handshakes import Handshakes
from ampkit.asyncio.log import logger
from ampkit.asyncio.tls_layer import TlsLayer
from ampkit.asyncio.tls_transport import TlsTransport
from ampkit.errors import AmpError


class Lobby:
    """Where those who come to a server wait until TLS knows who they are; at most so many at a time."""

    def __init__(self, handshakes: Handshakes, most: int) -> None:
        self._handshakes = handshakes
        self._most = most
        self._waiting = 0
        self._layers: WeakSet[TlsLayer] = WeakSet()

    def admit(self, protocol: asyncio.Protocol, address: Address) -> asyncio.Protocol:
        """Return the protocol for a new connection: behind it, `protocol` gets one that is secure."""
        if self._waiting >= self._most:
            return _TurnedAway()
        self._waiting += 1
        layer = TlsLayer(
            protocol, self._handshakes, opened=partial(self._opened, protocol), failed=partial(self._failed, address)
        )
        self._layers.add(layer)
        return layer

    def _opened(self, protocol: asyncio.Protocol, transport: TlsTransport) -> None:
        self._waiting -= 1
        protocol.connection_made(transport)

    def _failed(self, address: Address, error: AmpError, transport: asyncio.Transport) -> None:
        self._waiting -= 1
        log_failure(address, error, transport)

    def close(self) -> None:
        """Let all go who have not come in."""
        for layer in list(self._layers):
            layer.abort()


class _TurnedAway(asyncio.Protocol):
    """Has no time for whoever comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


def log_failure(address: Address, error: AmpError, transport: asyncio.Transport) -> None:
    """Log in one line with whom there is no TLS, and why; `address` is where it came to."""
    sock = transport.get_extra_info("socket")
    remote = address_of(sock.family, transport.get_extra_info("peername"), address) if sock is not None else address
    logger.warning("no TLS with %s: %s", remote, error)
