"""A unix socket as a transport that carries file descriptors beside its bytes; knows no box and no ordinal."""

from __future__ import annotations

import array
import asyncio
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol, cast, runtime_checkable

from ampkit.asyncio.late import NOTHING
from ampkit.errors import ConnectionLost

_READ_SIZE: Final = 65_536
"""Bytes of one read: as much as the other end writes at once, and one full value."""

_MOST_AT_ONCE: Final = 253
"""Linux: descriptors that one message carries."""

_MOST_PIECES: Final = 64
"""Pieces that one call of the system takes; Linux has room for 1,024, and each costs a little."""

_INT: Final = array.array("i").itemsize
_ANCILLARY: Final = socket.CMSG_SPACE(_MOST_AT_ONCE * _INT) if hasattr(socket, "CMSG_SPACE") else 0
"""Where there is none, there are no such sockets either."""

_CLOSE_ON_EXEC: Final = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

_HIGH: Final = 65_536
"""Unsent bytes above which the protocol is paused, unless it says otherwise: what asyncio's transports have."""


@runtime_checkable
class TakesDescriptors(Protocol):
    """A protocol that wants the descriptors that come; from any other they are closed."""

    def descriptors_received(self, numbers: list[int]) -> None:
        """Take over descriptors. The bytes that they came with follow in `data_received`."""
        ...


