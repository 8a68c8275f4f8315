"""What one read brings, event by event, for whoever takes it; runs nothing itself."""

from __future__ import annotations

from typing import Protocol

from ampkit.core.connection import Connection
from ampkit.core.events import Event


class Receiver(Protocol):
    """The channel, as far as it is looked at here."""

    connection: Connection
    held: Event | None

    def pull_soon(self) -> None:
        """Go on in another turn of the loop."""
        ...


class Taker(Protocol):
    """Who takes its events."""

    def event_received(self, event: Event) -> bool:
        """Take an event, or return false: then it is offered again."""
        ...


class Intake(Protocol):
    """Takes what a channel has received."""

    def take(self, most: int, /) -> bool:
        """Take at most so many events; return true if there is none left, false if one has to wait."""
        ...


class EventIntake:
    """Takes one event after the other out of a connection."""

    __slots__ = ("_channel", "_taker")

    def __init__(self, channel: Receiver, taker: Taker) -> None:
        self._channel = channel
        self._taker = taker

    def take(self, most: int) -> bool:
        """Take at most so many events, that which is held first."""
        channel = self._channel
        next_event, take_event = channel.connection.next_event, self._taker.event_received
        event, channel.held = channel.held or next_event(), None
        taken = 0
        while event is not None:
            if not take_event(event):
                channel.held = event
                return False
            taken += 1
            if taken >= most and channel.connection.may_have_event:
                channel.pull_soon()
                return False
            event = next_event()
        return True
