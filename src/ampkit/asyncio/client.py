"""How a program connects: an address becomes an open peer; accepts no connections."""

from __future__ import annotations

import asyncio

from ampkit.asyncio.address import Address, TcpAddress, UnixAddress, parse_address
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.memory import connect_memory
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.errors import ConnectionFailed, LocalProtocolError
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits


def connect(
    address: str, service: Services = None, *, limits: Limits = DEFAULT_LIMITS, options: Options = DEFAULT_OPTIONS
) -> Opening[Peer]:
    """Connect to `tcp://host:port`, `unix:///path` or `memory://name`.

    `async with connect(address) as peer:` closes the connection at the end of the block;
    `peer = await connect(address)` leaves that to you. A service, or several, answers what the other end asks.
    A host name with several IP addresses is tried one after the other.

    Raises LocalProtocolError for an address that cannot be read or connected to, TypeError for services that
    cannot be joined, both at once; awaited, ConnectionFailed if the address cannot be reached within
    `Options.connect_timeout` seconds.
    """
    parsed = parse_address(address)
    if isinstance(parsed, TcpAddress) and not (parsed.host and parsed.port):
        raise LocalProtocolError(f"cannot connect to {address}: a host and a port are needed")
    responders = Responders(service)
    return Opening(lambda: _connect(parsed, responders, limits, options))


async def _connect(address: Address, responders: Responders, limits: Limits, options: Options) -> Peer:
    peer = unconnected_peer(lambda _: responders, address, limits=limits, options=options)
    limit = asyncio.timeout(options.connect_timeout)
    try:
        async with limit:
            await _open(address, peer.channel)
    except (OSError, UnicodeError) as error:  # the latter for a name that is no host name
        if isinstance(error, ConnectionFailed):
            raise
        why = f"not within {options.connect_timeout} s" if limit.expired() else error
        raise ConnectionFailed(f"cannot connect to {address}: {why}") from error
    return peer


async def _open(address: Address, channel: Channel) -> None:
    loop = channel.loop
    if isinstance(address, TcpAddress):
        await loop.create_connection(lambda: channel, address.host, address.port)
    elif isinstance(address, UnixAddress):
        await loop.create_unix_connection(lambda: channel, address.path)
    else:
        connect_memory(loop, address, channel)
