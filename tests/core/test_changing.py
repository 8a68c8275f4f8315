"""A connection that becomes secure or another protocol: what waits, what is given back, and where the boundary is."""

from __future__ import annotations

import pytest

from ampkit.core.connection import Connection
from ampkit.core.conversation import START_TLS
from ampkit.core.events import (
    AnswerReceived,
    AskReceived,
    ChangeRefused,
    RefusalReceived,
    StrayReceived,
    SwitchAgreed,
    TlsAgreed,
    TlsAsked,
)
from ampkit.core.states import State
from ampkit.errors import ConnectionLost, LocalProtocolError, ProtocolSwitched, RemoteProtocolError
from ampkit.wire.box import Box, encode_box
from ampkit.wire.codec import parse_string

PLAINTEXT = encode_box({b"_command": b"Pay", b"_ask": b"9"})
HELLO = b"\x16\x03\x01\x00\x05hello"


def sent(connection: Connection) -> list[Box]:
    """Return what leaves now."""
    return parse_string(connection.take_output())


def state_of(connection: Connection) -> State:
    """Return the state, of which a type checker would think that it stays."""
    return connection.state


def asking() -> Connection:
    """Return a connection that has asked for TLS, with one ask before it."""
    connection = Connection()
    connection.ask(b"Before", {}, "before")
    connection.ask_tls("tls")
    connection.take_output()
    return connection


def asked() -> Connection:
    """Return a connection that was asked for TLS."""
    connection = Connection()
    connection.receive(encode_box({b"_ask": b"5", b"_command": START_TLS}))
    assert connection.next_event() == TlsAsked(b"5")
    return connection


# Asking for TLS


def test_the_ask_is_that_of_twisted() -> None:
    """It leaves at once, behind what was queued before it, and has nothing but tag and name."""
    connection = Connection()
    connection.tell(b"Note", {})
    assert connection.ask_tls("tls") == b"1"
    assert sent(connection) == [{b"_command": b"Note"}, {b"_ask": b"1", b"_command": b"StartTLS"}]
    assert state_of(connection) is State.SECURING


def test_what_is_sent_meanwhile_leaves_behind_the_handshake_in_order() -> None:
    """Asks, what is told, answers and refusals."""
    connection = asking()
    connection.ask(b"Later", {}, "later")
    connection.answer(b"7", {b"a": b"1"})
    connection.tell(b"Note", {})
    connection.refuse(b"8", b"NO")
    assert connection.take_output() == b""
    connection.receive(encode_box({b"_answer": b"2"}))
    assert connection.next_event() == TlsAgreed("tls")
    assert connection.begin_tls(tls_server=False) == b""
    connection.ask(b"Last", {}, "last")
    assert (connection.take_output(), connection.state) == (b"", State.HANDSHAKING)
    connection.secured()
    assert state_of(connection) is State.OPEN
    first = [next(iter(box.items())) for box in sent(connection)]
    assert first == [(b"_ask", b"3"), (b"_answer", b"7"), (b"_command", b"Note"), (b"_error", b"8"), (b"_ask", b"4")]
    connection.receive(encode_box({b"_answer": b"4"}) + encode_box({b"_answer": b"1"}))
    assert [connection.next_event(), connection.next_event()] == [
        AnswerReceived("last", {}),
        AnswerReceived("before", {}),
    ]


def test_no_answer_before_tls_is_for_an_ask_behind_it() -> None:
    """The tags are easy to guess; what was not sent has no answer. What was asked before may be answered before."""
    connection = asking()
    later = connection.ask(b"Later", {}, "later")
    for guess in encode_box({b"_answer": later}), encode_box({b"_error": later, b"_error_code": b"NO"}):
        connection.receive(guess)
        assert isinstance(connection.next_event(), StrayReceived)
    connection.receive(encode_box({b"_error": b"1", b"_error_code": b"NO"}))
    assert connection.next_event() == RefusalReceived("before", b"NO", b"")
    assert connection.end(ConnectionLost("over")) == ["tls", "later"]


def test_asks_of_the_other_end_come_until_it_agrees() -> None:
    """It may have sent them before it knew; the answers wait."""
    connection = asking()
    connection.receive(PLAINTEXT + encode_box({b"_answer": b"2"}))
    assert isinstance(connection.next_event(), AskReceived)
    connection.answer(b"9", {})
    assert connection.next_event() == TlsAgreed("tls")
    assert connection.take_output() == b""