class UnixTransport(asyncio.Transport):
    """A connected stream socket of the family AF_UNIX, which it takes over.

    Descriptors that are sent leave with the next bytes that are written, or with some that wait still: never
    later than those. What is not sent by the end is closed.
    """

    __slots__ = (
        "_buffer",
        "_descriptors",
        "_ends_output",
        "_fd",
        "_high",
        "_is_closing",
        "_is_full",
        "_is_lost",
        "_is_reading",
        "_loop",
        "_low",
        "_peername",
        "_protocol",
        "_sock",
        "_sockname",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: asyncio.Protocol) -> None:
        super().__init__(NOTHING)
        sock.setblocking(False)
        self._sockname = _shared(sock.getsockname())
        self._peername = _peer_name(sock)
        self._loop = loop
        self._sock = sock
        self._fd = sock.fileno()
        self._buffer: bytes | bytearray = b""
        self._descriptors: Sequence[int] = ()
        self._high, self._low = _HIGH, _HIGH // 4
        self._is_full = False
        self._is_reading = True
        self._is_closing = False
        self._is_lost = False
        self._ends_output = False
        self.set_protocol(protocol)

    def begin(self) -> None:
        """Tell the protocol that it is connected, and read."""
        self._protocol.connection_made(self)
        if self._is_reading and not self._is_closing:
            self._loop.add_reader(self._fd, self._readable)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; dropped once this end is closing."""
        if self._is_closing or self._ends_output or not data:
            return
        if not self._buffer:
            sent = self._send(data)
            if sent == len(data) or self._is_closing:
                return
            data = memoryview(data)[sent:]
        self._keep(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send pieces as one, and copy only what the socket does not take at once."""
        if self._buffer or self._descriptors or self._is_closing or self._ends_output:
            self.write(b"".join(list_of_data))
            return
        pieces = [memoryview(data) for data in list_of_data]
        sent = self._send_pieces(pieces)
        while pieces and sent >= len(pieces[0]):
            sent -= len(pieces.pop(0))
        if pieces and not self._is_closing:
            pieces[0] = pieces[0][sent:]
            self._keep(b"".join(pieces))

    def _keep(self, data: bytes | bytearray | memoryview) -> None:
        """Send it when the socket takes more."""
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = bytearray(data)
            self._loop.add_writer(self._fd, self._writable)
        if len(self._buffer) > self._high and not self._is_full:
            self._is_full = True
            self._protocol.pause_writing()

    def send_descriptors(self, numbers: Iterable[int]) -> None:
        """Take over descriptors and send them with the bytes that are written next, at the latest."""
        self._descriptors = [*self._descriptors, *numbers]
        if self._is_closing:
            self._close_descriptors()

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        """Send what the socket takes, and return how many bytes."""
        try:
            return self._sock.send(data) if not self._descriptors else self._send_beside(memoryview(data))
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._fail(error)
            return 0

    def _send_pieces(self, pieces: list[memoryview]) -> int:
        try:
            return self._sock.sendmsg(pieces[:_MOST_PIECES])
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._fail(error)
            return 0

    def _send_beside(self, data: memoryview) -> int:
        """Send all descriptors, in messages of a byte each as long as there are too many for one."""
        with data:
            sent = 0
            while self._descriptors:
                batch = self._descriptors[:_MOST_AT_ONCE]
                is_last = len(batch) == len(self._descriptors) or sent == len(data) - 1
                message = data[sent:] if is_last else data[sent : sent + 1]
                try:
                    sent += self._sock.sendmsg(
                        [message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", batch))]
                    )
                except (BlockingIOError, InterruptedError):
                    break
                self._descriptors = self._descriptors[len(batch) :]
                _close_all(batch)
                if is_last:
                    break
            return sent

    def _writable(self) -> None:
        sent = self._send(self._buffer)
        if self._is_lost or self._is_aborted():
            return
        if sent == len(self._buffer):
            self._buffer = b""
        elif isinstance(self._buffer, bytearray):  # as what waits always is
            del self._buffer[:sent]
        if not self._buffer:
            self._loop.remove_writer(self._fd)
        if self._is_full and len(self._buffer) <= self._low:
            self._is_full = False
            self._protocol.resume_writing()  # which may write more
        if not self._buffer and not self._is_lost:
            if self._is_closing:
                self._lose(None)
            elif self._ends_output:
                self._shut_down()

    def write_eof(self) -> None:
        """Send the end of the stream behind what was written."""
        if not self._ends_output and not self._is_closing:
            self._ends_output = True
            if not self._buffer:
                self._shut_down()

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the socket has not taken."""
        return len(self._buffer)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the bytes above which the protocol is paused, and at which it is resumed."""
        self._high = high if high is not None else _HIGH if low is None else 4 * low
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return self._low, self._high

    # Reading

    def _readable(self) -> None:
        try:
            data, beside, flags, _ = self._sock.recvmsg(_READ_SIZE, _ANCILLARY, _CLOSE_ON_EXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        try:
            if beside or flags & socket.MSG_CTRUNC:
                self._take(beside, flags)
            if self._is_closing:
                return
            if data:
                self._protocol.data_received(data)
            elif not self._protocol.eof_received():
                self.close()
            else:
                self._stop_reading()
        except Exception as error:  # noqa: BLE001 - the protocol's own mistake must not stop the loop
            self._loop.call_exception_handler({"message": "a protocol failed", "exception": error, "transport": self})
            self._fail(error)

    def _take(self, beside: list[tuple[int, int, bytes]], flags: int) -> None:
        numbers = [number for level, kind, data in beside for number in _numbers(level, kind, data)]
        if flags & socket.MSG_CTRUNC:
            _close_all(numbers)
            self._fail(ConnectionLost("descriptors were lost on their way in: this process has too many open files"))
        elif isinstance(self._protocol, TakesDescriptors):
            self._protocol.descriptors_received(numbers)
        else:
            _close_all(numbers)

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        if self._is_reading and not self._is_closing:
            self._is_reading = False
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        """Deliver again what comes and has come."""
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._loop.add_reader(self._fd, self._readable)

    def is_reading(self) -> bool:
        """Whether what comes is delivered."""
        return self._is_reading and not self._is_closing

    # The end

    def close(self) -> None:
        """Send what was written, then close; what comes meanwhile is dropped."""
        if not self._is_closing:
            self._is_closing = True
            self._stop_reading()
            if not self._buffer:
                self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Close at once."""
        self._end(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the "socket", its "sockname" or its "peername"."""
        return {"socket": self._sock, "sockname": self._sockname, "peername": self._peername}.get(name, default)

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._is_closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that receives here."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from now on."""
        self._protocol = cast(asyncio.Protocol, protocol)

    def _fail(self, error: Exception) -> None:
        self._end(error)

    def _is_aborted(self) -> bool:
        return self._is_closing and not self._buffer

    def _end(self, error: Exception | None) -> None:
        """Close without sending what waits; the protocol hears of it in the next turn of the loop."""
        if self._is_lost or self._is_aborted():
            return
        self._stop_reading()
        self._loop.remove_writer(self._fd)
        self._is_closing = True
        self._buffer = b""
        self._close_descriptors()
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._close_descriptors()
            self._sock.close()
            protocol, self._protocol = self._protocol, asyncio.Protocol()
            protocol.connection_lost(error)

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._fd)

    def _shut_down(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:  # the other end has gone
            self._fail(error)

    def _close_descriptors(self) -> None:
        _close_all(self._descriptors)
        self._descriptors = ()


def _shared(name: Any) -> Any:
    """Return the same text for all who have an equal one: a server has many sockets of one name."""
    return sys.intern(name) if type(name) is str else name


def _peer_name(sock: socket.socket) -> Any:
    try:
        return sock.getpeername()
    except OSError:  # the other end has gone already
        return None


def _numbers(level: int, kind: int, data: bytes) -> Iterable[int]:
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return ()
    numbers = array.array("i", data[: len(data) - len(data) % _INT])
    if not _CLOSE_ON_EXEC:
        for number in numbers:
            os.set_inheritable(number, False)
    return numbers


def _close_all(numbers: Iterable[int]) -> None:
    for number in numbers:
        os.close(number)
