"""The connection: one end's moves and the bytes they become, and the other end's bytes and the events they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ampkit.core.connection import Connection
from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, LocalProtocolError, NotSent, RemoteProtocolError
from ampkit.wire.box import encode_box, encode_pairs
from ampkit.wire.codec import parse_string
from ampkit.wire.limits import Limits

SUM = {b"a": b"13", b"b": b"81"}
LOST = ConnectionLost("the test has ended it")


def events(connection: Connection) -> list[Event]:
    """Pull all events there are."""
    return list(iter(connection.next_event, None))


def sent(connection: Connection) -> list[dict[bytes, bytes]]:
    """Take the output, as boxes."""
    return parse_string(connection.take_output(), Limits(max_box_keys=10_000, max_box_bytes=10_000_000))


# Both ends


def test_a_call_from_end_to_end() -> None:
    """Ask, be asked, answer, be answered: the waiter comes back with the answer."""
    client, server = Connection(), Connection()
    tag = client.ask(b"Sum", SUM, waiter="the sum")
    assert client.pending == {tag: "the sum"}
    server.receive(client.take_output())
    assert events(server) == [AskReceived(tag, b"Sum", SUM)]
    server.answer(tag, {b"total": b"94"})
    client.receive(server.take_output())
    assert events(client) == [AnswerReceived("the sum", {b"total": b"94"})]
    assert client.pending == {}


def test_both_ends_ask_at_once_and_answer_out_of_order() -> None:
    """Each direction has its own tags, so equal ones do not meet."""
    left, right = Connection(), Connection()
    for number in range(3):
        left.ask(b"L", {b"n": b"%d" % number}, waiter=f"left {number}")
        right.ask(b"R", {b"n": b"%d" % number}, waiter=f"right {number}")
    for here, there in (left, right), (right, left):
        there.receive(here.take_output())
    for connection in left, right:
        for ask in reversed(events(connection)):
            assert isinstance(ask, AskReceived)
            assert ask.tag is not None
            connection.answer(ask.tag, ask.box)
    for here, there, name in (left, right, "right"), (right, left, "left"):
        there.receive(here.take_output())
        expected = [AnswerReceived(f"{name} {number}", {b"n": b"%d" % number}) for number in (2, 1, 0)]
        assert events(there) == expected


def test_an_ask_may_be_made_before_another_is_answered() -> None:
    """A responder may ask back, and answer with what it was told."""
    client, server = Connection(), Connection()
    client.ask(b"Outer", {}, waiter="outer")
    server.receive(client.take_output())
    (outer,) = events(server)
    server.ask(b"Inner", {}, waiter=outer)
    client.receive(server.take_output())
    (inner,) = events(client)
    assert isinstance(inner, AskReceived)
    assert inner.tag is not None
    client.answer(inner.tag, {b"x": b"1"})
    server.receive(client.take_output())
    assert events(server) == [AnswerReceived(outer, {b"x": b"1"})]


def test_a_refusal_from_end_to_end() -> None:
    """The code and the description arrive with the waiter."""
    client, server = Connection(), Connection()
    tag = client.ask(b"Sum", SUM, waiter="the sum")
    server.refuse(tag, b"NO_SUM", b"too large")
    server.refuse(tag, b"AGAIN")
    client.receive(server.take_output())
    stray = StrayReceived("a refusal to the unknown tag 1", late=True)
    assert events(client) == [RefusalReceived("the sum", b"NO_SUM", b"too large"), stray]


# What is sent


def test_moves_become_boxes() -> None:
    """Byte for byte as AMP has them."""
    connection = Connection()
    assert connection.take_output() == b""
    connection.ask(b"Sum", SUM, waiter=None)
    assert connection.has_output
    assert connection.take_output() == b"\0\4_ask\0\0011\0\x08_command\0\3Sum\0\1a\0\00213\0\1b\0\00281\0\0"
    connection.tell(b"Sum", {})
    assert connection.take_output() == b"\0\x08_command\0\3Sum\0\0"
    connection.answer(b"x" * 258, {b"total": b"94"})
    assert connection.take_output() == b"\0\7_answer\1\2" + b"x" * 258 + b"\0\5total\0\00294\0\0"
    connection.refuse(b"1", b"X", b"why")
    refusal = {b"_error": b"1", b"_error_code": b"X", b"_error_description": b"why"}
    assert connection.take_output() == encode_box(refusal)
    assert not connection.has_output


def test_moves_take_encoded_pairs() -> None:
    """They become the same bytes as what the connection encodes itself."""
    by_box, by_pairs = Connection(), Connection()
    pairs = by_pairs.ask_pairs(b"Sum", SUM)
    assert pairs == encode_pairs({b"_command": b"Sum", **SUM})
    assert by_box.ask(b"Sum", SUM, "waiter") == by_pairs.ask_encoded(pairs, "waiter")
    by_box.tell(b"Sum", SUM)
    by_pairs.tell_encoded(pairs)
    by_box.answer(b"7", SUM)
    by_pairs.answer_encoded(b"7", encode_pairs(SUM))
    assert by_box.take_output() == by_pairs.take_output()
    assert by_box.pending == by_pairs.pending == {b"1": "waiter"}


Move = Callable[[Connection, Mapping[bytes, Any]], object]

MOVES: dict[str, Move] = {
    "ask": lambda connection, box: connection.ask(b"Sum", box, waiter="waiter"),
    "tell": lambda connection, box: connection.tell(b"Sum", box),
    "answer": lambda connection, box: connection.answer(b"1", box),
}
each_move = pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)


@each_move
@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({b"a": bytes(65_536)}, "^value of key a is 65536 bytes long"),
        ({b"": b""}, "^key  is 0 bytes long"),
        ({b"a": "text"}, "^value of key a must be bytes, not str$"),
        *[
            ({key: b""}, f"^the key {key.decode()} is AMP's own and cannot be an argument$")
            for key in [b"_ask", b"_command", b"_answer", b"_error", b"_error_code", b"_error_description"]
        ],
    ],
)
def test_what_is_wrong_is_not_sent(move: Move, box: dict[bytes, Any], message: str) -> None:
    """A LocalProtocolError; nothing is queued, nobody waits, and the connection is as it was."""
    connection = Connection()
    with pytest.raises(LocalProtocolError, match=message):
        move(connection, box)
    assert not connection.has_output
    assert connection.pending == {}
    assert connection.state is State.OPEN


def test_extension_keys_may_be_sent() -> None:
    """Only AMP's own keys are reserved, not every key that begins with an underscore."""
    connection = Connection()
    connection.ask(b"Sum", {b"_timeout": b"100"}, waiter=None)
    assert sent(connection) == [{b"_ask": b"1", b"_command": b"Sum", b"_timeout": b"100"}]


