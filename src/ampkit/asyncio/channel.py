"""One transport and one core connection: when bytes are read, written and held back; knows no command and no call."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol, cast

from ampkit.asyncio.deadlines import Waiting
from ampkit.asyncio.intake import EventIntake
from ampkit.asyncio.late import late
from ampkit.asyncio.portions import ONE_WRITE, OVERHEAD
from ampkit.core.connection import Connection
from ampkit.core.events import Event
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, ProtocolSwitched
from ampkit.wire.limits import Limits

if TYPE_CHECKING:
    from ampkit.asyncio.flow import PythonFlow as Flow
else:
    from ampkit.asyncio.flow import Flow


class Owner(Protocol):
    """Who takes a channel's events."""

    def opened(self, transport: asyncio.Transport) -> None:
        """Begin: the transport is there."""
        ...

    def event_received(self, event: Event) -> bool:
        """Take the next event, or return false: then it is offered again by and by, and nothing is read before."""
        ...

    def room_made(self) -> bool:
        """Go on with what had to wait: the other end has taken what was written, or `Channel.pull_soon` was called.

        Return false if no more is to be read in this turn of the loop: then `pull_soon` has been called.
        """
        ...

    def descriptors_received(self, numbers: list[int]) -> None:
        """Take over descriptors."""
        ...

    def ended(self, reason: AmpError, waiters: list[Any]) -> None:
        """Take back the waiters of all asks that will not be answered."""
        ...

    def closed(self) -> None:
        """Take note that the transport is closed, or another protocol's."""
        ...


