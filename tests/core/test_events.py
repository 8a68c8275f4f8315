"""Events: plain values that compare by what they say."""

from __future__ import annotations

import pytest

from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived

EVENTS = [
    AskReceived(b"1", b"Sum", {b"a": b"13"}),
    AnswerReceived("waiter", {b"total": b"94"}),
    RefusalReceived("waiter", b"UNKNOWN", b"Unknown Error"),
    StrayReceived("an answer to the unknown tag 7", late=True),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_are_small_values(event: Event) -> None:
    """They have no dict each, as very many of them fly, and can be compared in a test."""
    assert not hasattr(event, "__dict__")
    assert event == type(event)(**{name: getattr(event, name) for name in event.__slots__})
    assert [event == other for other in EVENTS].count(True) == 1