@each_move
def test_the_number_of_keys_is_limited_in_both_directions(move: Move) -> None:
    """What one end may send the other may receive; with one key more it is not sent."""
    limits = Limits(max_box_keys=5)
    here, there = Connection(limits), Connection(limits)
    most = 4 if move is MOVES["answer"] else 2  # an ask may get a `_timeout` on its way
    box = {b"%d" % number: b"" for number in range(most)}
    move(here, box)
    there.receive(here.take_output())
    assert len(events(there)) == 1
    with pytest.raises(LocalProtocolError, match=f"^a box of {most + 1} keys; the limit is {most} beside AMP's own$"):
        move(here, {**box, b"k": b""})
    assert not here.has_output


@each_move
def test_the_size_of_a_box_is_limited_in_both_directions(move: Move) -> None:
    """To the byte: what one end may send the other may receive; with one byte more it is not sent."""
    limits = Limits(max_box_bytes=1000)
    here, there = Connection(limits), Connection(limits)
    move(here, {b"k": b""})
    room = 1000 - len(here.take_output())
    move(here, {b"k": bytes(room)})
    output = here.take_output()
    assert len(output) == 1000
    there.receive(output)
    assert len(events(there)) == 1
    pending = dict(here.pending)
    with pytest.raises(LocalProtocolError, match=r"^a box of 1001 bytes; the limit is max_box_bytes=1000$"):
        move(here, {b"k": bytes(room + 1)})
    assert not here.has_output
    assert here.pending == pending


def test_what_is_received_is_limited() -> None:
    """In the number of keys and in bytes."""
    for limits in Limits(max_box_keys=2), Limits(max_box_bytes=29):
        connection = Connection(limits)
        connection.receive(encode_box({b"_command": b"Sum", b"a": b"13", b"b": b"8"}))
        with pytest.raises(RemoteProtocolError, match=r"^a box of more than"):
            connection.next_event()


