"""Addresses as text, `tcp://host:port`, `unix:///path`, `exec:program`: read and written; opens nothing."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from ampkit.asyncio.child import Child, parse_child
from ampkit.asyncio.stdio import STDIO, StdioAddress
from ampkit.errors import LocalProtocolError
from ampkit.wire.text import printable

_MAX_PATH: Final = 107
"""Bytes of a unix socket's path on Linux. Of a longer one uvloop would take the beginning, without a word."""


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
    """The path of a socket file."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """A name within one event loop: no socket, no bytes leave the process."""

    name: str

    def __str__(self) -> str:
        return f"memory://{self.name}"


Place: TypeAlias = TcpAddress | UnixAddress | MemoryAddress
"""Where others can connect to."""

Address: TypeAlias = Place | Child | StdioAddress
"""Who can be connected to."""


def parse_address(text: str) -> Address:
    """Return the address that a text says. Raises LocalProtocolError, with what was expected, for any other text."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme in {"tcp", "tls"}:
        return _tcp(text, TlsAddress if scheme == "tls" else TcpAddress)
    if separator and scheme == "unix" and rest:
        return _unix(text, rest)
    if separator and scheme == "memory" and rest:
        return MemoryAddress(rest)
    if text.startswith("exec:"):
        return parse_child(text)
    if text == str(STDIO):
        return STDIO
    raise _unreadable(
        text, "expected tcp://host:port, tls://host:port, unix:///path, memory://name or exec:program ..."
    )


def _unix(text: str, path: str) -> UnixAddress:
    try:
        size = len(os.fsencode(path))
    except UnicodeEncodeError as error:
        raise _unreadable(text, str(error)) from None
    if size > _MAX_PATH or "\0" in path:
        raise _unreadable(text, f"the path of a unix socket is at most {_MAX_PATH} bytes, none of them zero")
    return UnixAddress(path)


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


def _unreadable(text: str, why: str) -> LocalProtocolError:
    return LocalProtocolError(f"not an address: {text!r}: {why}")


def address_of(family: int, name: Any, fallback: Address) -> Address:
    """Return the address that a socket's name says, escaped; the fallback where it has none, as a unix socket may."""
    if family in {socket.AF_INET, socket.AF_INET6} and name:  # none, if the other end had gone when it was asked for
        kind = type(fallback) if isinstance(fallback, TcpAddress) else TcpAddress
        return kind(name[0], name[1])
    if family == socket.AF_UNIX and name:
        return UnixAddress(printable(os.fsencode(name)))  # whoever connected may have chosen it
    return fallback
