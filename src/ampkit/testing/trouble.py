"""A bad line between two asyncio protocols: bytes come in pieces, late, perhaps not all; the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from ampkit.asyncio.address import MemoryAddress
from ampkit.asyncio.memory import connect_pair

_LARGEST_PIECE_LOG2: Final = 14
"""Pieces are up to 1, 2, 4, ... 16,384 bytes, each bound as likely: boxes are cut inside, and large ones do arrive."""

_MOST_TURNS: Final = 3
"""Turns of the event loop, at most, that a piece is late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a line does to the bytes on it, for `peer_pair(trouble=...)`.

    What is received comes in pieces of random size, each some turns of the event loop after the one before.
    The order within one direction is kept, and nobody sleeps. With `cut_after` both ends lose the connection
    when that many bytes, both directions together, have been delivered. All is decided by `seed`.
    """

    seed: int
    cut_after: int | None = None

    def connect_pair(
        self, loop: asyncio.AbstractEventLoop, here: asyncio.Protocol, there: asyncio.Protocol, address: MemoryAddress
    ) -> None:
        """Join two protocols by this line, as `ampkit.asyncio.memory.connect_pair` does without one."""
        line = _Line(loop, self)
        connect_pair(loop, here, line.near, address)
        connect_pair(loop, there, line.far, address)


class _Line:
    """Two relays, each of which hands on what the end on its side has sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trouble: Trouble) -> None:
        self._uncut = trouble.cut_after
        self.near = _Relay(loop, random.Random(f"{trouble.seed} near"), self)  # noqa: S311 - reproducible, not secret
        self.far = _Relay(loop, random.Random(f"{trouble.seed} far"), self)  # noqa: S311 - as above
        self.near.other, self.far.other = self.far, self.near

    def admit(self, piece: bytes) -> bytes:
        """Return what of a piece is delivered before the line is cut."""
        if self._uncut is None:
            return piece
        piece = piece[: self._uncut]
        self._uncut -= len(piece)
        return piece

    def cut_if_due(self) -> None:
        """Lose the connection for both ends, if all bytes before the cut were delivered."""
        if self._uncut == 0:
            self.near.abort()
            self.far.abort()


class _Relay(asyncio.Protocol):
    """Receives from the end on its side and writes to the end on the other; reads no further before that is done."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random, line: _Line) -> None:
        self.other: _Relay
        self._loop = loop
        self._dice = dice
        self._line = line
        self._transport: asyncio.Transport
        self._waiting = b""
        self._is_other_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting = data
        self._transport.pause_reading()
        self._wait(self._dice.randint(0, _MOST_TURNS))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side in the same way; nothing waits here at an orderly end, as it is not read before."""
        self._waiting = b""
        if exc is None:
            self.other._transport.close()
        else:
            self.other.abort()

    def pause_writing(self) -> None:
        self.other._is_other_full = True

    def resume_writing(self) -> None:
        self.other._is_other_full = False
        self.other._wait(0)

    def abort(self) -> None:
        """Break the connection to the end on this side."""
        self._transport.abort()

    def _wait(self, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._wait, turns - 1)
        else:
            self._loop.call_soon(self._hand_on)

    def _hand_on(self) -> None:
        if self._is_other_full or not self._waiting:
            return
        size = self._dice.randint(1, 1 << self._dice.randint(0, _LARGEST_PIECE_LOG2))
        self.other._transport.write(self._line.admit(self._waiting[:size]))
        self._waiting = self._waiting[size:]
        if self._waiting:
            self._wait(self._dice.randint(0, _MOST_TURNS))
        else:
            self._transport.resume_reading()
        self._line.cut_if_due()