@pytest.mark.parametrize("tag", [b"1", b"t" * 900, b"t" * 990, b"t" * 65_535])
@pytest.mark.parametrize("limits", [Limits(), Limits(max_box_bytes=1000), Limits(max_box_keys=1)])
def test_every_ask_can_be_refused(tag: bytes, limits: Limits) -> None:
    """A description that does not fit is cut, to nothing if need be, however long the tag and small the limits."""
    connection = Connection(limits)
    connection.refuse(tag, b"X", b"d" * 70_000)
    output = connection.take_output()
    (box,) = parse_string(output)
    assert (box[b"_error"], box[b"_error_code"]) == (tag, b"X")
    cut = box[b"_error_description"]
    assert cut == b"d" * len(cut)
    if limits.max_box_bytes > 100_000:
        assert len(cut) == 65_535
    else:
        assert len(output) == 1000 or cut == b""


def test_a_code_is_not_cut() -> None:
    """A code of more than 65,535 bytes is a mistake."""
    with pytest.raises(LocalProtocolError, match=r"^value of key _error_code is 65536 bytes long"):
        Connection().refuse(b"1", b"X" * 65_536)


def test_an_ask_without_a_name_can_be_refused() -> None:
    """Whoever sent `_ask` without `_command` waits for an answer like anybody else."""
    connection = Connection()
    connection.receive(encode_box({b"_ask": b"7"}))
    assert events(connection) == [AskReceived(b"7", b"", {})]
    connection.refuse(b"7", b"UNHANDLED", b"Unhandled Command: ''")
    assert sent(connection)[0][b"_error"] == b"7"


# What is received


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_may_come_in_any_buffer_and_any_pieces(kind: Callable[[bytes], Any]) -> None:
    """One at a time included."""
    connection = Connection()
    for byte in encode_box({b"_ask": b"1", b"_command": b"Sum", **SUM}):
        assert connection.next_event() is None
        connection.receive(kind(bytes([byte])))
    assert events(connection) == [AskReceived(b"1", b"Sum", SUM)]


def test_the_owner_may_stop_at_any_event() -> None:
    """What it has not pulled is not yet read, and so no fault."""
    connection = Connection()
    connection.receive(encode_box({b"_command": b"Switch"}) + b"GET / HTTP/1.1")
    assert connection.next_event() == AskReceived(None, b"Switch", {})
    assert connection.state is State.OPEN
    with pytest.raises(RemoteProtocolError, match="at byte 20 of the stream"):
        connection.next_event()


def test_stray_boxes_do_not_end_a_connection() -> None:
    """They are events like others; what to do about them is the owner's decision."""
    connection = Connection()
    connection.ask(b"Sum", {}, waiter="waiter")
    for box in {b"_answer": b"7"}, {b"_error": b"7"}, {b"k": b""}, {b"_answer": b"1"}:
        connection.receive(encode_box(box))
    strays = events(connection)
    assert [type(event) for event in strays] == [StrayReceived] * 3 + [AnswerReceived]
    assert connection.state is State.OPEN


# The end


def test_abandon_gives_the_waiter_back() -> None:
    """Once; a late answer is a stray event."""
    connection = Connection()
    tag = connection.ask(b"Sum", SUM, waiter="waiter")
    assert connection.abandon(tag) == "waiter"
    assert connection.abandon(tag) is None
    connection.receive(encode_box({b"_answer": tag}))
    assert events(connection) == [StrayReceived("an answer to the unknown tag 1", late=True)]


def test_close_lets_what_is_under_way_end() -> None:
    """Answers come and go, and so do the asks that this end needs for that; to refuse others is the owner's duty."""
    connection = Connection()
    connection.ask(b"Sum", SUM, waiter="waiter")
    connection.close()
    assert connection.state is State.CLOSING
    connection.ask(b"Sum", SUM, waiter="another")
    connection.tell(b"Sum", SUM)
    assert len(sent(connection)) == 3
    connection.receive(encode_box({b"_answer": b"2"}) + encode_box({b"_answer": b"1"}))
    connection.receive(encode_box({b"_ask": b"9", b"_command": b"Sum"}))
    assert events(connection) == [
        AnswerReceived("another", {}),
        AnswerReceived("waiter", {}),
        AskReceived(b"9", b"Sum", {}),
    ]
    connection.answer(b"9", {b"total": b"94"})
    assert sent(connection) == [{b"_answer": b"9", b"total": b"94"}]


