"""Two sans-I/O connections joined by function calls."""

from __future__ import annotations

import pytest

from ampkit import Limits, LocalProtocolError, RemoteProtocolError, State, encode_box
from ampkit.core.events import AnswerReceived, AskReceived, RefusalReceived
from ampkit.errors import ConnectionLost
from ampkit.testing import ConnectionEnded, Pair

ARGUMENTS = {b"a": b"13", b"b": b"81"}
ASKED = AskReceived(b"1", b"Sum", ARGUMENTS)
LOST = "the other end closed the connection"


@pytest.mark.parametrize("chunk", [None, 1, 2, 7, 1000])
def test_events_are_the_same_for_every_size_of_chunk(chunk: int | None) -> None:
    """An ask and its answer arrive once and whole, however many bytes move at a time."""
    pair = Pair(chunk=chunk)
    pair.left.ask(b"Sum", ARGUMENTS, "the sum")
    assert pair.exchange() == ([], [ASKED])
    pair.right.answer(b"1", {b"total": b"94"})
    assert pair.exchange() == ([AnswerReceived("the sum", {b"total": b"94"})], [])


def test_both_directions_move_in_one_exchange() -> None:
    """Asks of both ends cross each other."""
    pair = Pair(chunk=3)
    for end in (pair.left, pair.right):
        end.ask(b"Sum", ARGUMENTS, "waiter")
        end.tell(b"Note", {})
    events = [ASKED, AskReceived(None, b"Note", {})]
    assert pair.exchange() == (events, events)


def test_nothing_moves_before_an_exchange() -> None:
    """What was queued stays at its end, and a second exchange moves nothing again."""
    pair = Pair()
    pair.left.ask(b"Sum", ARGUMENTS, None)
    assert pair.left.has_output
    assert pair.exchange().right == [ASKED]
    assert pair.exchange() == ([], [])


def test_a_chunk_at_a_time_goes_each_way() -> None:
    """The directions take turns, so a short box to the left arrives before a long one to the right."""
    pair = Pair(chunk=10, cut_after=100)
    pair.left.tell(b"Long", {b"value": bytes(1000)})
    pair.right.tell(b"Short", {})
    seen = pair.exchange()
    assert seen.left[0] == AskReceived(None, b"Short", {})
    assert not any(isinstance(event, AskReceived) for event in seen.right)


def test_bad_bytes_end_both_ends() -> None:
    """The end that receives what is not AMP ends with that error, and the other one loses the connection."""
    pair = Pair()
    pair.right.ask(b"Wait", {}, "the wait")
    pair.left.ask(b"Wait", {}, "another wait")
    pair.exchange()
    assert pair.left.state is State.OPEN

    pair.right.receive(b"\xff\xff")
    left, right = pair.exchange()
    assert isinstance(right[0], ConnectionEnded)
    assert isinstance(right[0].reason, RemoteProtocolError)
    assert right[0].waiters == ["the wait"]
    assert isinstance(left[0], ConnectionEnded)
    assert isinstance(left[0].reason, ConnectionLost)
    assert left[0].waiters == ["another wait"]
    assert pair.exchange() == ([], [])


def test_what_was_sent_before_bad_bytes_arrives() -> None:
    """An end that fails has sent what it had queued before."""
    pair = Pair()
    pair.right.tell(b"Note", {})
    pair.right.receive(b"\xff\xff")
    left, right = pair.exchange()
    assert [type(event) for event in left] == [AskReceived, ConnectionEnded]
    assert [type(event) for event in right] == [ConnectionEnded]


@pytest.mark.parametrize("chunk", [None, 1])
def test_an_end_that_ends_is_noticed_behind_what_it_sent(chunk: int | None) -> None:
    """The other end first gets all boxes that were moved or under way, then the end."""
    pair = Pair(chunk=chunk)
    pair.right.ask(b"Wait", {}, "the wait")
    pair.exchange()
    pair.left.refuse(b"1", b"NO")
    refused = pair.exchange()
    assert refused.right == [RefusalReceived("the wait", b"NO", b"")]
    pair.left.end(ConnectionLost("enough"))
    seen = pair.exchange()
    assert [str(event.reason) for event in seen.right if isinstance(event, ConnectionEnded)] == [LOST]
    assert pair.right.state is State.CLOSED


def test_a_cut_gives_back_the_waiters_of_both_ends() -> None:
    """A broken connection ends both ends, and what was under way does not arrive."""
    pair = Pair()
    pair.left.ask(b"Wait", {}, "left waits")
    pair.right.ask(b"Wait", {}, "right waits")
    left, right = pair.cut()
    assert [ended.waiters for ended in left] == [["left waits"]]
    assert [ended.waiters for ended in right] == [["right waits"]]
    assert pair.exchange() == ([], [])
    assert pair.cut() == ([], [])


@pytest.mark.parametrize("chunk", [None, 1, 4])
def test_the_cut_comes_after_so_many_bytes(chunk: int | None) -> None:
    """Every position at which a connection can break gives a whole ask and a lost end, or an end inside a box."""
    size = len(encode_box({b"_ask": b"1", b"_command": b"Sum", **ARGUMENTS}))
    for cut_after in range(1, size + 1):
        pair = Pair(chunk=chunk, cut_after=cut_after)
        pair.left.ask(b"Sum", ARGUMENTS, "the sum")
        left, right = pair.exchange()
        (lost,) = left
        assert isinstance(lost, ConnectionEnded)
        assert lost.waiters == ["the sum"]
        ended = right[-1]
        assert isinstance(ended, ConnectionEnded)
        if cut_after < size:
            assert isinstance(ended.reason, RemoteProtocolError)
            assert ended.reason.position == cut_after
        else:
            assert right[0] == ASKED
            assert isinstance(ended.reason, ConnectionLost)


def test_both_directions_count_towards_the_cut() -> None:
    """The bytes of an answer count as those of its ask do."""
    pair = Pair(chunk=1, cut_after=60)
    pair.left.ask(b"Sum", ARGUMENTS, "the sum")
    size = len(encode_box({b"_ask": b"1", b"_command": b"Sum", **ARGUMENTS}))
    assert pair.exchange().right == [ASKED]
    pair.right.answer(b"1", {b"total": bytes(100)})
    left, _ = pair.exchange()
    assert isinstance(left[0], ConnectionEnded)
    assert isinstance(left[0].reason, RemoteProtocolError)
    assert left[0].reason.position == 60 - size


def test_limits_are_those_of_both_ends() -> None:
    """What one end may not send, the other may not either."""
    pair = Pair(limits=Limits(max_box_bytes=100))
    for end in (pair.left, pair.right):
        with pytest.raises(LocalProtocolError):
            end.tell(b"Note", {b"line": bytes(100)})


@pytest.mark.parametrize("size", [0, -1])
def test_sizes_must_be_positive(size: int) -> None:
    """A pair that could never move anything is refused."""
    with pytest.raises(ValueError, match="chunk must be positive"):
        Pair(chunk=size)
    with pytest.raises(ValueError, match="cut_after must be positive"):
        Pair(cut_after=size)
