"""Two one-way pipes as one transport, as standard input and output are; knows no process and no box."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, cast

_PATIENCE: Final = 1.0
"""Seconds in which the other end, which has stopped reading, may end what it writes. It is about to exit."""


class PipeTransport(asyncio.Transport):
    """Reads from one pipe and writes to another. `open` it, and the protocol is told that it is connected."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.Protocol,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(extra)
        self.loop = loop
        self._protocol = protocol
        self._reader: asyncio.ReadTransport | None = None
        self._writer: asyncio.WriteTransport | None = None
        self._is_closing = False
        self._ends_output = False
        self._error: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, read_from: BinaryIO, write_to: BinaryIO) -> None:
        """Begin. The files are the transport's from now on."""
        opening = asyncio.ensure_future(self._open(read_from, write_to))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await opening  # a pipe that is half connected is nobody's
            self.abort()
            raise

    async def _open(self, read_from: BinaryIO, write_to: BinaryIO) -> None:
        await self.loop.connect_write_pipe(lambda: _Output(self), write_to)
        await self.loop.connect_read_pipe(lambda: _Input(self), read_from)

    # What a protocol may do with its transport

    def write(self, data: Any) -> None:
        """Send bytes; dropped once the connection is closing, or the other end does not read."""
        if self._writer is not None and not self._is_closing:
            self._writer.write(data)

    def write_eof(self) -> None:
        """Send the end of the stream behind what was written."""
        self._ends_output = True
        if self._writer is not None:
            self._writer.close()

    def can_write_eof(self) -> bool:
        """It can: the two directions are two pipes."""
        return True

    def close(self) -> None:
        """Send what was written, then close; what comes meanwhile is dropped."""
        if not self._is_closing:
            self._is_closing = True
            self.resume_reading()
            self.write_eof()
            self._ended()

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = self._ends_output = True
        self._stop_writing()
        self._stop_reading()

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._is_closing

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        if self._reader is not None:
            self._reader.pause_reading()

    def resume_reading(self) -> None:
        """Deliver again what comes and has come."""
        if self._reader is not None:
            self._reader.resume_reading()

    def is_reading(self) -> bool:
        """Whether what comes is delivered."""
        return self._reader is not None and self._reader.is_reading()

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the pipe has not taken."""
        return self._writer.get_write_buffer_size() if self._writer is not None else 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the bytes above which the protocol is paused, and at which it is resumed."""
        if self._writer is not None:
            self._writer.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return (0, 0) if self._writer is None else self._writer.get_write_buffer_limits()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that receives here."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from now on."""
        self._protocol = cast(asyncio.Protocol, protocol)

    # What the pipes say

    def output_opened(self, transport: asyncio.WriteTransport) -> None:
        """Take the pipe to write to."""
        self._writer = transport

    def input_opened(self, transport: asyncio.ReadTransport) -> None:
        """Take the pipe to read from, and begin."""
        self._reader = transport
        self._protocol.connection_made(self)

    def received(self, data: bytes) -> None:
        """Deliver bytes, unless this end is closing."""
        if not self._is_closing:
            self._protocol.data_received(data)

    def paused(self) -> None:
        """Tell the protocol that the pipe is full."""
        self._protocol.pause_writing()

    def resumed(self) -> None:
        """Tell the protocol that the pipe has room again."""
        self._protocol.resume_writing()

    def output_lost(self, error: Exception | None) -> None:
        """The other end reads no more, or this end has closed; what the other end still writes is read, for a while."""
        self._writer = None
        self._error = self._error or error
        if not self._ends_output:
            self._protocol.resume_writing()  # what is written from now on is dropped, so nobody has to wait
            self._allow_input(_PATIENCE)
        self._ended()

    def input_lost(self, error: Exception | None) -> None:
        """The other end writes no more, or this end has closed."""
        self._reader = None
        self._error = self._error or error
        self._input_ended()
        self._ended()

    # The end; a subclass may have more to wait for

    def _input_ended(self) -> None:
        if not self._is_closing:
            self._protocol.eof_received()
            self.close()

    def _ended(self) -> None:
        """Tell the protocol of the end when both pipes are closed. An end that has closed waits for nothing to come."""
        if self._writer is None and self._is_closing:
            self._stop_reading()
        if self._writer is None and self._reader is None:
            self._lose(self._error)

    def _lose(self, error: Exception | None) -> None:
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        protocol, self._protocol = self._protocol, asyncio.Protocol()
        protocol.connection_lost(error)

    def _allow_input(self, seconds: float) -> None:
        """Stop reading then, but not while this end is too busy to read what has come."""
        self._later(seconds, lambda: self._input_is_late(seconds))

    def _input_is_late(self, seconds: float) -> None:
        if self._reader is not None and not self._reader.is_reading():
            self._allow_input(seconds)
        else:
            self._stop_reading()

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        """Act then, and not as it was planned before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, act)

    def _stop_writing(self) -> None:
        """Drop what the pipe has not taken. One that is closed and has nothing to drop must not be closed again."""
        writer = self._writer
        if writer is not None and not (writer.is_closing() and not writer.get_write_buffer_size()):
            writer.abort()

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.close()


class _Input(asyncio.Protocol):
    """The protocol of the pipe that is read."""

    def __init__(self, owner: PipeTransport) -> None:
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._owner.input_opened(cast(asyncio.ReadTransport, transport))

    def data_received(self, data: bytes) -> None:
        """Deliver it."""
        self._owner.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._owner.input_lost(exc)


class _Output(asyncio.BaseProtocol):
    """The protocol of the pipe that is written."""

    def __init__(self, owner: PipeTransport) -> None:
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._owner.output_opened(cast(asyncio.WriteTransport, transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._owner.output_lost(exc)

    def pause_writing(self) -> None:
        """Hold back."""
        self._owner.paused()

    def resume_writing(self) -> None:
        """Go on."""
        self._owner.resumed()
