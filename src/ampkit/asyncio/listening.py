"""Sockets that listen become listeners in an event loop; knows nothing of what is accepted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ampkit.asyncio import memory
from ampkit.asyncio.accepting import Acceptor
from ampkit.asyncio.address import Address, HandedSocket, MemoryAddress, Place, UnixAddress
from ampkit.asyncio.binding import BACKLOG, Bound, bind
from ampkit.asyncio.unix_socket import is_ours
from ampkit.errors import ConnectionFailed

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


async def listen(address: Place | HandedSocket, accept: Accept, *, descriptors: bool) -> list[Listener]:
    """Listen on an address; a host name may mean several. Raises ConnectionFailed if that cannot be had."""
    loop = asyncio.get_running_loop()
    if isinstance(address, MemoryAddress):
        memory.listen(loop, address, lambda: accept(address))
        return [Listener(address, lambda: memory.stop_listening(loop, address))]
    listeners: list[Listener] = []
    with failing_as(address), contextlib.ExitStack() as undo:
        bounds = await bind(address)
        for bound in bounds:
            undo.callback(bound.close)
        for bound in bounds:
            make_protocol = partial(accept, bound.address)
            if bound.sockets[0].family == socket.AF_UNIX:
                listeners.append(await _on_unix(loop, bound, make_protocol, address, descriptors=descriptors))
            else:
                listeners.append(await _on_tcp(loop, bound, make_protocol))
            undo.callback(listeners[-1].close)
        undo.pop_all()
    return listeners


@contextlib.contextmanager
def failing_as(address: Address | HandedSocket) -> Generator[None]:
    """Inside the block what the system raises becomes a ConnectionFailed that names the address."""
    try:
        yield
    except ConnectionFailed:
        raise
    except (OSError, UnicodeError) as error:  # the latter for a name that is no host name
        raise ConnectionFailed(f"cannot serve {address}: {error}") from error


async def _on_tcp(
    loop: asyncio.AbstractEventLoop, bound: Bound, make_protocol: Callable[[], asyncio.Protocol]
) -> Listener:
    (sock,) = bound.sockets
    server = await loop.create_server(make_protocol, sock=sock, backlog=BACKLOG)
    return Listener(bound.address, server.close, _pausing(loop, sock))


async def _on_unix(
    loop: asyncio.AbstractEventLoop,
    bound: Bound,
    make_protocol: Callable[[], asyncio.Protocol],
    address: Place | HandedSocket,
    *,
    descriptors: bool,
) -> Listener:
    """Listen with a server of our own where the loop's cannot; from Python 3.13 on, uvloop's would remove any file."""
    if not isinstance(address, UnixAddress) or is_ours(loop, descriptors=descriptors):
        acceptor = Acceptor(loop, bound.sockets[0], make_protocol, is_shared=isinstance(address, HandedSocket))
        return Listener(bound.address, lambda: _close(acceptor.close, bound.free), acceptor.pause)
    server = await loop.create_unix_server(make_protocol, sock=bound.sockets[0], backlog=BACKLOG)
    return Listener(bound.address, lambda: _close(server.close, bound.free))


def _close(close: Callable[[], object], free: Callable[[], object]) -> None:
    close()
    free()


def _pausing(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Callable[[], object]:
    """Return how to pause a listener: on the standard loop, where each connection is accepted in two turns."""
    if isinstance(loop, asyncio.SelectorEventLoop):
        return partial(loop.remove_reader, sock.fileno())
    return lambda: None
