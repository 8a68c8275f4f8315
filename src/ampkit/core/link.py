"""Bytes in and out and the state of the connection; knows no tag and no waiter."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ampkit.core.states import Move, State, allowing, next_state
from ampkit.errors import AmpError, ConnectionLost, LocalProtocolError, NotSent, ProtocolSwitched
from ampkit.speed import fields
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits

_RECEIVING: Final = allowing(Move.RECEIVE)

if TYPE_CHECKING:
    from ampkit.speed import Fields as LinkFields
else:
    LinkFields = fields("LinkFields", "state", "decoder", "_output", "_queue", "_max_bytes")


class Link(LinkFields):
    """One connection's bytes: those received wait in `decoder`, those to be sent until they are taken."""

    __slots__ = ("_closes_later", "_limits", "end_reason", "is_secure")

    def __init__(self, limits: Limits) -> None:
        self.state = State.OPEN
        self.is_secure = False
        """Whether it has become secure; a link that was from its first byte its owner knows."""
        self.end_reason: AmpError | None = None
        """Why the connection is closed; None while it is not."""
        self.decoder = Decoder(limits)
        self._limits = limits
        self._max_bytes = min(limits.max_box_bytes, sys.maxsize)
        self._output: list[bytes] = []
        self._queue = self._output
        """Where boxes go: to the output, or to those that wait while the connection is about to change."""
        self._closes_later = False

    def move(self, move: Move) -> None:
        """Change the state. Raises LocalProtocolError where the table of states has no such move."""
        self.state = next_state(self.state, move)

    def hold(self, move: Move) -> None:
        """Move to a state in which what is sent from now on waits."""
        self.move(move)
        if self._queue is self._output:
            self._queue = []

    def keep(self, is_kept: Callable[[bytes], bool]) -> None:
        """Forget those boxes that wait for which this is false."""
        self._queue = [box for box in self._queue if is_kept(box)]

    def release(self, move: Move) -> None:
        """Move to where what has waited may leave, in its order; if it was closed meanwhile, it closes now."""
        self.move(move)
        self._output += self._queue
        self._queue = self._output
        if self._closes_later:
            self.move(Move.CLOSE)

    def secure(self) -> None:
        """Read and write boxes over TLS from now on; it is a stream of its own."""
        self.decoder = Decoder(self._limits)
        self.release(Move.SECURE)
        self.is_secure = True

    def close(self) -> None:
        """Begin to close, or do that once it is known what the connection becomes."""
        self._closes_later = True
        self.move(Move.CLOSE)

    def send(self, box: bytes) -> None:
        """Queue one encoded box. Raises LocalProtocolError if it is larger than the limit."""
        if len(box) > self._max_bytes:
            raise LocalProtocolError(f"a box of {len(box)} bytes; the limit is max_box_bytes={self._max_bytes}")
        self._queue.append(box)

    def send_at_any_size(self, box: bytes) -> None:
        """Queue one encoded box for which there is no smaller one."""
        self._queue.append(box)

    def take_boxes(self) -> list[bytes]:
        """Return the boxes that are to be written, and forget them."""
        boxes: list[bytes] = []  # first, as it may call the garbage collector, and that anything: also `send` and `end`
        boxes += self._output
        self._output.clear()
        return boxes

    @property
    def has_output(self) -> bool:
        """Whether `take_boxes` would return any."""
        return bool(self._output)

    def receive(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the other end; what comes after the end is dropped."""
        if self.state in _RECEIVING:
            self.decoder.feed(data)

    def end(self, reason: AmpError) -> None:
        """Close for good and forget all bytes; the first reason is kept."""
        self.move(Move.END)
        self.end_reason = self.end_reason or reason
        self.decoder = Decoder(self._limits)
        self._output.clear()
        self._queue.clear()

    def lost(self) -> ConnectionLost:
        """Return the error for those who ask after the end, whose reason is its cause, or during a switch."""
        if self.state is State.SWITCHING:
            return ProtocolSwitched("this end has asked for another protocol; nothing can be asked meanwhile")
        error = NotSent(f"the connection has ended: {self.end_reason}")
        error.__cause__ = self.end_reason
        return error
