"""How a program connects: an address becomes an open peer; accepts no connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, overload

from ampkit.asyncio.address import Address, TcpAddress, TlsAddress, UnixAddress, host_of, parse_address
from ampkit.asyncio.child import Child
from ampkit.asyncio.dialling import open_transport
from ampkit.asyncio.handshakes import AnyTls, Handshakes
from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.reconnect import ReconnectingPeer
from ampkit.asyncio.sockets import InheritedSocket, OpenSocket, SystemdSockets
from ampkit.asyncio.starttls import TlsPart
from ampkit.asyncio.stdio import StdioAddress
from ampkit.asyncio.tls import Tls
from ampkit.asyncio.tls_layer import TlsLayer
from ampkit.errors import AmpError, ConnectionFailed, LocalProtocolError, TlsFailed
from ampkit.policy.backoff import Backoff
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits


@overload
def connect(
    address: str | Child | socket.socket,
    service: Services = ...,
    *,
    tls: AnyTls | None = ...,
    limits: Limits = ...,
    options: Options = ...,
    reconnect: None = ...,
) -> Opening[Peer]: ...
@overload
def connect(
    address: str | Child | socket.socket,
    service: Services = ...,
    *,
    tls: AnyTls | None = ...,
    limits: Limits = ...,
    options: Options = ...,
    reconnect: Backoff,
) -> Opening[ReconnectingPeer]: ...
def connect(
    address: str | Child | socket.socket,
    service: Services = None,
    *,
    tls: AnyTls | None = None,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
    reconnect: Backoff | None = None,
) -> Opening[Peer] | Opening[ReconnectingPeer]:
    """Connect to `tcp://host:port`, `tls://host:port`, `unix:///path`, `memory://name`, or `exec:program argument`.

    `async with connect(address) as peer:` closes the connection at the end of the block;
    `peer = await connect(address)` leaves that to you. A service, or several, answers what the other end asks.
    A host name with several IP addresses is tried one after the other. `tls` is for `tls://`, where the default
    trusts the system's authorities; elsewhere it is for STARTTLS, see `Peer.start_tls`. The words behind `exec:` are
    split as in a shell, but run by none; a `Child` says more. The child process ends with the connection. A connected
    stream socket, as an object or as `fd://3`, is taken over.

    With `reconnect` the peer comes back when its connection ends; awaited, it is connected for the first time, for
    which it tries as long as `Backoff` says.

    Raises LocalProtocolError for an address that cannot be read or connected to and for files of `tls` that cannot
    be used, TypeError for services that cannot be joined, all at once; awaited, ConnectionFailed if the address
    cannot be reached within `Options.connect_timeout` seconds, a TlsFailed if either end does not trust the other.
    """
    open_peer = opener(address, service, tls=tls, limits=limits, options=options)
    if reconnect is None:
        return Opening(open_peer)
    if isinstance(parse_address(address), OpenSocket | InheritedSocket | StdioAddress):
        raise LocalProtocolError(f"{address} is open and cannot be connected to again: leave out `reconnect`")
    return Opening(lambda: ReconnectingPeer(str(address), open_peer, reconnect, options).open())


def opener(
    address: str | Child | socket.socket, service: Services, *, tls: AnyTls | None, limits: Limits, options: Options
) -> Callable[[], Coroutine[Any, Any, Peer]]:
    """Return what connects to an address, each time that it is called; checked as `connect` does."""
    parsed = parse_address(address)
    if isinstance(parsed, TcpAddress) and not (parsed.host and parsed.port):
        raise LocalProtocolError(f"cannot connect to {address}: a host and a port are needed")
    if isinstance(parsed, SystemdSockets) or (isinstance(parsed, UnixAddress) and parsed.mode is not None):
        raise LocalProtocolError(f"cannot connect to {address}: this is for those who serve")
    handshakes = _handshakes(parsed, tls, options)
    responders = Responders(service)
    if responders.carries:
        options = replace(options, descriptors=True)
    return lambda: _connect(parsed, responders, handshakes, limits, options)


def _handshakes(address: Address, tls: AnyTls | None, options: Options) -> Handshakes | None:
    """Return how this end shakes hands: always as the TLS client, whoever asks for it."""
    from_first_byte = isinstance(address, TlsAddress)
    if tls is None and not from_first_byte:
        return None
    host, timeout = host_of(address), options.handshake_timeout
    return Handshakes(tls or Tls(), server_side=False, host=host, timeout=timeout, from_first_byte=from_first_byte)


async def _connect(
    address: Address, responders: Responders, handshakes: Handshakes | None, limits: Limits, options: Options
) -> Peer:
    peer = unconnected_peer(lambda _: responders, address, limits=limits, options=options)
    peer.tls_part = TlsPart(handshakes=handshakes, host=host_of(address))
    limit = asyncio.timeout(options.connect_timeout)
    try:
        async with limit:
            if isinstance(address, TlsAddress) and handshakes is not None:
                await _open_secure(address, peer.channel, handshakes, options)
            else:
                await open_transport(address, peer.channel, options)
    except (OSError, UnicodeError) as error:  # the latter for a name that is no host name
        if isinstance(error, TlsFailed):
            raise TlsFailed(f"cannot connect to {address}: {error}", error.fault) from error
        if isinstance(error, ConnectionFailed):
            raise
        why = f"not within {options.connect_timeout} s" if limit.expired() else error
        raise ConnectionFailed(f"cannot connect to {address}: {why}") from error
    return peer


async def _open_secure(
    address: TlsAddress, protocol: asyncio.Protocol, handshakes: Handshakes, options: Options
) -> None:
    """Connect, and return when the protocol has its secure transport."""
    outcome: asyncio.Future[AmpError | None] = asyncio.get_running_loop().create_future()

    def opened(transport: asyncio.Transport) -> None:
        protocol.connection_made(transport)
        outcome.set_result(None)

    def failed(error: AmpError, _: asyncio.Transport) -> None:
        if not outcome.done():
            outcome.set_result(error)

    layer = TlsLayer(protocol, handshakes, opened=opened, failed=failed)
    await open_transport(address, layer, options)
    try:
        failure = await outcome
    except asyncio.CancelledError:
        layer.abort()
        raise
    if failure is not None:
        raise failure
