"""Transports without a socket: two ends in one event loop, with the flow control of real ones; knows no box."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from ampkit.asyncio.address import MemoryAddress
from ampkit.errors import ConnectionFailed

HIGH_WATER: Final = 65_536
"""Bytes that the other end has not taken before the writing protocol is paused: what asyncio's sockets have."""

_NOBODY: Final = asyncio.Protocol()

Listener = Callable[[], asyncio.Protocol]

# The names of memory:// are for one event loop what ports are for a machine, so the table has to be one for all.
_listeners: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Listener]]] = WeakKeyDictionary()


class MemoryTransport(asyncio.Transport):
    """One end of a pair: what is written here is received by the other end's protocol in a later turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, address: MemoryAddress) -> None:
        super().__init__({"address": address})
        self.other: MemoryTransport
        self._loop = loop
        self._protocol = protocol
        self._inbox: list[bytes] = []
        self._inbox_size = 0
        self._high_water = HIGH_WATER
        self._reading = True
        self._scheduled = False
        self._writer_paused = False
        self._closing = False
        self._lost = False
        self._eof = False

    # What a protocol may do with its transport

    def write(self, data: Any) -> None:
        """Give bytes to the other end; dropped once either end is closed."""
        if data and not self._closing:
            self.other._take(bytes(data))

    def close(self) -> None:
        """Close when the other end has taken what was written."""
        if not self._closing:
            self._closing = True
            self.other._take_eof()

    def abort(self) -> None:
        """Close at once; what the other end has not taken is lost."""
        if not self._lost:
            self._closing = True
            self._loop.call_soon(self._lose, None)
            self._loop.call_soon(self.other._lose, ConnectionResetError("the other end aborted the connection"))

    def is_closing(self) -> bool:
        """Whether `close` or `abort` was called, or the connection has ended."""
        return self._closing

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Deliver again what comes and has come."""
        self._reading = True
        self._schedule()

    def is_reading(self) -> bool:
        """Whether what comes is delivered."""
        return self._reading and not self._closing

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the other end has not taken."""
        return 0 if self._lost else self.other._inbox_size

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002 - always 0
        """Set the bytes above which the protocol is paused; it is resumed when all are taken."""
        self._high_water = HIGH_WATER if high is None else high

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return 0, self._high_water

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from now on."""
        self._protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that receives here."""
        return self._protocol

    def can_write_eof(self) -> bool:
        """Half-closing is not offered, as TLS does not."""
        return False

    # What the other end does

    def _take(self, data: bytes) -> None:
        if self._lost:
            return
        self._inbox.append(data)
        self._inbox_size += len(data)
        if self._inbox_size > self.other._high_water and not self._writer_paused:
            self._writer_paused = True
            self.other._protocol.pause_writing()
        self._schedule()

    def _take_eof(self) -> None:
        self._eof = True
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._lost:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._lost or self._is_holding():
            return
        data = b"".join(self._inbox)
        self._inbox.clear()
        self._inbox_size = 0
        if self._writer_paused:
            self._writer_paused = False
            self.other._protocol.resume_writing()
        if data and not self._closing:
            self._protocol.data_received(data)
        if self._eof and not self._inbox and not self._is_holding():  # it may have stopped reading just now
            self._end_of_stream()

    def _is_holding(self) -> bool:
        return not self._reading and not self._closing

    def _end_of_stream(self) -> None:
        if not self._closing:
            self._protocol.eof_received()
            self._closing = True
        other = self.other
        self._lose(None)
        other._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._closing = True
            self._inbox.clear()
            self._inbox_size = 0
            self._protocol.connection_lost(error)
            self._protocol = _NOBODY
            del self.other  # so that no cycle keeps either end


def connect_pair(
    loop: asyncio.AbstractEventLoop, here: asyncio.Protocol, there: asyncio.Protocol, address: MemoryAddress
) -> None:
    """Join two protocols by a pair of transports, and tell both that they are connected."""
    ours, theirs = MemoryTransport(loop, here, address), MemoryTransport(loop, there, address)
    ours.other, theirs.other = theirs, ours
    there.connection_made(theirs)
    here.connection_made(ours)


def listen(loop: asyncio.AbstractEventLoop, address: MemoryAddress, listener: Listener) -> None:
    """Call `listener` for a protocol for each connection. Raises ConnectionFailed if the name is taken."""
    names = _listeners.setdefault(loop, {})
    if address.name in names:
        raise ConnectionFailed(f"cannot serve {address}: the name is taken in this event loop")
    names[address.name] = listener


def stop_listening(loop: asyncio.AbstractEventLoop, address: MemoryAddress) -> None:
    """Free the name; connections go on."""
    _listeners.get(loop, {}).pop(address.name, None)


def connect_memory(loop: asyncio.AbstractEventLoop, address: MemoryAddress, protocol: asyncio.Protocol) -> None:
    """Connect a protocol to the listener of that name. Raises ConnectionFailed if there is none."""
    listener = _listeners.get(loop, {}).get(address.name)
    if listener is None:
        raise ConnectionFailed(f"cannot connect to {address}: nobody serves it in this event loop")
    connect_pair(loop, protocol, listener(), address)
