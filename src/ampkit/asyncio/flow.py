"""What a turn of the loop does with the bytes of a connection: what came is taken, what was queued is written.

Knows no waiter and no end: `Channel` is made of it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from ampkit.asyncio.intake import Intake
from ampkit.asyncio.portions import ALONE, MOST_IN_TURN, OVERHEAD
from ampkit.asyncio.turns import Turns
from ampkit.core.connection import Connection
from ampkit.core.events import Event
from ampkit.core.states import State
from ampkit.errors import AmpError, RemoteProtocolError
from ampkit.speed import twin


class PythonFlow:
    """Reads and writes, each once in a turn if it can be, and reads no more while `intake` has something that waits."""

    __slots__ = (
        "_flush_scheduled",
        "_is_held",
        "_one_write",
        "_pull_scheduled",
        "_pulling",
        "_queued",
        "_takes_pieces",
        "connection",
        "heard",
        "held",
        "intake",
        "is_full",
        "is_reading",
        "loop",
        "transport",
        "turns",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: Connection, one_write: int) -> None:
        self.loop = loop
        self.connection = connection
        self.transport: asyncio.Transport | None = None
        self.intake: Intake
        self.turns: Turns | None = None
        """How much it takes at a time, if it shares that with others."""
        self.held: Event | None = None
        """The event that nobody has taken yet."""
        self.heard = False
        """Set with each read, for whoever looks now and then."""
        self.is_reading = True
        """Whether what comes is read; otherwise call `pull_soon` when the next event may be taken."""
        self.is_full = False
        """Wait for `room` before queueing more: the other end is slow to take what was written, or others wait."""
        self._one_write = one_write
        self._queued = 0
        self._is_held = self._takes_pieces = False
        self._flush_scheduled = self._pull_scheduled = self._pulling = False

    def fail(self, reason: AmpError) -> None:
        """End at once because of what the other end did."""
        raise NotImplementedError  # `Channel` knows how, and nothing else is made of this

    # Reading

    def data_received(self, data: bytes) -> None:
        """Read boxes, as far as they can be taken."""
        self.heard = True
        self.connection.receive(data)
        self.pull()

    def pull(self) -> None:
        """Take events while there are any and they can be taken, then write what that has queued."""
        if self._pulling or self.connection.state is State.CLOSED:
            return
        self._pulling = True
        try:
            turns = self.turns
            took_all = self.intake.take(MOST_IN_TURN if turns is None else turns.size)
            if turns is not None and (self._pull_scheduled or turns.busy):
                turns.ended(self, is_done=took_all or not self._pull_scheduled)
            if took_all is not self.is_reading:
                self._set_reading(took_all)
        except RemoteProtocolError as error:
            self.fail(error.with_traceback(None))  # whose frames have this channel
        finally:
            self._pulling = False
        self.flush()

    def _set_reading(self, wanted: bool) -> None:
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self.is_reading = wanted
            if wanted:
                transport.resume_reading()
            else:
                transport.pause_reading()

    # Writing

    def flush_soon(self, size: int) -> None:
        """Say that a box with `size` bytes of pairs was queued: it leaves at the end of this turn, at the latest."""
        self._queued += size + OVERHEAD
        if self._queued > self._one_write:
            self.flush()
        elif not self._flush_scheduled and not self._pulling:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_at_end_of_turn)

    def _flush_at_end_of_turn(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write what is queued."""
        size = self._queued
        if not self._is_held:
            self._queued = 0
        boxes = self.connection.take_boxes()
        transport = self.transport
        if not boxes or transport is None:
            return
        if len(boxes) == 1:
            transport.write(boxes[0])
        elif self._takes_pieces and size > ALONE * len(boxes):
            transport.writelines(boxes)
        else:
            transport.write(b"".join(boxes))


Flow: Final = twin("Flow", PythonFlow)
