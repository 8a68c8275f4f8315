"""Until when the ask that is being responded to is of use, for whatever its responder does; measures no time."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

DUE: Final[ContextVar[float | None]] = ContextVar("ampkit_due", default=None)
"""The event loop's time; set while a responder runs whose caller said how long it waits."""


def deadline() -> float | None:
    """Return the event loop's time (`loop.time()`) up to which the ask that is being responded to is waited for.

    None outside a responder, and where the caller set no time. A coroutine responder is cancelled when that time
    comes, and its own calls end by then; a plain one that takes long may look for itself.
    """
    return DUE.get()
