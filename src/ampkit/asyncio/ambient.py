"""What a responder does not have to pass on to all that it calls: who it is and how long it has; measures no time."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True, eq=False)
class Slot:
    """The place of one coroutine responder among those that run on its connection."""

    connection: object
    calls: int = 0
    """Its own calls to the end that asked, which it waits for now."""


DUE: Final[ContextVar[float | None]] = ContextVar("ampkit_due", default=None)
"""The event loop's time; set while a responder runs whose caller said how long it waits."""

RESPONDER: Final[ContextVar[Slot | None]] = ContextVar("ampkit_responder", default=None)
"""The coroutine responder on behalf of which this is done."""


def deadline() -> float | None:
    """Return the event loop's time (`loop.time()`) up to which the ask that is being responded to is waited for.

    None outside a responder, and where the caller set no time. A coroutine responder is cancelled when that time
    comes, and its own calls end by then; a plain one that takes long may look for itself.
    """
    return DUE.get()