def test_a_client_of_tls_wants_nothing_behind_the_answer() -> None:
    """TLS's client speaks first, so what stands there already was put there by somebody else."""
    for rest in (PLAINTEXT, HELLO, b"\0"):
        connection = asking()
        connection.receive(encode_box({b"_answer": b"2"}) + rest)
        assert connection.next_event() == TlsAgreed("tls")
        with pytest.raises(RemoteProtocolError, match="behind its answer"):
            connection.begin_tls(tls_server=False)


def test_a_server_of_tls_takes_the_hello_behind_the_answer() -> None:
    """And nothing that is no TLS."""
    connection = asking()
    connection.receive(encode_box({b"_answer": b"2"}) + HELLO)
    assert connection.next_event() == TlsAgreed("tls")
    assert connection.begin_tls(tls_server=True) == HELLO
    connection = asking()
    connection.receive(encode_box({b"_answer": b"2"}) + PLAINTEXT)
    assert connection.next_event() == TlsAgreed("tls")
    with pytest.raises(RemoteProtocolError, match="plaintext"):
        connection.begin_tls(tls_server=True)


def test_a_box_that_is_pulled_behind_the_boundary_is_an_error() -> None:
    """An owner that does not stop gets no plaintext box as an event."""
    connection = asking()
    connection.receive(encode_box({b"_answer": b"2"}) + PLAINTEXT)
    assert connection.next_event() == TlsAgreed("tls")
    with pytest.raises(RemoteProtocolError, match="behind the point"):
        connection.next_event()
    connection = asked()
    connection.receive(PLAINTEXT)
    with pytest.raises(RemoteProtocolError, match="behind the point"):
        connection.next_event()


def test_nothing_is_read_as_boxes_during_the_handshake() -> None:
    """Bytes belong to TLS then."""
    connection = asked()
    connection.agree_tls(b"5")
    connection.receive(PLAINTEXT)
    assert connection.next_event() is None


def test_a_refusal_gives_asks_back_and_sends_answers() -> None:
    """What was to be secret is not sent; all else goes on."""
    connection = asking()
    connection.ask(b"Later", {}, "later")
    connection.answer(b"7", {})
    connection.tell(b"Note", {})
    connection.refuse(b"8", b"NO")
    connection.receive(encode_box({b"_error": b"2", b"_error_code": b"UNHANDLED", b"_error_description": b"no"}))
    assert connection.next_event() == ChangeRefused("tls", b"UNHANDLED", b"no")
    assert connection.stay() == ["later"]
    assert state_of(connection) is State.OPEN
    assert [next(iter(box.items())) for box in sent(connection)] == [(b"_answer", b"7"), (b"_error", b"8")]
    assert connection.ask(b"Plain", {}, "plain") == b"4"
    assert list(connection.pending.values()) == ["before", "plain"]
    connection.ask_tls("again")
    assert state_of(connection) is State.SECURING


def test_an_ask_that_waits_can_be_abandoned() -> None:
    """It is sent nevertheless, as its box is queued; a late answer is a stray one."""
    connection = asking()
    tag = connection.ask(b"Later", {}, "later")
    assert connection.abandon(tag) == "later"
    assert connection.abandon(tag) is None
    assert connection.end(ConnectionLost("over")) == ["before", "tls"]


def test_both_ends_asking_at_once_is_an_error() -> None:
    """Each waits for the other, so neither could answer."""
    connection = asking()
    connection.receive(encode_box({b"_ask": b"5", b"_command": START_TLS}))
    with pytest.raises(RemoteProtocolError, match="same time"):
        connection.next_event()


def test_closing_waits_for_what_the_connection_becomes() -> None:
    """Be it secure or not."""
    for answer in ({b"_answer": b"2"}, {b"_error": b"2"}):
        connection = asking()
        connection.close()
        assert state_of(connection) is State.SECURING
        connection.receive(encode_box(answer))
        if isinstance(connection.next_event(), TlsAgreed):
            connection.begin_tls(tls_server=False)
            connection.secured()
        else:
            connection.stay()
        assert state_of(connection) is State.CLOSING


# Being asked for TLS


def test_the_answer_is_that_of_twisted() -> None:
    """It leaves at once, behind what was queued before it; what is queued behind it waits."""
    connection = asked()
    connection.ask(b"Before", {}, "before")
    connection.agree_tls(b"5")
    connection.ask(b"Later", {}, "later")
    assert sent(connection) == [{b"_ask": b"1", b"_command": b"Before"}, {b"_answer": b"5"}]
    assert connection.state is State.HANDSHAKING
    connection.secured()
    assert sent(connection) == [{b"_ask": b"2", b"_command": b"Later"}]
    assert list(connection.pending.values()) == ["before", "later"]