class Channel(Flow, asyncio.Protocol):
    """Moves bytes between a transport and a `Connection`.

    What is queued in one turn of the loop leaves in one write. Reading stops while the owner cannot take the next
    event. Callers wait for room while the transport holds more than `Limits.max_buffered_bytes`.
    """

    __slots__ = (
        "__weakref__",
        "_is_paused",
        "_linger",
        "_made_closed",
        "_max_buffered",
        "_owner",
        "_room",
        "hindered",
        "is_closed",
    )

    held: Event | None  # as in Flow; without this, pyright takes it for a None

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, connection: Connection, limits: Limits) -> None:
        super().__init__(loop, connection, min(ONE_WRITE, limits.max_buffered_bytes))
        self.is_closed = False
        """Whether the transport is closed, or another protocol's."""
        self.intake = EventIntake(self, owner)
        self.hindered = 0
        """How many asks wait before they are sent."""
        self._owner = owner
        self._max_buffered = limits.max_buffered_bytes
        self._is_paused = False
        self._room: OrderedDict[Waiting, int] | None = None
        self._made_closed: asyncio.Future[None] | None = None
        self._linger: asyncio.TimerHandle | None = None

    @late
    def closed(self) -> asyncio.Future[None]:
        """Done when the transport is closed, or another protocol's."""
        closed: asyncio.Future[None] = self.loop.create_future()
        if self.is_closed:
            closed.set_result(None)
        return closed

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the transport is open."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self.transport.set_write_buffer_limits(high=self._max_buffered)
        # asyncio's own puts the pieces together too, or, up to Python 3.13.1, does not say when it has too many.
        self._takes_pieces = not type(transport).__module__.startswith("asyncio.")
        self._owner.opened(self.transport)

    def descriptors_received(self, numbers: list[int]) -> None:
        """Take over the descriptors that came with the bytes which follow."""
        self._owner.descriptors_received(numbers)

    def eof_received(self) -> None:
        """End: the other end has closed. Half-closed connections are not kept, as they look like dead ones."""
        self.end(self.connection.receive_end())

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the transport is closed, for whatever reason."""
        self.end(_broken(exc) if exc else self.connection.receive_end())
        if self._linger is not None:
            self._linger.cancel()
        self._close()
        del self._owner, self.intake  # they have this channel: a cycle would keep all until the garbage collector comes

    def pause_writing(self) -> None:
        """Hold callers back: the transport has more than its mark."""
        self.is_full = self._is_paused = True

    def resume_writing(self) -> None:
        """Let callers and readers go on."""
        self._is_paused = False
        self._make_room()

    # Reading

    @property
    def is_idle(self) -> bool:
        """Whether no received box, nor part of one, waits here."""
        return self.is_reading and self.held is None and self.connection.is_between_boxes

    def pull_soon(self) -> None:
        """Say that what had to wait may be able to go on."""
        if not self._pull_scheduled:
            self._pull_scheduled = True
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._pull_scheduled = False
        if self.connection.state is not State.CLOSED and self._owner.room_made():
            self.pull()

    # Writing

    def buffered(self) -> int:
        """Count the bytes that are queued or written and not yet taken by the other end."""
        return self._queued + (self.transport.get_write_buffer_size() if self.transport else 0)

    # Waiting for room

    def room(self, size: int) -> asyncio.Future[AmpError | None]:
        """Return a future that is done when there is room for a box of that size, or the connection has ended.

        Its result is an error if an ask that waited must not be sent.
        """
        future: asyncio.Future[AmpError | None] = self.loop.create_future()
        self.line_up(future, size)
        future.add_done_callback(self.leave)
        return future

    def line_up(self, waiter: Waiting, size: int) -> None:
        """Let a waiter wait as the future of `room` does: it may queue a box as soon as it gets the result."""
        if self._room is None:
            self._room = OrderedDict()
        self._room[waiter] = size + OVERHEAD

    def leave(self, waiter: Waiting) -> None:
        """Let it wait no more."""
        if self._room is not None:
            self._room.pop(waiter, None)

    def waiting_for_room(self) -> Waiting | None:
        """Return one of those that wait and are not done."""
        return next((waiter for waiter in self._room or () if not waiter.done()), None)

    def _make_room(self) -> None:
        """Let as many go on as fill the room, in their order; if all woke at once, most would wait again."""
        if self._is_held:
            return
        room = self._max_buffered
        while self._room:
            if room <= 0:
                self.loop.call_soon(self._make_more_room)
                return
            room -= _wake_first(self._room, None)
            if self._is_paused:  # by what it has queued
                return
        self.is_full = False
        self._go_on()

    def _make_more_room(self) -> None:
        self.flush()
        if not self._is_paused:
            self._make_room()

    def _make_all_room(self) -> None:
        self.is_full = self._is_paused = self._is_held = False
        self._wake(None)

    def _wake(self, refused: AmpError | None) -> None:
        while self._room:
            _wake_first(self._room, refused)

    # While the connection is about to become secure

    def hold(self) -> None:
        """Let callers wait from now on: what they would send is kept back."""
        self.is_full = self._is_held = True

    def release(self, refused: AmpError | None) -> None:
        """Let those who wait go on, or refuse them all with an error."""
        self._is_held = False
        self._queued = 0
        if refused is not None:
            self._wake(refused)
        if not self._is_paused:
            self._make_room()

    # The end

    def hand_over(self, protocol: asyncio.Protocol, received: bytes) -> None:
        """End because the transport is another protocol's now, with what was received for it already."""
        self.flush()
        transport, self.transport = self.transport, None
        assert transport is not None  # noqa: S101 - it has just brought an event
        is_paused = self._is_paused
        self.end(ProtocolSwitched("the connection speaks another protocol now"))
        self._close()
        transport.set_write_buffer_limits()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if is_paused:
            protocol.pause_writing()
        if received:
            protocol.data_received(received)
        if not self.is_reading:
            transport.resume_reading()

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
        if self.transport is not None and not self.is_closed:
            self.transport.close()
            self._abort_after(linger, self.transport)

    def finish(self, reason: AmpError, linger: float) -> None:
        """End like `close`, and wait at most `linger` seconds for the other end to close too.

        What it sends is read and dropped until then. If the socket were closed with anything unread in it, the
        system would reset the connection, and what the other end has not taken yet would be lost.
        """
        transport = self.transport
        if transport is None or transport.is_closing() or not transport.can_write_eof():
            return self.close(reason, linger)
        self.flush()
        self.end(reason)
        transport.write_eof()
        if not self.is_reading:
            self._set_reading(True)
        return self._abort_after(linger, transport)

    def _abort_after(self, linger: float, transport: asyncio.Transport) -> None:
        """Abort when the time is over; the shortest time that anybody gives counts."""
        when = self.loop.time() + linger
        if self._linger is None or when < self._linger.when():
            if self._linger is not None:
                self._linger.cancel()
            self._linger = self.loop.call_at(when, transport.abort)

    def end(self, reason: AmpError) -> None:
        """End the connection, not the transport: give all waiters back. Only the first end has an effect."""
        if self.connection.state is not State.CLOSED:
            waiters = self.connection.end(reason)
            self.held = None
            self._make_all_room()
            if self.turns is not None:
                self.turns.ended(self, is_done=True)
            self._owner.ended(reason, waiters)

    def _close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            if self._made_closed is not None and not self._made_closed.done():
                self._made_closed.set_result(None)
            self._owner.closed()


def _wake_first(line: OrderedDict[Waiting, int], refused: AmpError | None) -> int:
    """Let the first one go on, or refuse it with an error; return the size of what it will queue."""
    waiter, size = line.popitem(last=False)
    if waiter.done():
        return 0
    waiter.set_result(refused)
    return size


def _broken(exc: Exception) -> AmpError:
    if isinstance(exc, AmpError):
        return exc
    reason = ConnectionLost(f"the connection broke: {exc}")
    reason.__cause__ = exc.with_traceback(None)
    return reason
