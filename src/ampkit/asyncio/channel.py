"""One transport and one core connection: when bytes are read, written and held back; knows no command and no call."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol, cast

from ampkit.core.connection import Connection
from ampkit.core.events import Event
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, RemoteProtocolError
from ampkit.wire.limits import Limits

_ONE_WRITE: Final = 65_536
"""Bytes above which what was queued is written at once and not at the end of the loop's turn."""


class Owner(Protocol):
    """Who takes a channel's events."""

    def opened(self) -> None:
        """Begin: the transport is there."""
        ...

    def may_read(self) -> bool:
        """Say whether the next event would be taken; when that changes to true, call `Channel.pull`."""
        ...

    def event_received(self, event: Event) -> None:
        """Take the next event."""
        ...

    def ended(self, reason: AmpError, waiters: list[Any]) -> None:
        """Take back the waiters of all asks that will not be answered."""
        ...


class Channel(asyncio.Protocol):
    """Moves bytes between a transport and a `Connection`.

    What is queued in one turn of the loop leaves in one write. Reading stops while the owner may not read.
    Callers wait for room while the transport holds more than `Limits.max_buffered_bytes`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, limits: Limits) -> None:
        self.loop = loop
        self.connection = Connection(limits)
        self.is_full = False
        """The other end takes bytes more slowly than they are written: wait for `room` before queueing more."""
        self.closed: asyncio.Future[None] = loop.create_future()
        """Done when the transport is closed."""
        self.transport: asyncio.Transport | None = None
        self._owner = owner
        self._limits = limits
        self._queued = 0
        self._flush_scheduled = False
        self.is_reading = True
        """Whether what comes is read; otherwise `pull` has to be called when the owner may read again."""
        self._pulling = False
        self._room: dict[asyncio.Future[Any], None] = {}
        self._linger: asyncio.TimerHandle | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the transport is open."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self.transport.set_write_buffer_limits(high=self._limits.max_buffered_bytes)
        self._owner.opened()

    def data_received(self, data: bytes) -> None:
        """Read boxes, as far as the owner may."""
        self.connection.receive(data)
        self.pull()

    def eof_received(self) -> None:
        """End: the other end has closed. Half-closed connections are not kept, as they look like dead ones."""
        self.end(self.connection.receive_end())

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the transport is closed, for whatever reason."""
        self.end(ConnectionLost(f"the connection broke: {exc}") if exc else self.connection.receive_end())
        if self._linger is not None:
            self._linger.cancel()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Hold callers back: the transport has more than its mark."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Let callers and readers go on."""
        self._make_room()
        self.pull()

    # Reading

    def pull(self) -> None:
        """Give the owner events while it may read and there are any, then write what that has queued."""
        if self._pulling or self.connection.state is State.CLOSED:
            return
        self._pulling = True
        try:
            self._set_reading(self._pull_events())
        except RemoteProtocolError as error:
            self.fail(error)
        finally:
            self._pulling = False
        self.flush()

    def _pull_events(self) -> bool:
        """Return true if all events were taken, false if the owner may not read on."""
        next_event, owner = self.connection.next_event, self._owner
        while owner.may_read():
            event = next_event()
            if event is None:
                return True
            owner.event_received(event)
        return False

    def _set_reading(self, wanted: bool) -> None:  # noqa: FBT001
        if wanted is not self.is_reading and self.transport is not None and not self.transport.is_closing():
            self.is_reading = wanted
            if wanted:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    # Writing

    def flush_soon(self, size: int) -> None:
        """Say that about `size` bytes were queued; they leave at the end of this turn, or at once if they are many."""
        self._queued += size
        if self._queued > _ONE_WRITE:
            self.flush()
        elif not self._flush_scheduled and not self._pulling:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_at_end_of_turn)

    def asked(self, size: int) -> None:
        """Say that an ask of about `size` bytes was queued: its answer may stand behind what is not being read."""
        self.flush_soon(size)
        if not self.is_reading:
            self.loop.call_soon(self.pull)

    def _flush_at_end_of_turn(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write what is queued."""
        self._queued = 0
        data = self.connection.take_output()
        if data and self.transport is not None:
            self.transport.write(data)

    def buffered(self) -> int:
        """Count the bytes that are queued or written and not yet taken by the other end."""
        return self._queued + (self.transport.get_write_buffer_size() if self.transport else 0)

    def room(self) -> asyncio.Future[Any]:
        """Return a future that is done when there may be room again; check `is_full` anew then."""
        future = self.loop.create_future()
        self._room[future] = None
        future.add_done_callback(self._room.pop)
        return future

    def _make_room(self) -> None:
        self.is_full = False
        for future in list(self._room):
            if not future.done():
                future.set_result(None)

    # The end

    def fail(self, reason: AmpError) -> None:
        """End at once because of what the other end did: what was queued is tried, nothing is waited for."""
        self.flush()
        self.end(reason)
        if self.transport is not None:
            self.transport.abort()

    def close(self, reason: AmpError, linger: float) -> None:
        """End, and give the other end `linger` seconds to take what was written."""
        self.flush()
        self.end(reason)
        if self.transport is None:
            return
        self.transport.close()
        if self._linger is None and not self.closed.done():
            self._linger = self.loop.call_later(linger, self.transport.abort)

    def end(self, reason: AmpError) -> None:
        """End the connection, not the transport: give all waiters back. Only the first end has an effect."""
        if self.connection.state is not State.CLOSED:
            waiters = self.connection.end(reason)
            self._make_room()
            self._owner.ended(reason, waiters)
