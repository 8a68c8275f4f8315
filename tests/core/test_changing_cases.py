"""Ten thousand streams with plaintext around the boundary of STARTTLS: none is taken for what came over TLS."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from ampkit.core.boundary import check_tls
from ampkit.core.connection import Connection
from ampkit.core.conversation import START_TLS
from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, TlsAgreed, TlsAsked
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, RemoteProtocolError
from ampkit.wire.box import encode_box

CASES = 10_000
PARTS = 20
HELLO = b"\x16\x03\x01\x00\x05hello"


@dataclass
class Owner:
    """What a runtime does with a connection, and what its program would have noticed."""

    dice: random.Random
    is_server: bool
    connection: Connection = field(default_factory=Connection)
    waiting: set[str] = field(default_factory=set)
    """Calls that have not ended."""
    secret: set[str] = field(default_factory=set)
    """Those among all calls that were made behind the ask for TLS."""
    is_tls: bool = False
    has_hello: bool = False
    taken_in: list[str] = field(default_factory=list)
    """What reached a handler or answered a call though it must not."""

    def call(self) -> None:
        """Make a call of the program's."""
        name = f"call {len(self.waiting) + len(self.secret)} {self.dice.random()}"
        self.waiting.add(name)
        if self.connection.state is not State.OPEN:
            self.secret.add(name)
        self.connection.ask(b"Good", {}, name)

    def receive(self, data: bytes) -> None:
        """Take what the network brings: for AMP, or for TLS, whose first bytes are looked at."""
        if self.is_tls:
            self.take_tls(data)
            return
        self.connection.receive(data)
        try:
            while self.takes_boxes() and (event := self.connection.next_event()) is not None:
                self.take(event)
        except RemoteProtocolError as error:
            self.end(error)

    def takes_boxes(self) -> bool:
        """Whether what comes is AMP still."""
        return not self.is_tls

    def take(self, event: Event) -> None:
        """Do what the event says."""
        if isinstance(event, TlsAsked):
            self.connection.agree_tls(event.tag)
            self.is_tls = True
        elif isinstance(event, TlsAgreed):
            self.back(event.waiter)
            rest = self.connection.begin_tls(tls_server=self.is_server)
            self.is_tls = True
            if rest:
                self.take_tls(rest)
        elif isinstance(event, AskReceived):
            if event.command == b"Evil":
                self.taken_in.append("a handler ran")
            if event.tag is not None:
                self.connection.answer(event.tag, {})
        elif isinstance(event, AnswerReceived | RefusalReceived):
            if event.waiter in self.secret:
                self.taken_in.append("a call was answered")
            self.back(event.waiter)

    def take_tls(self, data: bytes) -> None:
        """Stand for TLS: it takes one hello, and anything else ends the connection."""
        try:
            if not self.has_hello:
                check_tls(data)
            if self.has_hello or not HELLO.startswith(data[: len(HELLO)]):
                raise RemoteProtocolError("TLS cannot read this")
            self.has_hello = len(data) == len(HELLO)
        except RemoteProtocolError as error:
            self.end(error)

    def end(self, reason: AmpError) -> None:
        """Give all back who wait."""
        for waiter in self.connection.end(reason):
            self.back(waiter)

    def back(self, waiter: Any) -> None:
        """Note that a call has ended: once."""
        self.waiting.remove(waiter)


def evil(dice: random.Random) -> bytes:
    """Make plaintext that somebody between the ends might put into the stream."""
    boxes = [
        encode_box({b"_ask": b"77", b"_command": b"Evil"}),
        encode_box({b"_command": b"Evil"}),
        encode_box({b"_answer": b"%x" % dice.randint(1, 12)}),
        encode_box({b"_error": b"%x" % dice.randint(1, 12), b"_error_code": b"NO"}),
        encode_box({b"_ask": b"78", b"_command": START_TLS}),
        b"\0",
        dice.randbytes(dice.randint(1, 20)),
    ]
    data = b"".join(dice.choices(boxes, k=dice.randint(1, 3)))
    return data[: dice.randint(1, len(data))] if dice.random() < 0.2 else data


def pieces(dice: random.Random, data: bytes) -> list[bytes]:
    """Cut a stream as a network might."""
    cuts = sorted(dice.randint(0, len(data)) for _ in range(dice.randint(0, 4)))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if begin < end]


def run_case(seed: int) -> Owner:
    """Let an end ask or be asked, with calls before and behind, and plaintext behind the boundary."""
    dice = random.Random(seed)
    owner = Owner(dice, is_server=dice.random() < 0.5)
    for _ in range(dice.randint(0, 3)):
        owner.call()
    good = encode_box({b"_ask": b"70", b"_command": b"Good"}) * dice.randint(0, 2)
    if dice.random() < 0.5:
        owner.waiting.add("tls")
        boundary = encode_box({b"_answer": owner.connection.ask_tls("tls")})
    else:
        boundary = encode_box({b"_ask": b"71", b"_command": START_TLS})
    if dice.random() < 0.5:
        good += b"".join(encode_box({b"_answer": b"%x" % dice.randint(1, 12)}) for _ in range(3))
    stream = good + boundary + (HELLO if dice.random() < 0.2 else b"") + evil(dice)
    for piece in pieces(dice, stream):
        if owner.connection.state is not State.CLOSED and dice.random() < 0.5:
            owner.call()
        if owner.connection.state is not State.CLOSED:
            owner.receive(piece)
    return owner


@pytest.mark.parametrize("part", range(PARTS))
def test_no_plaintext_behind_the_boundary_is_taken_in(part: int) -> None:
    """It reaches no handler and answers no call that was made behind it; when the connection ends, no call is left."""
    for seed in range(part, CASES, PARTS):
        owner = run_case(seed)
        assert owner.taken_in == [], seed
        owner.end(ConnectionLost("the case is over"))
        assert owner.waiting == set(), seed
        assert owner.connection.pending == {}, seed
        assert owner.connection.take_output() == b"", seed


def test_the_cases_are_what_they_should_be() -> None:
    """Most are dropped for what came behind the boundary, in either role, and many had calls to lose."""
    owners = [run_case(seed) for seed in range(1_000)]
    dropped = [owner for owner in owners if isinstance(owner.connection.end_reason, RemoteProtocolError)]
    assert len(dropped) > 900
    assert {owner.is_server for owner in dropped} == {True, False}
    assert sum(bool(owner.secret) for owner in owners) > 300
