"""Thousands of calls under slow reading, broken connections, cancellation and short time limits, from fixed seeds."""

from __future__ import annotations

import logging

import pytest

from bench.storm import weather


@pytest.mark.parametrize("seed", range(5))
def test_every_call_ends_and_leaves_nothing(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """All end in virtual time, in each way that a call can end, and all tables are empty then."""
    caplog.set_level(logging.CRITICAL, "ampkit")
    outcomes = weather(seed, 1500)
    assert {"answered", "cancelled", "DeadlineExceeded", "ConnectionLost", "RemoteError", "KeyError"} <= set(outcomes)


def test_the_same_seed_is_the_same_weather(caplog: pytest.LogCaptureFixture) -> None:
    """So a failure can be looked at."""
    caplog.set_level(logging.CRITICAL, "ampkit")
    assert weather(1, 300) == weather(1, 300)
