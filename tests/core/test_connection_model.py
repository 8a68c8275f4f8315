"""Two connections and whatever may happen to them: every waiter comes back exactly once, and it is the right one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ampkit.core.connection import Connection
from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, LocalProtocolError, RemoteProtocolError

LEFT_RIGHT = st.sampled_from([0, 1])


@dataclass(eq=False)
class Waiter:
    """One ask, and how often its end was told."""

    tag: bytes = b""
    number: int = 0
    times_back: int = 0


@dataclass
class End:
    """One end, and what a program that uses it would know."""

    connection: Connection = field(default_factory=Connection)
    waiters: list[Waiter] = field(default_factory=list)
    """All that ever asked, in their order."""
    asked: list[AskReceived] = field(default_factory=list)
    """Asks of the other end that were neither answered nor refused."""
    flying: bytearray = field(default_factory=bytearray)
    """Bytes that were sent to this end and have not come."""

    def waiting(self) -> list[Waiter]:
        """Return who has not come back."""
        return [waiter for waiter in self.waiters if not waiter.times_back]


class TwoEnds(RuleBasedStateMachine):
    """Rules are what programs, peers and networks do; invariants are what the core promises."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = (End(), End())
        self.garbled = False

    # What programs do

    @rule(side=LEFT_RIGHT)
    def ask(self, side: int) -> None:
        """Ask with a number, which the answer has to bring back."""
        end = self.ends[side]
        waiter = Waiter(number=len(end.waiters))
        try:
            waiter.tag = end.connection.ask(b"Ask", {b"n": b"%d" % waiter.number}, waiter)
        except ConnectionLost:
            assert end.connection.state is State.CLOSED
        else:
            assert end.connection.state is not State.CLOSED
            assert waiter.tag not in [other.tag for other in end.waiters]
            end.waiters.append(waiter)

    @rule(side=LEFT_RIGHT)
    def tell(self, side: int) -> None:
        """Tell, which nobody waits for."""
        try:
            self.ends[side].connection.tell(b"Tell", {})
        except ConnectionLost:
            assert self.ends[side].connection.state is State.CLOSED

    @precondition(lambda self: any(end.asked for end in self.ends))
    @rule(data=st.data(), refuse=st.booleans())
    def answer(self, data: st.DataObject, refuse: bool) -> None:
        """Answer or refuse any of the asks, in any order."""
        end = data.draw(st.sampled_from([end for end in self.ends if end.asked]))
        ask = end.asked.pop(data.draw(st.integers(0, len(end.asked) - 1)))
        assert ask.tag is not None
        try:
            if refuse:
                end.connection.refuse(ask.tag, b"NO", ask.box[b"n"])
            else:
                end.connection.answer(ask.tag, ask.box)
        except LocalProtocolError:
            assert end.connection.state is State.CLOSED

    @precondition(lambda self: any(end.waiters for end in self.ends))
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        """Abandon any ask, ended ones too."""
        end = data.draw(st.sampled_from([end for end in self.ends if end.waiters]))
        waiter = data.draw(st.sampled_from(end.waiters))
        back = end.connection.abandon(waiter.tag)
        assert back is (None if waiter.times_back else waiter)
        if back is not None:
            waiter.times_back += 1

    @rule(side=LEFT_RIGHT)
    def close(self, side: int) -> None:
        """Begin to close."""
        self.ends[side].connection.close()

    @rule(side=LEFT_RIGHT, twice=st.booleans())
    def end(self, side: int, twice: bool) -> None:
        """End one end, perhaps twice."""
        self.end_with(self.ends[side], ConnectionLost("the program has ended it"))
        if twice:
            assert self.ends[side].connection.end(ConnectionLost("again")) == []

    # What the network does

    @rule(side=LEFT_RIGHT, most=st.integers(1, 60) | st.none())
    def deliver(self, side: int, most: int | None) -> None:
        """Let some bytes come, be it in the middle of a box."""
        end, other = self.ends[side], self.ends[1 - side]
        end.flying += other.connection.take_output()
        end.connection.receive(bytes(end.flying[:most]))
        del end.flying[:most]
        self.pull(end)

    @rule(side=LEFT_RIGHT)
    def lose(self, side: int) -> None:
        """Break the connection for one end."""
        connection = self.ends[side].connection
        self.end_with(self.ends[side], connection.receive_end())

    @rule(side=LEFT_RIGHT, noise=st.binary(min_size=1, max_size=4))
    def garble(self, side: int, noise: bytes) -> None:
        """Send what need not be AMP; what comes behind it need not be either."""
        self.garbled = True
        self.ends[side].flying += self.ends[1 - side].connection.take_output() + noise

    # What the core promises

    @invariant()
    def those_who_wait_are_pending(self) -> None:
        """In the order of asking; after the end nobody is."""
        for end in self.ends:
            assert list(end.connection.pending.values()) == end.waiting()
            assert end.connection.state is not State.CLOSED or not end.waiting()

    def teardown(self) -> None:
        """Let everything come, then end both: everybody has come back exactly once."""
        for _ in range(2):
            for side in (0, 1):
                self.deliver(side, None)
        for end in self.ends:
            self.end_with(end, ConnectionLost("the test is over"))
            assert [waiter.times_back for waiter in end.waiters] == [1] * len(end.waiters)
            assert end.connection.take_output() == b""

    def end_with(self, end: End, reason: AmpError) -> None:
        """End one end: it gives back those who wait, in the order of asking, and keeps its first reason."""
        first = end.connection.end_reason or reason
        waiting = end.waiting()
        assert end.connection.end(reason) == waiting
        for waiter in waiting:
            waiter.times_back += 1
        assert end.connection.end_reason is first
        end.asked.clear()

    def pull(self, end: End) -> None:
        """Pull events as an owner does, and end with the fault if there is one."""
        try:
            while (event := end.connection.next_event()) is not None:
                self.take(end, event)
        except RemoteProtocolError as error:
            assert self.garbled
            self.end_with(end, error)

    def take(self, end: End, event: Event) -> None:
        """Look at an event: it is what the other end did, and brings the right waiter back."""
        if isinstance(event, AskReceived):
            assert self.garbled or event.command == (b"Tell" if event.tag is None else b"Ask")
            if event.tag is not None and b"n" in event.box:
                end.asked.append(event)
        elif isinstance(event, StrayReceived):
            assert self.garbled or event.late
        elif isinstance(event, AnswerReceived | RefusalReceived):
            self.take_back(event)

    def take_back(self, event: AnswerReceived | RefusalReceived) -> None:
        """Take a waiter that an answer or refusal brought."""
        waiter: Any = event.waiter
        waiter.times_back += 1
        assert waiter.times_back == 1
        number = event.box.get(b"n") if isinstance(event, AnswerReceived) else event.description
        assert self.garbled or number == b"%d" % waiter.number


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = settings(max_examples=60, stateful_step_count=40)
