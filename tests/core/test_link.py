"""The link: what is sent waits until it is taken, what is received until it is pulled, and nothing outlives the end."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from ampkit.core.link import Link
from ampkit.core.states import Move, State
from ampkit.errors import ConnectionLost, LocalProtocolError
from ampkit.wire.box import encode_box
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

BOX = {b"a": b"1"}
REASON = ConnectionLost("the other end closed the connection")


def test_what_is_sent_waits_until_it_is_taken() -> None:
    """In the order of sending, all at once, and once."""
    link = Link(DEFAULT_LIMITS)
    assert (link.has_output, link.take_boxes()) == (False, [])
    for boxes in [b"one"], [b"one", b"two", b"three"]:
        for box in boxes:
            link.send(box)
        assert link.has_output
        assert link.take_boxes() == boxes
        assert (link.has_output, link.take_boxes()) == (False, [])


def test_a_box_above_the_limit_is_not_sent() -> None:
    """The error has its size and the limit; what was queued before stays queued."""
    link = Link(Limits(max_box_bytes=10))
    link.send(bytes(10))
    with pytest.raises(LocalProtocolError, match=r"^a box of 11 bytes; the limit is max_box_bytes=10$"):
        link.send(bytes(11))
    assert link.take_boxes() == [bytes(10)]


def test_a_box_that_has_to_be_sent_is_sent() -> None:
    """Whatever its size."""
    link = Link(Limits(max_box_bytes=10))
    link.send_at_any_size(bytes(11))
    assert link.take_boxes() == [bytes(11)]


class Late:
    """Sends a box, or ends the link, when it is collected as garbage."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._me = self

    def __del__(self) -> None:
        self._act()


@pytest.mark.parametrize("ends", [False, True])
def test_garbage_is_collected_while_boxes_are_taken(ends: bool) -> None:
    """What is sent meanwhile is taken now or the next time."""
    link = Link(DEFAULT_LIMITS)
    sent = [b"%d" % number for number in range(100)]
    enabled, thresholds = gc.isenabled(), gc.get_threshold()
    gc.collect()
    gc.disable()
    lists: list[list[int]] = [[] for _ in range(200)]  # so that none is left that need not be allocated
    try:
        for box in sent:
            link.send(box)
        Late(lambda: link.end(REASON) if ends else link.send(b"late"))
        gc.set_threshold(1)
        gc.enable()
        taken = link.take_boxes()
    finally:
        gc.set_threshold(*thresholds)
        (gc.enable if enabled else gc.disable)()
        lists.clear()
    gc.collect()
    taken += link.take_boxes()
    assert taken in ([[], sent] if ends else [[*sent, b"late"]])


def test_what_is_received_can_be_pulled() -> None:
    """As boxes, with the limits of the link."""
    link = Link(Limits(max_box_keys=1))
    link.receive(encode_box(BOX)[:3])
    link.receive(encode_box(BOX)[3:] + encode_box({**BOX, b"b": b""}))
    assert link.decoder.next_box() == BOX
    with pytest.raises(Exception, match="more than 1 keys"):
        link.decoder.next_box()


def test_nothing_outlives_the_end() -> None:
    """What was queued, fed, half received, and what comes later are forgotten."""
    link = Link(DEFAULT_LIMITS)
    link.send(b"queued")
    link.receive(encode_box(BOX) + b"\0\1")
    link.end(REASON)
    assert link.state is State.CLOSED
    assert (link.has_output, link.take_boxes()) == (False, [])
    link.receive(encode_box(BOX))
    assert link.decoder.next_box() is None
    link.decoder.end()


def test_the_first_reason_is_kept() -> None:
    """Later ones are what follows from it."""
    link = Link(DEFAULT_LIMITS)
    assert link.end_reason is None
    link.end(REASON)
    link.end(ConnectionLost("another"))
    assert link.end_reason is REASON


def test_moves_are_those_of_the_table() -> None:
    """The state follows it, and stays where there is no such move."""
    link = Link(DEFAULT_LIMITS)
    states = [link.state]
    for move in Move.ASK, Move.CLOSE, Move.ASK, Move.END:
        link.move(move)
        states.append(link.state)
    with pytest.raises(LocalProtocolError, match=r"^cannot ask on a connection that is closed$"):
        link.move(Move.ASK)
    assert [*states, link.state] == [State.OPEN] * 2 + [State.CLOSING] * 2 + [State.CLOSED] * 2


def test_who_asks_too_late_is_told_why() -> None:
    """The reason of the end is the cause of the error."""
    link = Link(DEFAULT_LIMITS)
    link.end(REASON)
    lost = link.lost()
    assert str(lost) == "the connection has ended: the other end closed the connection"
    assert lost.__cause__ is REASON
