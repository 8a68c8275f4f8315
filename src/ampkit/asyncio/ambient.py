"""What a responder does not have to pass on to all that it calls: who it is, and how long it has; measures no time."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ampkit.asyncio.credit import Credit


@dataclass(slots=True, eq=False)
class Turn:
    """One responder that runs, for those who act on its behalf."""

    connection: object
    """The connection on which it was asked; None when it has ended, whatever it leaves behind."""
    due: float | None
    """The event loop's time until which its caller waits."""
    calls: int = 0
    """Its own calls on that connection, which it waits for now."""
    credit: Credit | None = None
    """What it asks there takes this, once nothing is left of the connection's."""


TURN: Final[ContextVar[Turn | None]] = ContextVar("ampkit_turn", default=None)
"""Whose turn it is: set in coroutine responders, and in plain ones whose caller said how long it waits."""


def deadline() -> float | None:
    """Return the event loop's time (`loop.time()`) up to which the ask that is being responded to is waited for.

    None outside a responder, and where the caller set no time. A coroutine responder is cancelled when that time
    comes, and its own calls end by then; a plain one that takes long may look for itself.
    """
    turn = TURN.get()
    return None if turn is None else turn.due