def test_a_byte_behind_the_ask_is_an_error() -> None:
    """Whoever asks sends nothing more before the answer, be it TLS."""
    for rest in (PLAINTEXT, HELLO, b"\0"):
        connection = Connection()
        connection.receive(encode_box({b"_ask": b"5", b"_command": START_TLS}) + rest)
        assert connection.next_event() == TlsAsked(b"5")
        with pytest.raises(RemoteProtocolError, match="behind its ask"):
            connection.agree_tls(b"5")
        assert connection.take_output() == b""


def test_tls_may_be_refused() -> None:
    """Then all goes on, with what stands behind the ask."""
    connection = asked()
    connection.refuse_tls(b"5", b"UNHANDLED", b"no")
    connection.receive(PLAINTEXT)
    assert isinstance(connection.next_event(), AskReceived)
    assert sent(connection) == [{b"_error": b"5", b"_error_code": b"UNHANDLED", b"_error_description": b"no"}]


def test_a_second_tls_is_an_error() -> None:
    """On the end that asks, and on the end that is asked, which can still refuse."""
    connection = asked()
    connection.agree_tls(b"5")
    connection.secured()
    connection.take_output()
    with pytest.raises(LocalProtocolError, match="secure already"):
        connection.ask_tls("again")
    connection.receive(encode_box({b"_ask": b"6", b"_command": START_TLS}))
    assert connection.next_event() == TlsAsked(b"6")
    with pytest.raises(LocalProtocolError, match="secure already"):
        connection.agree_tls(b"6")
    connection.refuse_tls(b"6", b"TLS_ERROR", b"")
    assert sent(connection) == [{b"_error": b"6", b"_error_code": b"TLS_ERROR", b"_error_description": b""}]


def test_a_connection_that_began_secure_cannot_become_it() -> None:
    """Its owner says so."""
    connection = Connection()
    secure = [connection.is_secure]
    connection.begin_secure()
    assert [*secure, connection.is_secure] == [False, True]
    with pytest.raises(LocalProtocolError, match="secure already"):
        connection.ask_tls("again")


def test_told_without_an_answer_it_is_a_command_like_any() -> None:
    """TLS cannot begin where nobody is told that it does."""
    connection = Connection()
    connection.receive(encode_box({b"_command": START_TLS}))
    assert connection.next_event() == AskReceived(None, START_TLS, {})


# Another protocol


def switching() -> Connection:
    """Return a connection that has asked for another protocol, with one ask before it."""
    connection = Connection()
    connection.ask(b"Before", {}, "before")
    connection.ask_switch(connection.ask_pairs(b"Switch", {b"to": b"http"}), "switch")
    assert sent(connection)[1] == {b"_ask": b"2", b"_command": b"Switch", b"to": b"http"}
    return connection


def test_the_bytes_behind_the_answer_are_not_amp() -> None:
    """They are given to whom they belong; who still waits is given back at the end."""
    connection = switching()
    connection.receive(encode_box({b"_answer": b"2"}) + b"HTTP/1.1 200 OK")
    assert connection.next_event() == SwitchAgreed("switch")
    assert connection.switch() == b"HTTP/1.1 200 OK"
    assert connection.end(ProtocolSwitched("it speaks HTTP now")) == ["before"]


def test_nothing_can_be_asked_meanwhile() -> None:
    """Nor told; and there is no second change."""
    connection = switching()
    with pytest.raises(ProtocolSwitched):
        connection.ask(b"Sum", {}, "sum")
    with pytest.raises(ProtocolSwitched):
        connection.tell(b"Note", {})
    with pytest.raises(LocalProtocolError, match="switching"):
        connection.ask_tls("tls")
    with pytest.raises(LocalProtocolError, match="switching"):
        connection.ask_switch(b"", "again")
    assert connection.take_output() == b""


def test_a_refused_switch_unlocks() -> None:
    """Answers have waited for that, and asks go again."""
    connection = switching()
    connection.answer(b"7", {})
    assert connection.take_output() == b""
    connection.receive(encode_box({b"_error": b"2", b"_error_code": b"NO"}))
    assert connection.next_event() == ChangeRefused("switch", b"NO", b"")
    assert connection.stay() == []
    connection.ask(b"Sum", {}, "sum")
    assert [next(iter(box)) for box in sent(connection)] == [b"_answer", b"_ask"]


def test_the_end_of_a_connection_that_was_to_change_gives_all_back() -> None:
    """In the order of asking; nothing is asked any more."""
    connection = switching()
    assert connection.end(ConnectionLost("over")) == ["before", "switch"]
    with pytest.raises(ConnectionLost, match="over"):
        connection.ask_switch(b"", "again")
    with pytest.raises(ConnectionLost, match="over"):
        connection.ask_tls("again")
