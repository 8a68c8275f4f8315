"""How a child process serves whoever started it, from its first byte to the last; knows no other connection."""

from __future__ import annotations

import asyncio

from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.server import ServiceFactory, responders_maker
from ampkit.asyncio.stdio import STDIO, connect_stdio
from ampkit.errors import RemoteProtocolError
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits


async def serve_stdio(
    service: Services | ServiceFactory, *, limits: Limits = DEFAULT_LIMITS, options: Options = DEFAULT_OPTIONS
) -> None:
    """Serve the process that started this one on standard input and output; returns when it has closed them.

    `ampkit.run(ampkit.serve_stdio(Worker()))` is the whole main program of a child for `connect("exec:...")`. The
    service is what `serve` takes. Call it before anything is printed: from then on what the program prints goes to
    standard error, and standard input is empty, so nothing but AMP is in the stream.

    Raises ConnectionFailed unless both are pipes or sockets, RemoteProtocolError if what came was not AMP.
    """
    peer = unconnected_peer(responders_maker(service), STDIO, limits=limits, options=options)
    await connect_stdio(asyncio.get_running_loop(), peer.channel)
    async with peer:
        await peer.wait_closed()
    if isinstance(peer.end_reason, RemoteProtocolError):
        raise peer.end_reason
