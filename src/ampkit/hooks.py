"""What a program may see of its connections, and do around its calls, in a base class to override; runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ampkit.errors import AmpError

if TYPE_CHECKING:
    from ampkit.asyncio.peer import Peer

_NOTHING: Final = nullcontext()


@dataclass(slots=True)
class Call:
    """A command that this end is about to send."""

    peer: Peer
    command: bytes
    """Its name on the wire."""
    answers: bool
    """False if it is told: then the call ends as soon as it is queued."""
    extensions: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    """Further keys to send with the arguments, as `_traceparent` or `_meta.user`. Each begins with an underscore."""


@dataclass(slots=True)
class Ask:
    """A command that the other end sent and that is about to be run."""

    peer: Peer
    command: bytes
    """Its name on the wire; there may be no responder for it."""
    box: Mapping[bytes, bytes]
    """Arguments and extension keys as they came: nothing has been checked."""


class Hooks:
    """Base of observers and middleware: override what you need, and pass instances in `Options(hooks=(...,))`.

    What is not overridden costs nothing. The first of several is the outermost one. All methods run in the
    event loop and must not block it.
    """

    def opened(self, peer: Peer) -> None:
        """See a connection that was opened, by either end; nothing has been received.

        Whatever is raised here closes it; a ConnectionLost does so without a word in the log.
        """

    def closed(self, peer: Peer, reason: AmpError) -> None:
        """See that a connection has ended, and why. Not called if `opened` of this object raised."""

    def box_received(self, peer: Peer, box: Mapping[bytes, bytes]) -> None:
        """See a box that came, as it came, before anything is done with it."""

    def box_sent(self, peer: Peer, box: Mapping[bytes, bytes]) -> None:
        """See a box that leaves."""

    def calling(self, call: Call) -> AbstractContextManager[object]:  # noqa: ARG002 - for those who override it
        """Return a context manager, a `@contextmanager` method for example, in which a call of this end is made.

        It is entered before anything is sent: it may add to `call.extensions`, and what it raises is raised by the
        call in place of sending. It is left when the call has ended, with the exception that the call raises, if it
        does; another exception may be raised in its place.
        """
        return _NOTHING

    def answering(self, ask: Ask) -> AbstractContextManager[object]:  # noqa: ARG002 - as above
        """Return a context manager in which an ask of the other end is answered.

        It is entered before the arguments are read and the responder is run: what it raises refuses the ask, by
        the rules for what a responder raises, so a RemoteError gives the code. It is left when the responder has
        ended, with what it raised, if it did. It has a `contextvars` context in common with the responder,
        and with no other ask. Asks that are refused as BUSY because of a limit come to no hook.
        """
        return _NOTHING


def overriding(hooks: tuple[Hooks, ...], method: str) -> tuple[Hooks, ...]:
    """Return those that do override a method."""
    return tuple(each for each in hooks if getattr(type(each), method) is not getattr(Hooks, method))
