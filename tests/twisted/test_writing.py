"""What is written while a read is handled leaves at its end, and whatever a reactor has to see to is left to it."""

# mypy: allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet import main
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from ampkit.twisted import amp
from ampkit.wire.codec import parse_string


class Reactor:
    """Keeps who wants to write, and who wants to be called."""

    def __init__(self) -> None:
        self.writers: list[Any] = []
        self.later: list[Callable[[], Any]] = []

    def addReader(self, reader: Any) -> None:
        """Nothing reads here."""

    def removeReader(self, reader: Any) -> None:
        """Nothing reads here."""

    def addWriter(self, writer: Any) -> None:
        """Keep it, once."""
        if writer not in self.writers:
            self.writers.append(writer)

    def removeWriter(self, writer: Any) -> None:
        """Forget it."""
        if writer in self.writers:
            self.writers.remove(writer)

    def callLater(self, delay: float, function: Callable[..., Any], *a: Any) -> None:
        """Keep it."""
        self.later.append(lambda: function(*a))


class Transport(Connection):
    """A socket of Twisted's, without the parts that connect it."""

    connected = 1

    def __init__(self, end: socket.socket, protocol: Any, reactor: Any) -> None:
        super().__init__(end, protocol, reactor)

    def getPeer(self) -> str:
        """Return something to log."""
        return "peer"

    getHost = getPeer


class Do(amp.Command):
    """Its responder does what the test wants."""

    response = [(b"number", amp.Integer())]


class Doer(amp.AMP):
    """Counts, and does `action` at each second ask."""

    def __init__(self, action: Callable[[Doer], object]) -> None:
        super().__init__()
        self.action = action
        self.number = 0

    @Do.responder
    def do(self) -> dict[str, int]:
        """Count and do."""
        self.number += 1
        if self.number == 2:
            self.action(self)
        return {"number": self.number}


class Ends:
    """A protocol on a real socket, and the plain other end of it."""

    def __init__(self, action: Callable[[Doer], object]) -> None:
        self.mine, self.other = socket.socketpair()
        self.mine.setblocking(False)
        self.other.setblocking(False)
        self.reactor = Reactor()
        self.protocol = Doer(action)
        self.transport = Transport(self.mine, self.protocol, self.reactor)
        self.protocol.makeConnection(self.transport)

    def ask(self, count: int = 3) -> None:
        """Let the protocol read some asks at once."""
        self.protocol.dataReceived(
            b"".join(amp.Box(_ask=b"%d" % i, _command=b"Do").serialize() for i in range(1, count + 1))
        )

    def received(self) -> bytes:
        """Return what has reached the other end."""
        try:
            return self.other.recv(1_000_000)
        except BlockingIOError:
            return b""

    def numbers(self) -> list[bytes]:
        """Return the answers that have reached the other end."""
        return [box[b"number"] for box in parse_string(self.received())]

    def close(self) -> None:
        """Close both sockets."""
        self.mine.close()
        self.other.close()


@pytest.fixture
def join() -> Iterator[Callable[..., Ends]]:
    """Make such ends, and close them."""
    made: list[Ends] = []

    def make(action: Callable[[Doer], object] = lambda _: None) -> Ends:
        made.append(Ends(action))
        return made[-1]

    yield make
    for ends in made:
        ends.close()


def test_answers_leave_with_the_read(join: Callable[..., Ends]) -> None:
    """All of them, and the reactor has nothing to do."""
    ends = join()
    ends.ask()
    assert ends.numbers() == [b"1", b"2", b"3"]
    assert ends.reactor.writers == []


def test_what_is_asked_in_between_waits_for_the_reactor(join: Callable[..., Ends]) -> None:
    """As every write does."""
    ends = join()
    _ = ends.protocol.callRemote(Do)
    assert ends.received() == b""
    assert ends.reactor.writers == [ends.transport]
    ends.ask()
    assert [sorted(box) for box in parse_string(ends.received())] == [[b"_ask", b"_command"]] + [
        [b"_answer", b"number"]
    ] * 3
    assert ends.reactor.writers == []


def test_a_full_socket_is_left_to_the_reactor(join: Callable[..., Ends]) -> None:
    """Nothing is lost, and the order is kept."""
    ends = join()
    full = 0
    try:
        while True:
            full += ends.transport.socket.send(b"x" * 65_536)
    except BlockingIOError:
        pass
    ends.ask()
    assert ends.reactor.writers == [ends.transport]
    ends.ask()
    while full:
        full -= len(ends.other.recv(min(full, 65_536)))
    assert ends.transport.doWrite() is None
    assert ends.transport.doWrite() is None
    assert ends.numbers() == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert ends.reactor.writers == []


