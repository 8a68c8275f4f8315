"""The other end of a real connection as a bare protocol: a test sends what it likes, and sees each byte that comes."""

from __future__ import annotations

import asyncio
from typing import Self, cast

from ampkit import parse_string
from ampkit.asyncio.address import MemoryAddress, TcpAddress, UnixAddress, parse_address
from ampkit.asyncio.memory import connect_memory
from ampkit.wire.box import Box


class RawEnd(asyncio.Protocol):
    """One end. It sends nothing of its own accord; as a context manager it breaks the connection in the end."""

    def __init__(self) -> None:
        self.received = b""
        self.transport: asyncio.Transport
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._news = asyncio.Event()

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to an address."""
        end, address, loop = cls(), parse_address(url), asyncio.get_running_loop()
        if isinstance(address, TcpAddress):
            await loop.create_connection(lambda: end, address.host, address.port)
        elif isinstance(address, MemoryAddress):
            connect_memory(loop, address, end)
        else:
            assert isinstance(address, UnixAddress)
            await loop.create_unix_connection(lambda: end, address.path)
        return end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so."""
        self.lost.set_result(exc)
        self._news.set()

    def boxes(self) -> list[Box]:
        """Return all that came, as boxes."""
        return parse_string(self.received)

    async def until(self, part: bytes, count: int = 1) -> None:
        """Wait until a part has come so many times."""
        while self.received.count(part) < count:
            if self.lost.done():
                raise AssertionError(f"the connection is lost, and {part!r} has not come: {self.received!r}")
            self._news.clear()
            await self._news.wait()

    async def __aenter__(self) -> Self:
        """Return the end itself."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Break the connection."""
        if not self.lost.done():
            self.transport.abort()
            await self.lost
