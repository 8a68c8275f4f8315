"""Which transport a unix socket gets, and how one is connected; knows no path's meaning and no peer."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from ampkit.asyncio.unix_transport import UnixTransport
from ampkit.asyncio.uv_unix_transport import UvUnixTransport

_RETRY: Final = 0.01
"""Seconds until a server that has too many waiting is tried again: the system does not say when it has room."""


async def connect_unix(
    loop: asyncio.AbstractEventLoop, name: str, protocol: asyncio.Protocol, *, descriptors: bool
) -> None:
    """Connect a protocol to a path, or to an abstract name with a zero byte before it."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        while not _is_connected(sock, name):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(_RETRY)
        await open_unix(loop, sock, protocol, descriptors=descriptors)
    except BaseException:
        sock.close()
        raise


async def open_unix(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: asyncio.Protocol, *, descriptors: bool
) -> None:
    """Let a protocol use a connected socket."""
    if is_ours(loop, descriptors=descriptors):
        begin_unix(loop, sock, protocol)
    else:
        await loop.create_unix_connection(lambda: protocol, sock=sock)


def begin_unix(loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: asyncio.Protocol) -> UnixTransport:
    """Let a protocol use a connected socket, on a transport of ours."""
    kind = UnixTransport if isinstance(loop, asyncio.SelectorEventLoop) else UvUnixTransport
    transport = kind(loop, sock, protocol)
    transport.begin()
    return transport


def is_ours(loop: asyncio.AbstractEventLoop, *, descriptors: bool) -> bool:
    """Say whether a unix socket gets our own transport, which carries descriptors.

    Measured in CPU a call: on the standard loop it is the cheaper one in any case. On uvloop it costs a tenth more, a
    fifth where one call is outstanding, so there it is for those who need it.
    """
    return descriptors or isinstance(loop, asyncio.SelectorEventLoop)


def _is_connected(sock: socket.socket, name: str) -> bool:
    try:
        sock.connect(name)
    except BlockingIOError:
        return False
    return True
