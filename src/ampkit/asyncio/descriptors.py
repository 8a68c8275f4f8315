"""The descriptors of one connection: those on their way out with a box, and those that have come; knows no command."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ampkit.asyncio.channel import Channel
from ampkit.asyncio.unix_transport import UnixTransport
from ampkit.errors import LocalProtocolError
from ampkit.schema.descriptor import CHECKING, FileDescriptor
from ampkit.wire.text import printable

PATIENCE: Final = 1.0
"""Seconds between two looks at what nobody has taken. It is closed at the second look: its box was refused, came
too late, or was never sent, as a box follows its descriptors at once."""


class Descriptors:
    """Counts descriptors in both directions, as the other end does, and owns those that nobody has taken."""

    __slots__ = (
        "_channel",
        "_held",
        "_is_closed",
        "_is_quiet",
        "_most",
        "_old",
        "_received",
        "_sent",
        "_timer",
        "_waiting",
    )

    def __init__(self, channel: Channel, most: int, is_quiet: Callable[[], bool]) -> None:
        self._channel = channel
        self._most = most
        self._is_quiet = is_quiet
        self._sent = 0
        self._received = 0
        self._waiting: dict[int, FileDescriptor] = {}
        self._held = 0
        self._old = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    # Sending

    def pairs(self, encode: Callable[..., bytes], record: object) -> LatePairs:
        """Return the pairs of a record, encoded when its box is queued: that is when its descriptors are counted.

        Raises LocalProtocolError if it cannot be encoded, or this connection carries no descriptors.
        """
        if not isinstance(self._channel.transport, UnixTransport):
            raise LocalProtocolError(f"this connection carries no descriptors: {self._why_not()}")
        return LatePairs(self, encode, record)

    def _why_not(self) -> str:
        transport = self._channel.transport
        sock = None if transport is None else transport.get_extra_info("socket")
        if transport is None or sock is None or sock.family != getattr(socket, "AF_UNIX", None):
            return "only a unix socket does"
        is_secure = transport.get_extra_info("ssl_object") is not None
        return "TLS has none" if is_secure else "on this event loop it takes Options(descriptors=True)"

    def send(self, numbers: list[int]) -> None:
        """Take over descriptors and send them before what is queued next."""
        transport = self._channel.transport
        self._sent += len(numbers)
        if isinstance(transport, UnixTransport):
            transport.send_descriptors(numbers)

    @property
    def sent(self) -> int:
        """How many were sent: the number that stands for the next one."""
        return self._sent

    # Receiving

    def received(self, numbers: Iterable[int]) -> None:
        """Keep what has come until its box takes it; above the limit the oldest is closed."""
        for number in numbers:
            self._waiting[self._received] = FileDescriptor.adopt(number)
            self._received += 1
            if self._is_closed or len(self._waiting) + self._held > self._most:
                self._waiting.pop(next(iter(self._waiting))).close()
        if self._timer is None and self._waiting:
            self._old = 0
            self._look_later()

    def unpack(self, decode: Callable[..., Any], box: Mapping[bytes, bytes]) -> tuple[Any, Taken]:
        """Return what a box is decoded to, and the descriptors in it; they are closed if it cannot be decoded."""
        taken = Taken(self)
        try:
            return decode(box, taken), taken
        except BaseException:
            taken.close()
            raise

    def drop(self, box: Mapping[bytes, bytes], keys: Iterable[bytes]) -> None:
        """Close the descriptors of a box that is refused."""
        for key in keys:
            value = box.get(key, b"")
            if value.isdigit() and (file := self._waiting.pop(int(value), None)) is not None:
                file.close()

    def take(self, number: int) -> FileDescriptor:
        """Return one that waits. Raises ValueError if there is none."""
        try:
            file = self._waiting.pop(number)
        except KeyError:
            why = "has not come" if number >= self._received else "was closed: too many waited, or its box came late"
            raise ValueError(f"the descriptor {printable(b'%d' % number)} {why}") from None
        self._held += 1
        return file

    def give_back(self, count: int) -> None:
        """Count so many less as taken by those who have not ended."""
        self._held -= count

    # The end

    def close(self) -> None:
        """Close all that nobody has taken, and what still comes."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for file in self._waiting.values():
            file.close()
        self._waiting.clear()
        self._is_quiet = _always  # what it was has this object: a cycle would keep all of the connection

    def _look_later(self) -> None:
        self._timer = self._channel.loop.call_later(PATIENCE, self._look)

    def _look(self) -> None:
        """Close what was there at the last look already, unless its box may wait somewhere at this end."""
        self._timer = None
        if self._is_quiet():
            for number in [number for number in self._waiting if number < self._old]:
                self._waiting.pop(number).close()
            self._old = self._received
        if self._waiting:
            self._look_later()


class Taken:
    """The carrier of one box that has come: what it takes is closed with it, unless somebody takes it out."""

    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors
        self._files: dict[int, FileDescriptor] = {}

    def put(self, file: FileDescriptor) -> int:
        """Nothing is sent along with a box that has come."""
        raise ValueError(f"{file!r} cannot be sent")

    def take(self, number: int) -> FileDescriptor:
        """Return the one for this number; again, if a box is decoded again to say what is wrong with it."""
        if number not in self._files:
            self._files[number] = self._descriptors.take(number)
        return self._files[number]

    def release(self) -> None:
        """Leave them to whoever has them."""
        self._descriptors.give_back(len(self._files))
        self._files = {}

    def close(self) -> None:
        """Close those that nobody has taken out."""
        files = self._files
        self.release()
        for file in files.values():
            file.close()


class LatePairs:
    """The pairs of a box with descriptors, encoded when they are asked for as bytes. Until then nothing is sent."""

    def __init__(
        self, descriptors: Descriptors, encode: Callable[..., bytes], record: object, behind: bytes = b""
    ) -> None:
        self._descriptors = descriptors
        self._encode = encode
        self._record = record
        self._behind = behind
        self._size = len(encode(record, CHECKING)) + len(behind)

    def __len__(self) -> int:
        return self._size

    def __add__(self, more: bytes) -> LatePairs:
        return LatePairs(self._descriptors, self._encode, self._record, self._behind + more)

    def __bytes__(self) -> bytes:
        outgoing = _Outgoing(self._descriptors.sent)
        try:
            pairs: bytes = self._encode(self._record, outgoing)
        except BaseException:
            outgoing.close()
            raise
        self._descriptors.send(outgoing.numbers)
        return pairs + self._behind


class _Outgoing:
    """The carrier of one box that is being queued: duplicates, so that the program may close what it has."""

    def __init__(self, first: int) -> None:
        self.numbers: list[int] = []
        self._first = first

    def put(self, file: FileDescriptor) -> int:
        """Send a duplicate along."""
        self.numbers.append(os.dup(file.fileno()))
        return self._first + len(self.numbers) - 1

    def take(self, number: int) -> FileDescriptor:
        """Nothing comes along with a box that is sent."""
        return CHECKING.take(number)

    def close(self) -> None:
        """Close the duplicates."""
        for number in self.numbers:
            os.close(number)


def _always() -> bool:
    return True
