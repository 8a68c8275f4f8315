"""An address becomes a transport for a protocol; knows no peer and no TLS."""

from __future__ import annotations

import asyncio

from ampkit.asyncio.address import Address, TcpAddress, UnixAddress
from ampkit.asyncio.child import Child
from ampkit.asyncio.memory import connect_memory
from ampkit.asyncio.process import ChildTransport
from ampkit.asyncio.stdio import StdioAddress, connect_stdio


async def open_transport(address: Address, protocol: asyncio.Protocol, close_timeout: float) -> None:
    """Connect a protocol to an address; a child process has the seconds of `close_timeout` to heed a SIGTERM.

    Raises OSError, or UnicodeError for a name that is no host name.
    """
    loop = asyncio.get_running_loop()
    if isinstance(address, TcpAddress):
        await loop.create_connection(lambda: protocol, address.host, address.port)
    elif isinstance(address, UnixAddress):
        await loop.create_unix_connection(lambda: protocol, address.path)
    elif isinstance(address, Child):
        await ChildTransport(loop, protocol, address, close_timeout).start()
    elif isinstance(address, StdioAddress):
        await connect_stdio(loop, protocol)
    else:
        connect_memory(loop, address, protocol)
