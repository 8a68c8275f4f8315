"""Bytes in and out and the state of the connection; knows no tag and no waiter."""

from __future__ import annotations

from typing import Final

from ampkit.core.states import Move, State, allowing, next_state
from ampkit.errors import AmpError, LocalProtocolError, NotSent
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits

_RECEIVING: Final = allowing(Move.RECEIVE)


class Link:
    """One connection's bytes: those received wait in `decoder`, those to be sent until they are taken."""

    def __init__(self, limits: Limits) -> None:
        self.state = State.OPEN
        self.end_reason: AmpError | None = None
        """Why the connection is closed; None while it is not."""
        self.decoder = Decoder(limits)
        self._limits = limits
        self._max_bytes = limits.max_box_bytes
        self._output: list[bytes] = []

    def move(self, move: Move) -> None:
        """Change the state. Raises LocalProtocolError where the table of states has no such move."""
        self.state = next_state(self.state, move)

    def send(self, box: bytes) -> None:
        """Queue one encoded box. Raises LocalProtocolError if it is larger than the limit."""
        if len(box) > self._max_bytes:
            raise LocalProtocolError(f"a box of {len(box)} bytes; the limit is max_box_bytes={self._max_bytes}")
        self._output.append(box)

    def send_at_any_size(self, box: bytes) -> None:
        """Queue one encoded box for which there is no smaller one."""
        self._output.append(box)

    def take_output(self) -> bytes:
        """Return what is to be written, and forget it."""
        output = self._output
        if len(output) == 1:
            return output.pop()
        data = b"".join(output)
        output.clear()
        return data

    @property
    def has_output(self) -> bool:
        """Whether `take_output` would return anything."""
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

    def lost(self) -> NotSent:
        """Return the error for those who ask after the end; the reason of the end is its cause."""
        error = NotSent(f"the connection has ended: {self.end_reason}")
        error.__cause__ = self.end_reason
        return error
