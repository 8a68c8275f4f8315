"""A connection that shows its boxes."""

from __future__ import annotations

from ampkit.core.events import AnswerReceived, AskReceived
from ampkit.core.watched import WatchedConnection
from ampkit.wire.box import Box, encode_box
from ampkit.wire.limits import Limits


def watched(limits: Limits) -> tuple[WatchedConnection, list[Box], list[Box]]:
    """Return a connection, and the boxes it received and sent as they are shown."""
    received: list[Box] = []
    sent: list[Box] = []
    return WatchedConnection(limits, received.append, sent.append), received, sent


def test_each_box_is_shown_when_it_is_taken_and_when_it_is_pulled() -> None:
    """With its tag, in the order of the stream, and only once it is whole."""
    connection, received, sent = watched(Limits())
    connection.ask(b"Sum", {b"a": b"1"}, waiter="sum")
    connection.tell(b"Note", {})
    assert sent == []
    connection.take_output()
    assert sent == [{b"_ask": b"1", b"_command": b"Sum", b"a": b"1"}, {b"_command": b"Note"}]

    data = encode_box({b"_answer": b"1", b"total": b"1"}) + encode_box({b"_ask": b"x", b"_command": b"Sum"})
    connection.receive(data[:-1])
    assert connection.next_event() == AnswerReceived("sum", {b"total": b"1"})
    assert connection.next_event() is None
    connection.receive(data[-1:])
    assert connection.next_event() == AskReceived(b"x", b"Sum", {})
    assert received == [{b"_answer": b"1", b"total": b"1"}, {b"_ask": b"x", b"_command": b"Sum"}]


def test_what_is_shown_may_be_changed() -> None:
    """It is a copy."""
    connection = WatchedConnection(Limits(), Box.clear, Box.clear)
    connection.receive(encode_box({b"_ask": b"x", b"_command": b"Sum"}))
    assert connection.next_event() == AskReceived(b"x", b"Sum", {})


def test_a_refusal_above_the_limit_is_shown_too() -> None:
    """A refusal may be larger than a box should be, as there is no smaller one."""
    connection, _, sent = watched(Limits(max_box_bytes=10))
    connection.refuse(b"x", b"UNHANDLED")
    assert connection.take_output() == encode_box(sent[0])
