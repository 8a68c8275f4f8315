"""Which kind of peer a program's hooks need; a program without hooks pays for nothing."""

from __future__ import annotations

from collections.abc import Callable

from ampkit.asyncio.address import Address
from ampkit.asyncio.hooked_calls import HookedCaller
from ampkit.asyncio.hooked_peer import HookedPeer
from ampkit.asyncio.peer import Peer
from ampkit.hooks import overriding
from ampkit.policy.options import Options
from ampkit.schema.responders import Responders
from ampkit.wire.limits import Limits


def unconnected_peer(
    make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
) -> Peer:
    """Return a peer for these options: its `channel` is the protocol for the transport that it needs to be open."""
    kind = Peer
    if options.hooks:
        kind = HookedCaller if overriding(options.hooks, "calling") else HookedPeer
    return kind(make_responders, address, limits=limits, options=options)
