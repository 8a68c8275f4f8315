"""Addresses become listening sockets, and free their names again; knows nothing of what is accepted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from ampkit.asyncio import memory
from ampkit.asyncio.accepting import Acceptor
from ampkit.asyncio.address import Address, MemoryAddress, Place, TcpAddress, UnixAddress, address_of
from ampkit.asyncio.sockets import SocketAddress, listening_sockets
from ampkit.asyncio.unix_socket import is_ours
from ampkit.errors import ConnectionFailed

BACKLOG: Final = 1_024
"""Connections that wait to be accepted: a server that restarts meets all its clients at once."""

_PORT_TRIES: Final = 8
"""A free port on one IP address may be taken on the next one of the same host; then another is tried."""

_UNUSABLE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A name such as localhost may have addresses that this machine does not, as ::1 where IPv6 is off."""

Accept: TypeAlias = Callable[[Address], asyncio.Protocol]
"""Makes the protocol for a connection that comes to an address."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket, or one name in memory."""

    address: Address
    close: Callable[[], None]
    """Accept nothing more and free the name; connections go on."""
    pause: Callable[[], object] = lambda: None
    """Accept nothing more. Call it a turn of the loop before `close`, or a connection may have nobody to end it."""


async def listen(address: Place, accept: Accept, *, descriptors: bool) -> list[Listener]:
    """Listen on an address; a host name may mean several. Raises ConnectionFailed if that cannot be had."""
    loop = asyncio.get_running_loop()
    try:
        if isinstance(address, TcpAddress):
            return await _listen_tcp(loop, address, accept)
        if isinstance(address, UnixAddress):
            return [await _listen_unix(loop, address, accept, descriptors=descriptors)]
        if not isinstance(address, MemoryAddress):
            return await _listen_sockets(loop, address, accept)
    except (OSError, UnicodeError) as error:  # the latter for a name that is no host name
        if isinstance(error, ConnectionFailed):
            raise
        raise ConnectionFailed(f"cannot serve {address}: {error}") from error
    memory.listen(loop, address, lambda: accept(address))
    return [Listener(address, lambda: memory.stop_listening(loop, address))]


async def _listen_tcp(loop: asyncio.AbstractEventLoop, address: TcpAddress, accept: Accept) -> list[Listener]:
    infos = await loop.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    hosts = list(dict.fromkeys((family, str(name[0])) for family, _, _, _, name in infos))
    for tries_left in reversed(range(_PORT_TRIES)):
        try:
            return await _listen_hosts(loop, hosts, address, accept)
        except OSError as error:
            if address.port or error.errno != errno.EADDRINUSE or not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


async def _listen_hosts(
    loop: asyncio.AbstractEventLoop, hosts: Sequence[tuple[int, str]], address: TcpAddress, accept: Accept
) -> list[Listener]:
    """Listen on the same port of all IP addresses; on none of them if one of them cannot be had."""
    listeners: list[Listener] = []
    port, unusable = address.port, None
    with contextlib.ExitStack() as undo:
        for family, host in hosts:
            try:
                sock = _bound_socket(family, host, port)
            except OSError as error:
                if error.errno not in _UNUSABLE:
                    raise
                unusable = error
                continue
            undo.callback(sock.close)
            port = sock.getsockname()[1]
            bound = address_of(family, sock.getsockname(), address)
            server = await loop.create_server(partial(accept, bound), sock=sock, backlog=BACKLOG)
            undo.callback(server.close)
            listeners.append(Listener(bound, server.close, _pausing(loop, sock)))
        undo.pop_all()
    if not listeners:
        raise unusable or OSError(errno.EADDRNOTAVAIL, "no address to listen on")
    return listeners


def _bound_socket(family: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


async def _listen_unix(
    loop: asyncio.AbstractEventLoop, address: UnixAddress, accept: Accept, *, descriptors: bool
) -> Listener:
    with contextlib.ExitStack() as undo:
        sock = undo.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
        remove = _bind(sock, address)
        undo.callback(remove)
        listener = await _listen_on_unix(loop, sock, UnixAddress(address.path), accept, descriptors=descriptors)
        undo.pop_all()

    def close() -> None:
        listener.close()
        remove()

    return replace(listener, close=close)


def _bind(sock: socket.socket, address: UnixAddress) -> Callable[[], None]:
    """Give a socket its name and, before anybody can connect, its permissions; return how to free the name."""
    if address.is_abstract:
        sock.bind(address.name)
        return lambda: None
    path = Path(address.path)
    _remove_stale(path, address)
    sock.bind(address.path)
    ours = path.stat()
    if address.mode is not None:
        path.chmod(address.mode)
    return partial(_remove, path, ours)


async def _listen_on_unix(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, address: Address, accept: Accept, *, descriptors: bool
) -> Listener:
    if is_ours(loop, descriptors=descriptors):
        sock.listen(BACKLOG)
        acceptor = Acceptor(loop, sock, partial(accept, address))
        return Listener(address, acceptor.close, acceptor.pause)
    server = await loop.create_unix_server(partial(accept, address), sock=sock, backlog=BACKLOG)
    return Listener(address, server.close)


async def _listen_sockets(loop: asyncio.AbstractEventLoop, address: SocketAddress, accept: Accept) -> list[Listener]:
    listeners: list[Listener] = []
    with contextlib.ExitStack() as undo:
        sockets = listening_sockets(address)
        for sock in sockets:
            undo.callback(sock.close)
        for sock in sockets:
            bound = address_of(sock.family, sock.getsockname(), address)
            if sock.family == socket.AF_UNIX:  # from Python 3.13 on, uvloop's server would remove its file at the end
                listeners.append(await _listen_on_unix(loop, sock, bound, accept, descriptors=True))
            else:
                server = await loop.create_server(partial(accept, bound), sock=sock, backlog=BACKLOG)
                listeners.append(Listener(bound, server.close, _pausing(loop, sock)))
            undo.callback(listeners[-1].close)
        undo.pop_all()
    return listeners


def _pausing(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Callable[[], object]:
    """Return how to pause a listener: on the standard loop, where each connection is accepted in two turns."""
    if isinstance(loop, asyncio.SelectorEventLoop):
        return partial(loop.remove_reader, sock.fileno())
    return lambda: None


def _remove(path: Path, ours: os.stat_result) -> None:
    """Remove our socket file, but not one that a successor has put there."""
    with contextlib.suppress(OSError):
        if os.path.samestat(path.stat(), ours):
            path.unlink()


def _remove_stale(path: Path, address: UnixAddress) -> None:
    """Remove a socket file that nobody listens on any more. Raises ConnectionFailed if somebody does."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:  # its backlog is full, so it is alive
            pass
    raise ConnectionFailed(f"cannot serve {address}: another process serves it")
