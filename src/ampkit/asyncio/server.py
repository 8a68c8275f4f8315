"""How a program serves: addresses become listeners, connections become peers; answers nothing itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import Self, TypeAlias

from ampkit.asyncio.address import Address, parse_address
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.listening import Listener, listen
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

ServiceFactory: TypeAlias = Callable[[], Services] | Callable[[Peer], Services]
"""Called for each connection, with its peer if it takes a parameter."""


def serve(
    service: Services | ServiceFactory,
    *addresses: str,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
) -> Opening[Server]:
    """Serve on `tcp://host:port`, `unix:///path` and `memory://name`, on as many addresses as you like.

    `async with serve(Calculator(), "tcp://127.0.0.1:0") as server:` closes it at the end of the block;
    `server = await serve(...)` leaves that to you. A `Service` instance, or several, is shared by all
    connections; a function or class is called for one per connection, with the `Peer` if it takes a parameter.
    An empty host listens on all interfaces, a host name on all its IP addresses; port 0 is any free port, see
    `Server.addresses`.

    Raises LocalProtocolError for an address that cannot be read and TypeError for services that cannot be
    joined, both at once; awaited, ConnectionFailed if an address cannot be listened on.
    """
    parsed = [parse_address(address) for address in addresses]
    if not parsed:
        raise TypeError("serve needs at least one address")
    server = Server(_responders_maker(service), limits, options)
    return Opening(lambda: server.open(parsed))


class Server:
    """Listens on addresses and answers whoever connects. Made by `serve`."""

    def __init__(self, make_responders: Callable[[Peer], Responders], limits: Limits, options: Options) -> None:
        self._make_responders = make_responders
        self._limits = limits
        self._options = options
        self._listeners: list[Listener] = []
        self._peers: set[Peer] = set()
        self._closed = asyncio.Event()

    async def open(self, addresses: Iterable[Address]) -> Self:
        """Listen on all addresses. Raises ConnectionFailed, and listens on none, if one of them cannot be had."""
        try:
            for address in addresses:
                self._listeners += await listen(address, self._accept)
        except BaseException:
            self._stop_listening()
            raise
        return self

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as URLs with the actual ports, in the order they were given."""
        return [str(listener.address) for listener in self._listeners]

    @property
    def peers(self) -> frozenset[Peer]:
        """Those who are connected now; call them as they call you."""
        return frozenset(self._peers)

    async def close(self, grace: float | None = None) -> None:
        """Stop listening and close all connections; returns when no responder runs any more.

        Asks that run have `grace` seconds (default: `Options.close_timeout`) to end and their answers to leave;
        see `Peer.close`.
        """
        self._stop_listening()
        seconds = self._options.close_timeout if grace is None else grace
        if self._peers:
            await asyncio.gather(*(peer.close(seconds) for peer in self._peers))
        self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until `close` has done its work: what a program does that only serves."""
        await self._closed.wait()

    async def __aenter__(self) -> Self:
        """Return the server itself; leaving the block closes it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close."""
        await self.close()

    def __repr__(self) -> str:
        return f"<Server {' '.join(self.addresses)} {len(self._peers)} connected>"

    def _accept(self, address: Address) -> Channel:
        peer = Peer(self._make_responders, address, limits=self._limits, options=self._options)
        self._peers.add(peer)
        peer.channel.closed.add_done_callback(lambda _: self._peers.discard(peer))
        return peer.channel

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()


def _responders_maker(service: Services | ServiceFactory) -> Callable[[Peer], Responders]:
    """Return a function that gives each connection its responders."""
    if not callable(service):
        shared = Responders(service)
        return lambda _: shared
    factory: Callable[..., Services] = service
    takes_peer = bool(inspect.signature(factory).parameters)
    return lambda peer: Responders(factory(peer) if takes_peer else factory())
