"""Whether the next ask of the other end runs, waits for its turn, or is refused; does none of it."""

from __future__ import annotations

import enum
from typing import Final

from ampkit.wire.limits import Limits

MAX_REFUSED_BYTES: Final = 131_072
"""Refusals that may wait to be read, about 1,500 of them: more than an end that reads ever leaves."""


class Admission(enum.Enum):
    """What to do with the next ask of the other end."""

    RUN = "run"
    QUEUE = "queue"
    """Let it wait in the line and go on reading."""
    REFUSE = "refuse"
    """Refuse it as BUSY and go on reading."""
    PAUSE = "pause"
    """Leave it unread, and all behind it, until something has ended."""


def admit(
    *,
    size: int,
    running: int,
    waiting: int,
    pending: int,
    buffered: int,
    limits: Limits,
    stuck: bool = False,
    told: bool = False,
) -> Admission:
    """Decide on an ask of about `size` bytes; `told` if nobody waits for its answer.

    `running` counts asks whose responders have not ended, `waiting` the bytes of those in the line, `pending` our
    own asks that wait for an answer, `buffered` the bytes that the other end has not taken. It is `stuck` if all
    that runs waits for answers of the other end, which may be waiting for this very ask. When the line is
    full, reading stops, unless we wait for answers ourselves: they may stand behind its asks in the stream, and
    two ends that stopped reading would wait for each other for ever. Then the ask is refused, until more refusals
    than `MAX_REFUSED_BYTES` wait behind what else may wait: as much as was written before it was too much, as
    much again that was queued, and one box.
    """
    if not waiting and running < limits.max_running_asks and buffered <= limits.max_buffered_bytes:
        return Admission.RUN
    fits = not waiting or waiting + size <= limits.max_waiting_bytes
    if fits and not stuck and (pending or not told):  # what is told before the other end closes has to stay before it
        return Admission.QUEUE
    if pending and buffered <= 2 * limits.max_buffered_bytes + limits.max_box_bytes + MAX_REFUSED_BYTES:
        return Admission.REFUSE
    return Admission.PAUSE
