"""Addresses as text, `tcp://host:port`, `unix:///path`, `exec:program`: read and written; opens nothing."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from ampkit.asyncio.child import Child, parse_child
from ampkit.asyncio.sockets import InheritedSocket, OpenSocket, SocketAddress, SystemdSockets
from ampkit.asyncio.stdio import STDIO, StdioAddress
from ampkit.errors import LocalProtocolError
from ampkit.wire.text import printable

_MAX_PATH: Final = 107
"""Bytes of a unix socket's path on Linux. Of a longer one uvloop would take the beginning, without a word."""

_MODE: Final = re.compile("mode=([0-7]{3,4})")


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host name or IP address and a port; an empty host is every interface, port 0 any free one (both: to serve)."""

    scheme: ClassVar = "tcp"

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TlsAddress(TcpAddress):
    """The same, where TLS begins with the first byte."""

    scheme: ClassVar = "tls"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a socket file, or `@` and an abstract name, which is no file; `mode` are permissions, to serve."""

    path: str
    mode: int | None = None

    @property
    def is_abstract(self) -> bool:
        """Whether there is no file of this name."""
        return self.path.startswith("@")

    @property
    def name(self) -> str:
        """The name for the system."""
        return f"\0{self.path[1:]}" if self.is_abstract else self.path

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.mode is None else f"unix://{self.path}?mode={self.mode:04o}"


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """A name within one event loop: no socket, no bytes leave the process."""

    name: str

    def __str__(self) -> str:
        return f"memory://{self.name}"


@dataclass(frozen=True, slots=True)
class HandedSocket:
    """The number of a socket that listens, handed over by another process of the same server, and its address."""

    number: int
    address: Address

    def __str__(self) -> str:
        return str(self.address)


Place: TypeAlias = TcpAddress | UnixAddress | MemoryAddress | SocketAddress
"""Where others can connect to."""

Address: TypeAlias = Place | Child | StdioAddress
"""Who can be connected to."""


def parse_address(given: str | Child | socket.socket) -> Address:
    """Return the address that a program gives. Raises LocalProtocolError, with what was expected, for other text."""
    if isinstance(given, socket.socket):
        return OpenSocket(given)
    if isinstance(given, Child):
        return given
    scheme, separator, rest = given.partition("://")
    if separator and rest and scheme in _WITH_SLASHES:
        return _WITH_SLASHES[scheme](given, rest)
    scheme, separator, rest = given.partition(":")
    if separator and scheme in _WITHOUT_SLASHES:
        return _WITHOUT_SLASHES[scheme](given, rest)
    raise _unreadable(given, f"expected {_FORMS}")


def _unix(text: str, rest: str) -> UnixAddress:
    path, question, query = rest.partition("?")
    mode = _MODE.fullmatch(query)
    if (question and (mode is None or path.startswith("@"))) or path in {"", "@"}:
        raise _unreadable(text, "expected unix:///path, unix:///path?mode=0600 (octal permissions) or unix://@name")
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError as error:
        raise _unreadable(text, str(error)) from None
    if size > _MAX_PATH or "\0" in path:
        raise _unreadable(text, f"the path of a unix socket is at most {_MAX_PATH} bytes, none of them zero")
    return UnixAddress(path, int(mode[1], 8) if mode else None)


def _tcp(text: str, kind: type[TcpAddress]) -> TcpAddress:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _unreadable(text, str(error)) from None
    if port is None:
        raise _unreadable(text, f"a port is needed: {kind.scheme}://host:port")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise _unreadable(text, f"expected nothing but {kind.scheme}://host:port")
    return kind(parts.hostname or "", port)


def _fd(text: str, rest: str) -> InheritedSocket:
    if not (rest.isascii() and rest.isdigit()):
        raise _unreadable(text, "expected the number of a socket: fd://3")
    return InheritedSocket(int(rest))


def _stdio(text: str, rest: str) -> StdioAddress:
    if rest:
        raise _unreadable(text, "expected nothing but stdio:")
    return STDIO


_WITH_SLASHES: Final[Mapping[str, Callable[[str, str], Address]]] = {
    "tcp": lambda text, _: _tcp(text, TcpAddress),
    "tls": lambda text, _: _tcp(text, TlsAddress),
    "unix": _unix,
    "memory": lambda _, rest: MemoryAddress(rest),
    "fd": _fd,
}
_WITHOUT_SLASHES: Final[Mapping[str, Callable[[str, str], Address]]] = {
    "exec": lambda text, _: parse_child(text),
    "stdio": _stdio,
    "systemd": lambda _, rest: SystemdSockets(rest),
}
_FORMS: Final = (
    "tcp://host:port, tls://host:port, unix:///path, memory://name, exec:program ..., fd://number or systemd:name"
)


def _unreadable(text: str, why: str) -> LocalProtocolError:
    return LocalProtocolError(f"not an address: {text!r}: {why}")


def host_of(address: Address) -> str | None:
    """Return the host that an address names, if it names one."""
    return address.host if isinstance(address, TcpAddress) else None


def address_of(family: int, name: Any, fallback: Address) -> Address:
    """Return the address that a socket's name says, escaped; the fallback where it has none, as a unix socket may."""
    if family in {socket.AF_INET, socket.AF_INET6} and name:  # none, if the other end had gone when it was asked for
        kind = type(fallback) if isinstance(fallback, TcpAddress) else TcpAddress
        return _known(kind(name[0], name[1]), fallback)
    if family == socket.AF_UNIX and name:
        shown = printable(os.fsencode(name).removeprefix(b"\0"))  # whoever connected may have chosen it
        return _known(UnixAddress(shown if name[:1] not in {"\0", b"\0"} else f"@{shown}"), fallback)
    return fallback


def _known(address: Address, known: Address) -> Address:
    """Return the one that is known if both are equal: a server has many connections at one address."""
    return known if address == known else address
