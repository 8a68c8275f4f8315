"""An address becomes a transport for a protocol; knows no peer and no TLS."""

from __future__ import annotations

import asyncio
import socket

from ampkit.asyncio.address import Address, TcpAddress, UnixAddress
from ampkit.asyncio.child import Child
from ampkit.asyncio.memory import connect_memory
from ampkit.asyncio.process import ChildTransport
from ampkit.asyncio.sockets import InheritedSocket, OpenSocket, SystemdSockets, connected_socket
from ampkit.asyncio.stdio import StdioAddress, connect_stdio
from ampkit.asyncio.unix_socket import connect_unix, open_unix
from ampkit.policy.options import Options


async def open_transport(address: Address, protocol: asyncio.Protocol, options: Options) -> None:
    """Connect a protocol to an address. Raises OSError, or UnicodeError for a name that is no host name."""
    loop = asyncio.get_running_loop()
    if isinstance(address, TcpAddress):
        await loop.create_connection(lambda: protocol, address.host, address.port)
    elif isinstance(address, UnixAddress):
        await connect_unix(loop, address.name, protocol, descriptors=options.descriptors)
    elif isinstance(address, Child):
        await ChildTransport(loop, protocol, address, options.close_timeout).start()
    elif isinstance(address, StdioAddress):
        await connect_stdio(loop, protocol)
    elif isinstance(address, OpenSocket | InheritedSocket):
        await _open_socket(loop, connected_socket(address), protocol, options)
    elif isinstance(address, SystemdSockets):
        raise OSError("these sockets are to be served")
    else:
        connect_memory(loop, address, protocol)


async def _open_socket(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: asyncio.Protocol, options: Options
) -> None:
    if sock.family == socket.AF_UNIX:
        await open_unix(loop, sock, protocol, descriptors=options.descriptors)
    else:
        sock.setblocking(False)
        await loop.create_connection(lambda: protocol, sock=sock)
