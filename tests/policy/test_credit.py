"""Whether one more ask may run: at, below and above each limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.policy.credit import MAX_REFUSED_BYTES, Admission, admit
from ampkit.wire.limits import Limits

LIMITS = Limits(max_running_asks=3, max_buffered_bytes=100, max_box_bytes=50)
MOST = 250 + MAX_REFUSED_BYTES


@pytest.mark.parametrize(
    ("running", "pending", "buffered", "admission"),
    [
        (0, 0, 0, Admission.RUN),
        (2, 5, 100, Admission.RUN),
        (3, 0, 0, Admission.WAIT),
        (3, 1, 0, Admission.REFUSE),
        (0, 0, 101, Admission.WAIT),
        (0, 1, 101, Admission.REFUSE),
        (0, 1, MOST, Admission.REFUSE),
        (0, 1, MOST + 1, Admission.WAIT),
        (3, 1, MOST + 1, Admission.WAIT),
        (4, 0, 0, Admission.WAIT),
    ],
)
def test_each_side_of_each_limit(running: int, pending: int, buffered: int, admission: Admission) -> None:
    """Below the limits it runs; at one it waits, or is refused while this end itself waits for answers."""
    assert admit(running=running, pending=pending, buffered=buffered, limits=LIMITS) is admission


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 300) | st.integers(0, 2 * MOST))
def test_two_full_ends_never_wait_for_each_other(running: int, pending: int, buffered: int) -> None:
    """Who waits for an answer goes on reading, as long as what he has to say himself is being read."""
    admission = admit(running=running, pending=pending, buffered=buffered, limits=LIMITS)
    if admission is Admission.WAIT:
        assert not pending or buffered > MOST
    if admission is Admission.RUN:
        assert running < LIMITS.max_running_asks
