"""May one more ask of the other end run now: a function of a few numbers; starts and stops nothing."""

from __future__ import annotations

import enum
from typing import Final

from ampkit.wire.limits import Limits

MAX_REFUSED_BYTES: Final = 524_288
"""Refusals that may wait to be read, about six thousand: what a socket's buffers can hold of unread asks."""


class Admission(enum.Enum):
    """What to do with the next ask of the other end."""

    RUN = "run"
    WAIT = "wait"
    """Read nothing more until an ask has ended or the other end has taken what was written."""
    REFUSE = "refuse"
    """Refuse it as BUSY."""


def admit(*, running: int, pending: int, buffered: int, limits: Limits) -> Admission:
    """Decide on one more ask of the other end.

    `running` counts its asks that have not ended, `pending` our asks that wait for an answer, `buffered` the
    bytes it has not taken. At a limit reading stops, unless we wait for answers ourselves: they may stand behind
    its asks in the stream, and two ends that stopped reading would wait for each other for ever. Then the ask
    is refused and reading goes on, until more refusals than `MAX_REFUSED_BYTES` wait behind what else may wait:
    as much as was written before it was too much, as much again that was queued, and one box.
    """
    if running < limits.max_running_asks and buffered <= limits.max_buffered_bytes:
        return Admission.RUN
    if pending and buffered <= 2 * limits.max_buffered_bytes + limits.max_box_bytes + MAX_REFUSED_BYTES:
        return Admission.REFUSE
    return Admission.WAIT
