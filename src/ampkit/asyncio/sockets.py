"""Sockets that are open already: a program's own, inherited by their number, or handed over by systemd; opens none."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, TypeAlias

_FIRST: Final = 3
"""systemd: the number of the first socket that it hands over."""


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """A socket object; whoever uses it takes it over."""

    sock: socket.socket

    def __str__(self) -> str:
        return f"fd://{self.sock.fileno()}"


@dataclass(frozen=True, slots=True)
class InheritedSocket:
    """The number of an open socket; whoever uses it takes it over."""

    number: int

    def __str__(self) -> str:
        return f"fd://{self.number}"


@dataclass(frozen=True, slots=True)
class SystemdSockets:
    """The listening sockets that systemd has handed over: those of one name, or all."""

    name: str = ""

    def __str__(self) -> str:
        return f"systemd:{self.name}"


SocketAddress: TypeAlias = OpenSocket | InheritedSocket | SystemdSockets


def connected_socket(address: OpenSocket | InheritedSocket) -> socket.socket:
    """Return the socket. Raises OSError, and takes nothing over, unless it is a connected stream socket."""
    return _checked(address, _check_connected)


def listening_sockets(address: SocketAddress) -> list[socket.socket]:
    """Return the sockets, those of systemd as duplicates. Raises OSError unless they can be listened on."""
    if not isinstance(address, SystemdSockets):
        return [_checked(address, _check_unconnected)]
    with contextlib.ExitStack() as undo:
        sockets: list[socket.socket] = []
        for number in _handed_over(address.name):
            os.set_inheritable(number, False)
            sockets.append(undo.enter_context(contextlib.closing(socket.socket(fileno=os.dup(number)))))
            _check_unconnected(sockets[-1])
        undo.pop_all()
    return sockets


def _checked(address: OpenSocket | InheritedSocket, check: Callable[[socket.socket], None]) -> socket.socket:
    if isinstance(address, OpenSocket):
        check(address.sock)
        return address.sock
    with _borrowed(address.number) as sock:
        check(sock)
        os.set_inheritable(address.number, False)
    return socket.socket(fileno=address.number)


@contextlib.contextmanager
def _borrowed(number: int) -> Generator[socket.socket]:
    sock = socket.socket(fileno=number)
    try:
        yield sock
    finally:
        sock.detach()


def _check_connected(sock: socket.socket) -> None:
    _check_stream(sock)
    sock.getpeername()


def _check_unconnected(sock: socket.socket) -> None:
    _check_stream(sock)
    try:
        sock.getpeername()
    except OSError:
        return
    raise OSError("it is connected, so nobody else can connect to it")


def _check_stream(sock: socket.socket) -> None:
    if sock.type != socket.SOCK_STREAM:
        raise OSError("it is no stream socket")


def _handed_over(name: str) -> list[int]:
    """Return the numbers of the sockets that systemd has named so. Raises OSError if there is none."""
    count, names = _number("LISTEN_FDS"), os.environ.get("LISTEN_FDNAMES", "").split(":")
    if _number("LISTEN_PID") != os.getpid():
        raise OSError(f"systemd has handed them over to process {os.environ['LISTEN_PID']}, and this is {os.getpid()}")
    numbers = [_FIRST + i for i in range(count) if not name or names[i : i + 1] == [name]]
    if not numbers:
        there_are = ", ".join(names[:count]) if count else "none"
        raise OSError(f"systemd has handed over no such socket; there are: {there_are}")
    return numbers


def _number(variable: str) -> int:
    try:
        return int(os.environ[variable])
    except KeyError:
        raise OSError(f"systemd has handed over no socket: {variable} is not set") from None
    except ValueError:
        raise OSError(f"{variable} is no number") from None
