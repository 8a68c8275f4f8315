"""Two sans-I/O connections joined by function calls: bytes move when the test says so; knows no loop and no command.

    pair = Pair(chunk=1)
    pair.left.ask(b"Sum", {b"a": b"13", b"b": b"81"}, waiter="the sum")
    asked = pair.exchange().right  # [AskReceived(tag=b"1", command=b"Sum", box={b"a": b"13", b"b": b"81"})]

What one end queues stays there until `exchange` moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from ampkit.core.connection import Connection
from ampkit.core.events import Event
from ampkit.core.states import State
from ampkit.errors import AmpError, RemoteProtocolError
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

T = TypeVar("T")


class Ends(NamedTuple, Generic[T]):
    """The same thing for each end."""

    left: T
    right: T


@dataclass(slots=True)
class ConnectionEnded:
    """The last event of an end: why it ended, and the waiters of its asks that were not answered."""

    reason: AmpError
    waiters: list[Any]


Seen: TypeAlias = Event | ConnectionEnded
"""What `Pair.exchange` returns of an end: the events of its connection, and its end."""


class Pair:
    """Two `Connection`s, `left` and `right`, and the bytes between them.

    The pair does for each end what the owner of a connection has to do: it moves bytes, pulls events, and ends
    the connection where the bytes are not AMP or the other end has ended. What the events mean is left to the test.

    `chunk` is the most bytes that are received at a time (None: all there are). `cut_after` breaks the
    connection when that many bytes have moved, both directions together; what else was sent is lost. Raises
    ValueError unless both are positive.
    """

    def __init__(
        self, *, chunk: int | None = None, cut_after: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        for name, value in {"chunk": chunk, "cut_after": cut_after}.items():
            if value is not None and value < 1:
                raise ValueError(f"{name} must be positive, not {value}")
        self.left = Connection(limits)
        self.right = Connection(limits)
        self._chunk = chunk
        self._cut_after = cut_after
        self._to_right = _Lane(self.left, self.right)
        self._to_left = _Lane(self.right, self.left)

    def exchange(self) -> Ends[list[Seen]]:
        """Move all that both ends have sent, a chunk to the right and a chunk to the left in turns.

        Returns the events that each end got from it, in their order, and from bytes of the test's own, which it may
        have given to an end with `receive` before.
        """
        seen: Ends[list[Seen]] = Ends([], [])
        is_busy = True
        while is_busy:
            is_busy = any([self._to_right.load(), self._to_left.load()])
            seen.right.extend(self._to_right.move(self._room()))
            seen.left.extend(self._to_left.move(self._room()))
            if self._room() == 0:
                for events, ended in zip(seen, self.cut(), strict=True):
                    events.extend(ended)
        return seen

    def cut(self) -> Ends[list[ConnectionEnded]]:
        """Break the connection: what is under way is lost. Returns how each end that was not closed has ended."""
        return Ends(self._to_left.cut(), self._to_right.cut())

    def _room(self) -> int | None:
        """Return how many bytes may be received next, None for any number."""
        if self._cut_after is None:
            return self._chunk
        uncut = self._cut_after - self._to_right.moved - self._to_left.moved
        return uncut if self._chunk is None else min(uncut, self._chunk)


class _Lane:
    """One direction: the bytes that `source` has sent and `target` has not received."""

    def __init__(self, source: Connection, target: Connection) -> None:
        self.moved = 0
        """Bytes that the target has received."""
        self._source = source
        self._target = target
        self._flying = bytearray()

    def load(self) -> bool:
        """Take what the source has sent; return whether there is anything to move, be it the end."""
        self._flying += self._source.take_output()
        if self._target.state is State.CLOSED:
            self._flying.clear()
            return False
        return bool(self._flying) or self._source.state is State.CLOSED

    def move(self, most: int | None) -> list[Seen]:
        """Move at most so many bytes, or, where none are left of a closed source, its end."""
        if not self._flying and self._source.state is State.CLOSED:
            return [*self.cut()]
        piece = bytes(self._flying[:most])
        del self._flying[:most]
        self.moved += len(piece)
        self._target.receive(piece)
        return self._pull()

    def cut(self) -> list[ConnectionEnded]:
        """Lose what flies, and tell the target that nothing more comes."""
        self._flying.clear()
        if self._target.state is State.CLOSED:
            return []
        reason = self._target.receive_end()
        return [ConnectionEnded(reason, self._target.end(reason))]

    def _pull(self) -> list[Seen]:
        seen: list[Seen] = []
        try:
            while (event := self._target.next_event()) is not None:
                seen.append(event)
        except RemoteProtocolError as error:
            seen.append(ConnectionEnded(error, self._target.end(error)))
        return seen