def test_end_gives_all_waiters_back() -> None:
    """In the order of asking, once; whoever asks later gets the reason as the cause."""
    connection = Connection()
    for waiter in "one", "two", "three":
        connection.ask(b"Sum", SUM, waiter)
    connection.receive(encode_box({b"_answer": b"2"}))
    assert connection.next_event() == AnswerReceived("two", {})
    assert Connection().end_reason is None
    assert connection.end(LOST) == ["one", "three"]
    assert connection.end(ConnectionLost("again")) == []
    assert (connection.state, connection.end_reason) == (State.CLOSED, LOST)
    assert (connection.has_output, connection.take_output()) == (False, b"")
    moves: list[Callable[[], object]] = [
        lambda: connection.ask(b"Sum", SUM, "four"),
        lambda: connection.tell(b"Sum", SUM),
    ]
    for move in moves:
        with pytest.raises(NotSent, match=r"^the connection has ended: the test has ended it$") as caught:
            move()
        assert caught.value.__cause__ is LOST
    assert connection.pending == {}


def test_an_ask_cannot_be_answered_behind_the_end() -> None:
    """The program could have known: a LocalProtocolError."""
    connection = Connection()
    connection.end(LOST)
    moves: list[Callable[[], None]] = [
        lambda: connection.answer(b"1", {}),
        lambda: connection.refuse(b"1", b"X"),
    ]
    for move in moves:
        with pytest.raises(LocalProtocolError, match=r"^cannot answer on a connection that is closed$"):
            move()
    assert not connection.has_output


def test_end_drops_what_was_not_pulled() -> None:
    """No event comes from a connection that has ended."""
    connection = Connection()
    connection.receive(encode_box({b"_command": b"Sum"}) * 2)
    assert connection.next_event() is not None
    connection.end(LOST)
    assert connection.next_event() is None


@pytest.mark.parametrize(
    ("received", "kind", "text"),
    [
        (b"", ConnectionLost, "the other end closed the connection"),
        (encode_box(SUM), ConnectionLost, "the other end closed the connection"),
        (b"\0\4_ask\0", RemoteProtocolError, "the stream ended 7 bytes into a box (at byte 7 of the stream)"),
    ],
)
def test_the_other_end_may_end_anywhere(received: bytes, kind: type[AmpError], text: str) -> None:
    """Between boxes the connection is lost, inside one the stream was not AMP; the owner ends it with either."""
    connection = Connection()
    connection.receive(received)
    events(connection)
    reason = connection.receive_end()
    assert (type(reason), str(reason)) == (kind, text)
    assert connection.state is State.OPEN


def test_it_knows_whether_a_box_waits() -> None:
    """Neither a part of one, nor one that was not pulled."""
    connection = Connection()
    seen = [connection.is_between_boxes]
    connection.receive(encode_box({b"_command": b"Sum"}) * 2 + b"\0")
    for _ in range(3):
        seen.append(connection.is_between_boxes)
        connection.next_event()
    connection.receive(b"\1a\0\0\0\0")
    seen.append(connection.is_between_boxes)
    connection.next_event()
    assert [*seen, connection.is_between_boxes] == [True, False, False, False, False, True]


def test_it_knows_whether_there_may_be_a_further_event() -> None:
    """Not where all that was received has been pulled."""
    connection = Connection()
    seen = [connection.may_have_event]
    connection.receive(encode_box({b"_command": b"Sum"}) * 2)
    for _ in range(2):
        seen.append(connection.may_have_event)
        connection.next_event()
    assert [*seen, connection.may_have_event] == [False, True, True, False]


def test_what_it_has_asked_is_counted() -> None:
    """Each ask counts once; what is told does not."""
    connection = Connection()
    counts = [connection.asked]
    for _ in range(2):
        connection.ask(b"Sum", {}, waiter=None)
        connection.tell(b"Sum", {})
        counts.append(connection.asked)
    assert counts == [0, 1, 2]


def test_where_a_box_has_begun() -> None:
    """While it is incomplete, its position in the stream; None between two boxes."""
    connection = Connection()
    whole = encode_box({b"_command": b"Sum"})
    begun = [connection.box_begun]
    for piece in (whole + whole[:5], whole[5:]):
        connection.receive(piece)
        assert len(events(connection)) == 1
        begun.append(connection.box_begun)
    assert begun == [None, len(whole), None]
