"""How a program serves: addresses become listeners, connections become peers; answers nothing itself."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal, Self, TypeAlias, cast, overload

from ampkit.asyncio.address import Address, HandedSocket, Place, TlsAddress, parse_address
from ampkit.asyncio.child import Child
from ampkit.asyncio.crowd import Crowd
from ampkit.asyncio.handshakes import AnyTls, Handshakes
from ampkit.asyncio.hooked import unconnected_peer
from ampkit.asyncio.job import Work, packed
from ampkit.asyncio.keepalive import make_rota
from ampkit.asyncio.listening import Listener, listen
from ampkit.asyncio.lobby import Lobby
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.processes import ProcessServer, process_count, sharable
from ampkit.asyncio.starttls import TlsPart
from ampkit.asyncio.stdio import StdioAddress
from ampkit.asyncio.turns import Turns
from ampkit.core.states import State
from ampkit.errors import ConnectionLost, LocalProtocolError
from ampkit.policy.options import DEFAULT_DRAIN_GRACE, DEFAULT_OPTIONS, Options
from ampkit.schema.responders import Responders, Service, Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

ServiceFactory: TypeAlias = Callable[[], Services] | Callable[[Peer], Services]
"""Called for each connection, with its peer if it needs an argument."""


@overload
def serve(
    service: Services | ServiceFactory,
    *addresses: str | socket.socket,
    tls: AnyTls | None = ...,
    limits: Limits = ...,
    options: Options = ...,
    processes: Literal[1] = ...,
) -> Opening[Server]: ...
@overload
def serve(
    service: Services | ServiceFactory,
    *addresses: str | socket.socket,
    tls: AnyTls | None = ...,
    limits: Limits = ...,
    options: Options = ...,
    processes: int,
) -> Opening[Server | ProcessServer]: ...
def serve(
    service: Services | ServiceFactory,
    *addresses: str | socket.socket,
    tls: AnyTls | None = None,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
    processes: int = 1,
) -> Opening[Server] | Opening[Server | ProcessServer]:
    """Serve on `tcp://host:port`, `tls://host:port`, `unix:///path`, `memory://name`, on as many as you like.

    `async with serve(Calculator(), "tcp://127.0.0.1:0") as server:` closes it at the end of the block;
    `server = await serve(...)` leaves that to you. A `Service` instance, or several, is shared by all
    connections; a function or class is called for one per connection, with the `Peer` if it needs an argument.
    If it raises, the connection is closed; what it raises is logged, unless it is a ConnectionLost.
    An empty host listens on all interfaces, a host name on all its IP addresses; port 0 is any free port, see
    `Server.addresses`. `tls` is for `tls://` and, elsewhere, for STARTTLS, see `Peer.start_tls`; it has to have a
    certificate. A client that does not come through the handshake costs a line in the log, and nobody else notices.
    Sockets that are open already are objects, `fd://3`, or `systemd:name` and `systemd:` for those that systemd hands
    over; all but systemd's are taken over.

    With more than one of `processes` (0: one for each core that this process may use) worker processes serve, and this
    one looks after them: a `ProcessServer`. Service, tls, limits and options are pickled, limits count in each of them.

    Raises LocalProtocolError for an address that cannot be read or shared, for files of `tls` that cannot be used and
    for what cannot be pickled, TypeError for services that cannot be joined, all at once; awaited, ConnectionFailed if
    an address cannot be listened on or a worker process cannot begin.
    """
    if process_count(processes) == 1:
        return open_server(service, [_place(address) for address in addresses], tls=tls, limits=limits, options=options)
    responders_maker(service)
    work = Work(partial(_same, service), tls, limits, options)
    return serve_with_processes(work, service, addresses, processes)


def _same(service: Services | ServiceFactory) -> Services | ServiceFactory:
    return service


def open_server(
    service: Services | ServiceFactory,
    places: Sequence[Place | HandedSocket],
    *,
    tls: AnyTls | None,
    limits: Limits,
    options: Options,
) -> Opening[Server]:
    """Serve in this process; checked as `serve` does."""
    handshakes = _handshakes(places, tls, options)
    make_responders = responders_maker(service)
    if _carries(service):
        options = replace(options, descriptors=True)
    return Opening(lambda: Server(make_responders, limits, options, handshakes).open(places))


def serve_with_processes(
    work: Work, service: object, addresses: Iterable[str | socket.socket], processes: int
) -> Opening[ProcessServer]:
    """Serve with worker processes what `work.load` returns in each of them; checked as `serve` does."""
    places = sharable(_place(address) for address in addresses)
    _handshakes(places, work.tls, work.options)
    pickled = packed(work, service)
    count, close_timeout = process_count(processes), work.options.close_timeout
    return Opening(lambda: ProcessServer(count, pickled, close_timeout).open(places))


def _handshakes(places: Sequence[Place | HandedSocket], tls: AnyTls | None, options: Options) -> Handshakes | None:
    """Return how this end shakes hands: always as the TLS server, whoever asks for it."""
    if not places:
        raise TypeError("serve needs at least one address")
    if tls is not None:
        return Handshakes(tls, server_side=True, host=None, timeout=options.handshake_timeout)
    secure = [str(place) for place in places if isinstance(place, TlsAddress)]
    if secure:
        raise LocalProtocolError(f"to serve {secure[0]} takes a certificate: tls=Tls(certificate=...)")
    return None


class Server:
    """Listens on addresses and answers whoever connects. Made by `serve`."""

    def __init__(
        self,
        make_responders: Callable[[Peer], Responders],
        limits: Limits,
        options: Options,
        handshakes: Handshakes | None = None,
    ) -> None:
        self._make_responders = make_responders
        self._limits = limits
        self._options = options
        self._listeners: list[Listener] = []
        self._addresses: list[str] = []
        self._crowd: Crowd[Peer] = Crowd(limits)
        self._tls_part = TlsPart(is_server=True, handshakes=handshakes)
        self._turns = Turns()
        self._rota = make_rota(limits, options)
        self._lobby = Lobby(handshakes, limits.max_connections) if handshakes else None
        self._is_closing = False
        self._closed = asyncio.Event()

    async def open(self, addresses: Iterable[Place | HandedSocket]) -> Self:
        """Listen on all addresses. Raises ConnectionFailed, and listens on none, if one of them cannot be had."""
        try:
            for address in addresses:
                self._listeners += await listen(address, self._accept, descriptors=self._options.descriptors)
        except BaseException:
            await self.close(grace=0)
            raise
        self._addresses = [str(listener.address) for listener in self._listeners]
        return self

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as URLs with the actual ports, in the order they were given."""
        return list(self._addresses)

    @property
    def peers(self) -> frozenset[Peer]:
        """Those who are connected now; call them as they call you."""
        return frozenset(peer for peer in self._crowd.peers if peer.state is not State.CLOSED)

    async def close(self, grace: float | None = None) -> None:
        """Stop listening and close all connections; returns when no responder runs any more.

        Asks that run have `grace` seconds (default: `Options.close_timeout`) to end and their answers to leave;
        see `Peer.close`. Cancelling `close` closes at once. A responder may close its server.
        """
        self._is_closing = True
        seconds = self._options.close_timeout if grace is None else grace
        closer = asyncio.current_task()
        try:
            await self._stop_listening()
            if self._lobby is not None:
                self._lobby.close()
            await asyncio.gather(*(peer.closing.close(seconds, closer) for peer in self._crowd.peers))
        finally:
            for peer in list(self._crowd.peers):  # there is any only if this was cancelled
                peer.closing.end()
            self._closed.set()

    async def drain(self, grace: float = DEFAULT_DRAIN_GRACE) -> None:
        """Close without losing a call: `close`, with time enough for what was begun to end.

        Peers are told, and those that understand it (`_drain`) begin nothing new here: their further calls raise
        NotSent, and go elsewhere if they can. Those that do not are refused as BUSY, which may be repeated too.
        """
        await self.close(grace)

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
        return f"<Server {' '.join(self.addresses)} {len(self.peers)} connected>"

    def _accept(self, address: Address) -> asyncio.Protocol:
        peer = unconnected_peer(self._begin, address, limits=self._limits, options=self._options)
        peer.channel.turns = self._turns
        peer.rota = self._rota
        peer.tls_part = self._tls_part
        if self._lobby is not None and isinstance(address, TlsAddress):
            return self._lobby.admit(peer.channel, address)
        return peer.channel

    def _begin(self, peer: Peer) -> Responders:
        if self._is_closing:
            raise ConnectionLost("this server does not listen any more")
        self._crowd.enter(peer)
        return self._make_responders(peer)

    async def _stop_listening(self) -> None:
        listeners, self._listeners = self._listeners, []  # once: the name may be a successor's by the next time
        try:
            for listener in listeners:
                listener.pause()
            await asyncio.sleep(0)
        finally:
            for listener in listeners:
                listener.close()


def _place(given: str | socket.socket) -> Place:
    address = parse_address(given)
    if isinstance(address, Child | StdioAddress):
        raise LocalProtocolError(f"cannot serve {address}: nobody can connect to it; `connect` does, and serves too")
    return address


def responders_maker(service: Services | ServiceFactory) -> Callable[[Peer], Responders]:
    """Return a function that gives each connection its responders."""
    if isinstance(service, Service) or not callable(service):
        shared = Responders(service)
        return lambda _: shared
    factory: Callable[..., Services] = service
    needs_peer = any(_is_needed(parameter) for parameter in inspect.signature(factory).parameters.values())
    return lambda peer: Responders(factory(peer) if needs_peer else factory())


def _carries(service: object) -> bool:
    """Say whether commands of a service, its class, or one of several, have descriptors; of a function nobody knows."""
    if isinstance(service, list | tuple):
        return any(_carries(each) for each in cast("Sequence[object]", service))
    kind = service if isinstance(service, type) else type(service)
    commands = (command.__command__ for command in kind.__responders__) if issubclass(kind, Service) else ()
    return any(each.carries or each.response_carries for each in commands)


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind in _POSITIONAL
