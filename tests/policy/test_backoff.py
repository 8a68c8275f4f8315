"""How long to wait before the next attempt: bounds that grow, luck that spreads, and the end of patience."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ampkit.policy.backoff import Backoff


def test_the_bound_grows_with_each_failure_up_to_the_longest() -> None:
    """At the worst chance the wait is the bound itself."""
    backoff = Backoff(first=0.5, factor=3, longest=10)
    assert [backoff.wait(failures, 1.0) for failures in range(5)] == [0.5, 1.5, 4.5, 10, 10]
    assert backoff.wait(100_000, 1.0) == 10  # and no number is too large


def test_all_of_the_wait_is_chance() -> None:
    """Full jitter: nothing of the bound is fixed."""
    backoff = Backoff(first=2)
    assert [backoff.wait(0, chance) for chance in (0.0, 0.25, 1.0)] == [0, 0.5, 2]


def test_patience_ends_if_the_program_says_so() -> None:
    """After so many failures in a row; otherwise never."""
    backoff = Backoff(attempts=2)
    assert backoff.wait(1, 0.5) is not None
    assert backoff.wait(2, 0.5) is None
    assert backoff.wait(3, 0.5) is None
    assert Backoff().wait(1_000_000, 0.5) is not None


def test_only_a_steady_connection_begins_a_new_row() -> None:
    """One that was lost at once is a failure like those before it."""
    backoff = Backoff(steady=10)
    assert backoff.failures_after(3, lasted=10) == 0
    assert backoff.failures_after(3, lasted=9.9) == 4


def test_the_defaults() -> None:
    """A tenth of a second at first, half a minute at last, for ever."""
    assert Backoff() == Backoff(first=0.1, factor=2.0, longest=30.0, attempts=None, steady=10.0)


@pytest.mark.parametrize(
    "numbers",
    [
        {"first": -1},
        {"first": 31},
        {"first": math.nan},
        {"factor": 0.9},
        {"longest": 0},
        {"steady": -1},
        {"attempts": 0},
    ],
)
def test_numbers_without_sense_are_refused(numbers: dict[str, Any]) -> None:
    """When it is made, not when it is first needed."""
    with pytest.raises(ValueError, match=r"^a backoff"):
        Backoff(**numbers)


def test_no_wait_at_all() -> None:
    """A test may want none."""
    assert Backoff(first=0, longest=0).wait(7, 1.0) == 0
