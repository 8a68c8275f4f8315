"""Addresses become sockets that listen, one or one for each of several processes; accepts nothing from them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from ampkit.asyncio.address import Address, HandedSocket, TcpAddress, UnixAddress, address_of
from ampkit.asyncio.sockets import SocketAddress, listening_sockets
from ampkit.errors import ConnectionFailed

BACKLOG: Final = 1_024
"""Connections that wait to be accepted: a server that restarts meets all its clients at once."""

_PORT_TRIES: Final = 8
"""A free port on one IP address may be taken on the next one of the same host; then another is tried."""

_UNUSABLE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A name such as localhost may have addresses that this machine does not, as ::1 where IPv6 is off."""

SPREADS: Final = sys.platform == "linux"
"""Whether the system spreads connections over all sockets of one port. Others know SO_REUSEPORT, but let the last
socket have all connections; there the processes share one socket, as they share those of other kinds everywhere."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One address that is listened on."""

    address: Address
    sockets: tuple[socket.socket, ...]
    """One, or one for each process, between which the system spreads the connections."""
    free: Callable[[], None] = lambda: None
    """Remove the file of a unix socket."""

    def close(self) -> None:
        """Listen no more, and free the name."""
        _close_all(self.sockets)
        self.free()


Bindable: TypeAlias = TcpAddress | UnixAddress | SocketAddress
"""An address that is, or becomes, sockets."""


async def bind(address: Bindable | HandedSocket, processes: int = 1) -> list[Bound]:
    """Listen on an address; a host name may mean several. Raises OSError or UnicodeError if that cannot be had."""
    if isinstance(address, TcpAddress):
        return await _bind_tcp(asyncio.get_running_loop(), address, processes)
    if isinstance(address, UnixAddress):
        return [_bind_unix(address)]
    if isinstance(address, HandedSocket):
        return [Bound(address.address, (socket.socket(fileno=address.number),))]
    return [
        Bound(address_of(sock.family, sock.getsockname(), address), (sock,))
        for sock in _listening(listening_sockets(address))
    ]


def _listening(sockets: list[socket.socket]) -> list[socket.socket]:
    """Let all of them listen; those that were taken over are closed if one of them cannot."""
    with contextlib.ExitStack() as undo:
        undo.callback(_close_all, sockets)
        for sock in sockets:
            sock.listen(BACKLOG)
        undo.pop_all()
    return sockets


# TCP


async def _bind_tcp(loop: asyncio.AbstractEventLoop, address: TcpAddress, processes: int) -> list[Bound]:
    infos = await loop.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    hosts = list(dict.fromkeys((family, str(name[0])) for family, _, _, _, name in infos))
    for tries_left in reversed(range(_PORT_TRIES)):
        try:
            return _bind_hosts(hosts, address, processes)
        except OSError as error:
            if address.port or error.errno != errno.EADDRINUSE or not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _bind_hosts(hosts: Sequence[tuple[int, str]], address: TcpAddress, processes: int) -> list[Bound]:
    """Listen on the same port of all IP addresses; on none of them if one of them cannot be had."""
    bound: list[Bound] = []
    port, unusable = address.port, None
    with contextlib.ExitStack() as undo:
        for family, host in hosts:
            try:
                sockets = _sockets(family, host, port, processes if SPREADS else 1)
            except OSError as error:
                if error.errno not in _UNUSABLE:
                    raise
                unusable = error
                continue
            name = sockets[0].getsockname()
            port = name[1]
            bound.append(Bound(address_of(family, name, address), tuple(sockets)))
            undo.callback(bound[-1].close)
        undo.pop_all()
    if not bound:
        raise unusable or OSError(errno.EADDRNOTAVAIL, "no address to listen on")
    return bound


def _sockets(family: int, host: str, port: int, count: int) -> list[socket.socket]:
    """Return so many sockets that listen on the same port.

    SO_REUSEPORT alone would let this program join another server of the same user without a word. So the first
    socket listens without it, which fails where anybody listens, and lets the others join it afterwards.
    """
    if not port and count > 1:  # a port of its own choice the system would take back when its socket stops to listen
        with _bound_socket(family, host, 0) as chosen:
            return _sockets(family, host, chosen.getsockname()[1], count)
    with contextlib.ExitStack() as undo:
        sockets = [_bound_socket(family, host, port)]
        undo.callback(_close_all, sockets)
        sockets[0].listen(BACKLOG)
        if count > 1:
            sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        while len(sockets) < count:
            sockets.append(_bound_socket(family, host, port, joins=True))
            sockets[-1].listen(BACKLOG)
        undo.pop_all()
    return sockets


def give_up_share(sock: socket.socket) -> None:
    """Leave the connections of a socket to the others of its port, until it listens again."""
    # To shut down one that does not listen would close all connections that it ever accepts.
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        sock.shutdown(socket.SHUT_RD)


def _close_all(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _bound_socket(family: int, host: str, port: int, *, joins: bool = False) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if joins:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


# Unix sockets


def _bind_unix(address: UnixAddress) -> Bound:
    with contextlib.ExitStack() as undo:
        sock = undo.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
        free = _name(sock, address)
        undo.callback(free)
        sock.listen(BACKLOG)
        undo.pop_all()
    return Bound(UnixAddress(address.path), (sock,), free)


def _name(sock: socket.socket, address: UnixAddress) -> Callable[[], None]:
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
