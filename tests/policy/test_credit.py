"""Which asks run, wait or are refused, at each side of each limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.policy.credit import MAX_REFUSED_BYTES, Admission, admit
from ampkit.wire.limits import Limits

LIMITS = Limits(max_running_asks=3, max_waiting_bytes=40, max_buffered_bytes=100, max_box_bytes=50)
MOST = 250 + MAX_REFUSED_BYTES


@pytest.mark.parametrize(
    ("running", "waiting", "pending", "buffered", "admission"),
    [
        (0, 0, 0, 0, Admission.RUN),
        (2, 0, 0, 100, Admission.RUN),
        (3, 0, 0, 0, Admission.QUEUE),
        (0, 0, 0, 101, Admission.QUEUE),
        (0, 1, 0, 0, Admission.QUEUE),
        (3, 30, 0, 0, Admission.QUEUE),
        (3, 31, 0, 0, Admission.PAUSE),
        (3, 31, 1, 0, Admission.REFUSE),
        (0, 31, 1, MOST, Admission.REFUSE),
        (0, 31, 1, MOST + 1, Admission.PAUSE),
    ],
)
def test_each_side_of_each_limit(running: int, waiting: int, pending: int, buffered: int, admission: Admission) -> None:
    """An ask runs below all limits, waits while there is a place, and is refused where an answer may be behind it."""
    assert admission is admit(
        size=10, running=running, waiting=waiting, pending=pending, buffered=buffered, limits=LIMITS
    )


def test_one_ask_of_any_size_may_wait() -> None:
    """Else it would never be answered."""
    arguments = {"running": 3, "pending": 1, "buffered": 0, "limits": LIMITS}
    assert admit(size=1000, waiting=0, **arguments) is Admission.QUEUE  # type: ignore[arg-type]
    assert admit(size=1000, waiting=1, **arguments) is Admission.REFUSE  # type: ignore[arg-type]


def test_where_all_that_runs_waits_for_the_other_end() -> None:
    """No ask waits behind it: it may be what the other end needs to answer."""
    arguments = {"size": 10, "running": 3, "waiting": 0, "buffered": 0, "limits": LIMITS}
    assert admit(pending=3, stuck=True, **arguments) is Admission.REFUSE  # type: ignore[arg-type]


def test_what_is_told_waits_unread() -> None:
    """So it stays before the end of a connection; but not in front of an answer."""
    arguments = {"size": 10, "running": 3, "waiting": 0, "buffered": 0, "limits": LIMITS}
    assert admit(pending=0, told=True, **arguments) is Admission.PAUSE  # type: ignore[arg-type]
    assert admit(pending=1, told=True, **arguments) is Admission.QUEUE  # type: ignore[arg-type]


small = st.integers(0, 9)


@given(small, st.integers(0, 60), small, st.integers(0, 300) | st.integers(0, 2 * MOST))
def test_two_full_ends_never_wait_for_each_other(running: int, waiting: int, pending: int, buffered: int) -> None:
    """Who waits for an answer goes on reading, as long as what he has to say himself is being read."""
    admission = admit(size=10, running=running, waiting=waiting, pending=pending, buffered=buffered, limits=LIMITS)
    if admission is Admission.PAUSE:
        assert not pending or buffered > MOST
    if admission is Admission.RUN:
        assert running < LIMITS.max_running_asks
    if admission is Admission.QUEUE:
        assert not waiting or waiting + 10 <= LIMITS.max_waiting_bytes
