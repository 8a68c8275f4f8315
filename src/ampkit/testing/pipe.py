"""Two asyncio peers of one program, joined in memory or over an address; knows nothing of what they say.

    async with peer_pair(Calculator(), None) as (server, client):
        assert await client.call(Sum(a=13, b=81)) == Total(total=94)

Both peers are closed, and nothing of them runs any more, at the end of the block.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ampkit.asyncio.address import MemoryAddress
from ampkit.asyncio.client import connect
from ampkit.asyncio.handshakes import AnyTls
from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.memory import connect_pair
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.server import serve
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Services
from ampkit.testing.trouble import Trouble
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

NOWHERE = MemoryAddress("test")
"""The address of peers that were joined without one."""


@asynccontextmanager
async def peer_pair(
    left_service: Services = None,
    right_service: Services = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
    trouble: Trouble | None = None,
) -> AsyncGenerator[tuple[Peer, Peer], None]:
    """Join two peers in memory, without a name and a socket, for the length of the block; then close both.

    Each answers with its own service what the other asks. With `trouble` the bytes between them come in
    pieces, late, and perhaps not to the end.
    """
    left, right = make_peer(left_service, limits, options), make_peer(right_service, limits, options)
    join = connect_pair if trouble is None else trouble.connect_pair
    join(asyncio.get_running_loop(), left.channel, right.channel, NOWHERE)
    try:
        yield left, right
    finally:
        await asyncio.gather(left.close(), right.close())


@asynccontextmanager
async def served_pair(
    address: str,
    left_service: Services = None,
    right_service: Services = None,
    *,
    left_tls: AnyTls | None = None,
    right_tls: AnyTls | None = None,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
) -> AsyncGenerator[tuple[Peer, Peer], None]:
    """Join two peers over a real address, for the length of the block: the right one serves, the left one connects.

    `tcp://127.0.0.1:0` takes any free port. Each end has its own TLS, for `tls://` and STARTTLS. Raises as `serve`
    and `connect` do.
    """
    accepted: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    def accept(peer: Peer) -> Services:
        accepted.set_result(peer)
        return right_service

    async with (
        serve(accept, address, tls=right_tls, limits=limits, options=options) as server,
        connect(server.addresses[0], left_service, tls=left_tls, limits=limits, options=options) as left,
    ):
        yield left, await accepted


def make_peer(service: Services, limits: Limits, options: Options) -> Peer:
    """Return a peer that is connected to nothing yet: its `channel` is the protocol for a transport."""
    responders = Responders(service)
    return unconnected_peer(lambda _: responders, NOWHERE, limits=limits, options=options)