def test_a_closing_connection_sends_what_it_has(join: Callable[..., Ends]) -> None:
    """The reactor sends it, and closes."""
    ends = join(lambda protocol: protocol.transport.loseConnection())
    ends.ask()
    assert ends.received() == b""
    assert ends.reactor.writers == [ends.transport]
    assert ends.transport.doWrite() is main.CONNECTION_DONE
    assert ends.numbers() == [b"1", b"2", b"3"]


def test_half_a_close_is_left_to_the_reactor(join: Callable[..., Ends]) -> None:
    """It sends what there is first."""
    ends = join(lambda protocol: protocol.transport.loseWriteConnection())
    ends.ask()
    assert ends.reactor.writers == [ends.transport]
    ends.transport.doWrite()
    assert ends.numbers() == [b"1", b"2", b"3"]


def test_an_aborted_connection_sends_nothing(join: Callable[..., Ends]) -> None:
    """And ends in the next turn."""
    ends = join(lambda protocol: protocol.transport.abortConnection())
    ends.ask()
    (lost,) = ends.reactor.later
    lost()
    assert ends.received() == b""
    assert ends.reactor.writers == []


def test_a_connection_that_is_lost_meanwhile(join: Callable[..., Ends]) -> None:
    """Nobody waits for it."""
    ends = join(lambda protocol: protocol.transport.connectionLost(Failure(main.CONNECTION_LOST)))
    ends.ask(2)
    assert ends.reactor.writers == []


def test_what_a_program_writes_itself_stays_in_its_place(join: Callable[..., Ends]) -> None:
    """Between the answers before and behind it."""
    ends = join(lambda protocol: protocol.transport.write(amp.Box(number=b"mine").serialize()))
    ends.ask()
    assert ends.numbers() == [b"1", b"mine", b"2", b"3"]
    assert ends.reactor.writers == []


class Producer:
    """Pauses and resumes when it is told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def pauseProducing(self) -> None:
        """Hear of a full buffer."""
        self.heard.append("pause")

    def resumeProducing(self) -> None:
        """Hear of an empty one."""
        self.heard.append("resume")

    def stopProducing(self) -> None:
        """Hear of the end."""


def test_a_producer_hears_of_a_full_buffer(join: Callable[..., Ends]) -> None:
    """What stands behind it is the reactor's to send."""
    producer = Producer()

    def produce(protocol: Doer) -> None:
        protocol.transport.registerProducer(producer, True)
        protocol.transport.write(b"\0" * 100_000)

    ends = join(produce)
    ends.ask()
    assert ends.reactor.writers == [ends.transport]
    assert set(producer.heard) == {"pause"}


def test_a_read_that_raises_leaves_its_answers_to_the_reactor(join: Callable[..., Ends]) -> None:
    """It is going to drop the connection."""
    ends = join()
    asks = amp.Box(_ask=b"1", _command=b"Do").serialize()
    with pytest.raises(amp.NoEmptyBoxes):
        ends.protocol.dataReceived(asks + amp.Box(x=b"y").serialize())
    assert ends.received() == b""
    assert ends.reactor.writers == [ends.transport]


@pytest.mark.parametrize("names", [["transport"], ["transport", "another"]], ids=str)
def test_another_transport_takes_over(names: list[str], join: Callable[..., Ends]) -> None:
    """What went to the first is sent all the same."""
    second = join()

    def assign(protocol: Doer) -> None:
        for name in names:
            setattr(protocol, name, second.transport)

    first = join(assign)
    first.ask()
    for transport in first.reactor.writers + second.reactor.writers:
        transport.doWrite()
    assert first.numbers() == [b"1"]
    assert second.numbers() == [b"2", b"3"]


def test_a_box_of_another_kind_of_bytes_is_refused(join: Callable[..., Ends]) -> None:
    """A box class of a program's own may serialize itself to what no transport takes."""

    class Odd(amp.Box):
        def serialize(self) -> Any:
            return bytearray(super().serialize())

    ends = join(lambda protocol: protocol.sendBox(Odd(x=b"y")))
    with pytest.raises(TypeError):
        ends.protocol.sendBox(Odd(x=b"y"))
