"""The table of states: every pair of a state and a move, in the table and in a connection."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from ampkit.core.connection import Connection
from ampkit.core.events import AskReceived
from ampkit.core.states import NEXT, Move, State, allowing, next_state
from ampkit.errors import ConnectionLost, LocalProtocolError
from ampkit.wire.box import encode_box

OPEN, SECURING, HANDSHAKING, SWITCHING, CLOSING, CLOSED = State

EXPECTED = {
    OPEN: {
        Move.ASK: OPEN,
        Move.ANSWER: OPEN,
        Move.RECEIVE: OPEN,
        Move.ASK_TLS: SECURING,
        Move.ASK_SWITCH: SWITCHING,
        Move.AGREE_TLS: HANDSHAKING,
        Move.CLOSE: CLOSING,
        Move.END: CLOSED,
    },
    SECURING: {
        Move.ASK: SECURING,
        Move.ANSWER: SECURING,
        Move.RECEIVE: SECURING,
        Move.STAY: OPEN,
        Move.AGREE_TLS: HANDSHAKING,
        Move.CLOSE: SECURING,
        Move.END: CLOSED,
    },
    HANDSHAKING: {
        Move.ASK: HANDSHAKING,
        Move.ANSWER: HANDSHAKING,
        Move.SECURE: OPEN,
        Move.CLOSE: HANDSHAKING,
        Move.END: CLOSED,
    },
    SWITCHING: {
        Move.ANSWER: SWITCHING,
        Move.RECEIVE: SWITCHING,
        Move.STAY: OPEN,
        Move.CLOSE: SWITCHING,
        Move.END: CLOSED,
    },
    CLOSING: {
        Move.ASK: CLOSING,
        Move.ANSWER: CLOSING,
        Move.RECEIVE: CLOSING,
        Move.CLOSE: CLOSING,
        Move.END: CLOSED,
    },
    CLOSED: {Move.CLOSE: CLOSED, Move.END: CLOSED},
}

PAIRS = list(product(State, Move))
every_pair = pytest.mark.parametrize(("state", "move"), PAIRS, ids=lambda member: member.value)


@every_pair
def test_each_move_leads_where_the_table_says(state: State, move: Move) -> None:
    """A move that is not in it is a LocalProtocolError that says what cannot be done and why."""
    expected = EXPECTED[state].get(move)
    assert NEXT.get((state, move)) is expected
    assert (state in allowing(move)) is (expected is not None)
    if expected is not None:
        assert next_state(state, move) is expected
        return
    with pytest.raises(LocalProtocolError, match=f"^cannot {move.value} on a connection that is {state.value}$"):
        next_state(state, move)


@every_pair
def test_a_connection_does_what_the_table_says(state: State, move: Move) -> None:
    """Also in those moves that look at no table because they have to be fast."""
    connection = connection_in(state)
    assert connection.state is state
    assert attempt(connection, move) is ((state, move) in NEXT)
    assert connection.state is NEXT.get((state, move), state)


def connection_in(state: State) -> Connection:
    """Make a connection that has come to a state."""
    connection = Connection()
    ways: dict[State, Callable[[], object]] = {
        OPEN: lambda: None,
        SECURING: lambda: connection.ask_tls("tls"),
        HANDSHAKING: lambda: agrees(connection),
        SWITCHING: lambda: connection.ask_switch(connection.ask_pairs(b"Switch", {}), "switch"),
        CLOSING: connection.close,
        CLOSED: lambda: connection.end(ConnectionLost("the test has ended it")),
    }
    ways[state]()
    connection.take_output()
    return connection


def attempt(connection: Connection, move: Move) -> bool:
    """Make a move in each way there is, and return whether it had an effect; it never has half of one."""
    effects = {
        Move.ASK: lambda: [asks(connection), tells(connection)],
        Move.ANSWER: lambda: [answers(connection), refuses(connection)],
        Move.RECEIVE: lambda: [receives(connection)],
        Move.ASK_TLS: lambda: [attempts(lambda: connection.ask_tls("tls"))],
        Move.ASK_SWITCH: lambda: [attempts(lambda: connection.ask_switch(b"", "switch"))],
        Move.STAY: lambda: [attempts(connection.stay)],
        Move.AGREE_TLS: lambda: [attempts(lambda: agrees(connection))],
        Move.SECURE: lambda: [attempts(connection.secured)],
        Move.CLOSE: lambda: [closes(connection)],
        Move.END: lambda: [connection.end(ConnectionLost("over")) in ([], ["tls"], ["switch"])],
    }[move]()
    assert len(set(effects)) == 1
    return effects[0]


def asks(connection: Connection) -> bool:
    """Ask: an ended connection is no mistake of the program's, so the error is a ConnectionLost."""
    try:
        tag = connection.ask(b"Sum", {}, "waiter")
    except ConnectionLost:
        assert "waiter" not in connection.pending.values()
        return False
    return leaves(connection) and connection.abandon(tag) == "waiter"


def tells(connection: Connection) -> bool:
    """Tell: as to ask."""
    try:
        connection.tell(b"Sum", {})
    except ConnectionLost:
        return False
    return leaves(connection)


def answers(connection: Connection) -> bool:
    """Answer: to answer what is closed is a mistake of the program's."""
    try:
        connection.answer(b"1", {})
    except LocalProtocolError:
        assert not connection.has_output
        return False
    return leaves(connection)


def refuses(connection: Connection) -> bool:
    """Refuse: as to answer."""
    try:
        connection.refuse(b"1", b"BUSY")
    except LocalProtocolError:
        assert not connection.has_output
        return False
    return leaves(connection)


def receives(connection: Connection) -> bool:
    """Receive: what comes too late is dropped, as nobody can help it."""
    connection.receive(encode_box({b"_command": b"Sum"}))
    event = connection.next_event()
    assert event in [None, AskReceived(None, b"Sum", {})]
    return event is not None


def leaves(connection: Connection) -> bool:
    """Take what was queued: it leaves at once, unless the connection is about to change; then it waits."""
    waits = connection.state in {SECURING, HANDSHAKING, SWITCHING}
    assert bool(connection.take_output()) is not waits
    return True


def attempts(move: Callable[[], object]) -> bool:
    """Make a move that the owner decides on: where it cannot be made, that is a mistake of the program's."""
    try:
        move()
    except (LocalProtocolError, ConnectionLost):
        return False
    return True


def agrees(connection: Connection) -> None:
    """Agree on TLS: to what this end was asked, or to what the other end has answered."""
    if connection.state is SECURING:
        connection.begin_tls(tls_server=False)
    else:
        connection.agree_tls(b"1")


def closes(connection: Connection) -> bool:
    """Close: it may be done in every state, and twice."""
    connection.close()
    return True
