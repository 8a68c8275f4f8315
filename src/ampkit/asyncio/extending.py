"""The asks of ampkit's own beside those of the program: sends them and does what they say; measures no time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ampkit.asyncio.channel import Channel
from ampkit.core.events import AskReceived, RefusalReceived
from ampkit.core.states import State
from ampkit.policy.dispatch import UNHANDLED
from ampkit.policy.extensions import CANCEL, PING, cancel_pairs, command_pairs

Duty: TypeAlias = Callable[[Any, AskReceived], None]
"""What a peer does when the other end asks for an extension; it is then answered."""


class Notice:
    """The waiter of an ask whose answer says nothing: a future to whoever ends it, a call to nobody."""

    __slots__ = ("_ended",)

    def __init__(self, ended: Callable[[Any], None]) -> None:
        self._ended = ended

    def done(self) -> bool:
        """Whether it has ended: not before `set_result`, and nobody asks after that."""
        return False

    def set_result(self, outcome: Any) -> None:
        """Take how the ask ended."""
        self._ended(outcome)


class Extending:
    """Sends notices, and takes those of the other end.

    A peer that refused a notice as UNHANDLED gets no other one of that name.
    """

    __slots__ = ("_channel", "_connection", "_duties", "_unhandled", "asked", "enabled")

    def __init__(self, channel: Channel, enabled: bool, duties: Mapping[bytes, Duty]) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._duties = duties
        self.enabled = enabled
        """Whether the program wants to use them."""
        self.asked = 0
        """Notices sent."""
        self._unhandled: tuple[bytes, ...] = ()

    # What this end sends

    def knows(self, name: bytes) -> bool:
        """Whether a notice of that name may be sent: the other end has not refused it, and the program wants it."""
        return self.enabled and name not in self._unhandled

    def cancel(self, tag: bytes) -> None:
        """Say that nobody waits for the answer to an ask any more."""
        self.notify(CANCEL, cancel_pairs(tag))

    def notify(self, name: bytes, pairs: bytes | None = None, ended: Callable[[Any], None] | None = None) -> bool:
        """Ask; `ended` is called with the outcome. Return false if it could not be sent, or need not be."""
        if not self.knows(name) or self._connection.state in {State.CLOSED, State.SWITCHING}:
            return False
        pairs = pairs or command_pairs(name)

        def end(outcome: Any) -> None:
            # To a ping, UNHANDLED is as good an answer as any.
            if isinstance(outcome, RefusalReceived) and outcome.code == UNHANDLED and name != PING:
                self._unhandled += (name,)
            if ended is not None:
                ended(outcome)

        self._connection.ask_encoded(pairs, Notice(end))
        self.asked += 1
        self._channel.flush_soon(len(pairs))
        return True

    # What the other end sends

    def take(self, event: AskReceived, peer: Any) -> bool:
        """Do what an extension asks for; return false if it is none of them, or the program wants none."""
        duty = self._duties.get(event.command) if self.enabled else None
        if duty is None:
            return False
        duty(peer, event)
        if event.tag is not None and self._connection.state is not State.CLOSED:
            self._connection.answer_encoded(event.tag, b"")
            self._channel.flush_soon(len(event.tag))
        return True
