"""Connections in memory, what a Deferred has come to, and the ways of a class; knows no row."""

# mypy: allow-untyped-calls, allow-subclassing-any

from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

PENDING: Final = object()
"""What a Deferred has come to that has not fired."""

CONSTANTS: Final = {
    "ASK": b"_ask",
    "ANSWER": b"_answer",
    "COMMAND": b"_command",
    "ERROR": b"_error",
    "ERROR_CODE": b"_error_code",
    "ERROR_DESCRIPTION": b"_error_description",
    "UNKNOWN_ERROR_CODE": b"UNKNOWN",
    "UNHANDLED_ERROR_CODE": b"UNHANDLED",
    "MAX_KEY_LENGTH": 255,
    "MAX_VALUE_LENGTH": 65_535,
}


class Wire:
    """A transport that keeps what is written until it is taken, and counts what else is asked of it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.secured: list[Any] = []
        self.descriptors: list[int] = []
        self.calls: list[str] = []

    @property
    def closed(self) -> int:
        """How often it was to be closed."""
        return self.calls.count("loseConnection")

    def write(self, data: bytes) -> None:
        """Keep bytes."""
        self.writes.append(data)

    def take(self) -> bytes:
        """Return all bytes that were written since."""
        data = b"".join(self.writes)
        self.writes.clear()
        return data

    def getPeer(self) -> str:
        """Return what stands for an address."""
        return "peer"

    def getHost(self) -> str:
        """Return what stands for an address."""
        return "host"

    def startTLS(self, options: Any) -> None:
        """Take note."""
        self.secured.append(options)

    def sendFileDescriptor(self, descriptor: int) -> None:
        """Take note."""
        self.descriptors.append(descriptor)

    def loseConnection(self) -> None:
        """Take note."""
        self.calls.append("loseConnection")

    def pauseProducing(self) -> None:
        """Take note."""
        self.calls.append("pauseProducing")

    def resumeProducing(self) -> None:
        """Take note."""
        self.calls.append("resumeProducing")

    def stopProducing(self) -> None:
        """Take note."""
        self.calls.append("stopProducing")


Cut = Callable[[bytes], Iterable[bytes]]


def joined(*ends: Any, cut: Cut = lambda data: [data]) -> Callable[[], None]:
    """Connect two protocols in memory; return what carries all bytes over until both are silent.

    Once an end wants to close, both lose the connection behind the last byte.
    """
    wires = [Wire() for _ in ends]
    for end, wire in zip(ends, wires, strict=True):
        end.makeConnection(wire)

    def carry() -> None:
        moved = True
        while moved:
            moved = False
            for wire, other in zip(wires, reversed(ends), strict=True):
                data = wire.take()
                for piece in cut(data) if data else ():
                    moved = True
                    other.dataReceived(piece)
        if any(wire.closed for wire in wires):
            for end in ends:
                if end.transport is not None:
                    end.connectionLost(Failure(ConnectionDone()))

    return carry


def started(protocol: Any) -> Any:
    """Connect a protocol to nobody; return its transport."""
    wire = Wire()
    protocol.makeConnection(wire)
    return wire


class Receiver:
    """A box receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.boxes: list[Any] = []
        self.seen: list[Any] = []
        self.sender: Any = None
        self.onBox: Any = None

    def startReceivingBoxes(self, boxSender: Any) -> None:
        """Take note."""
        self.sender = boxSender
        self.seen.append("start")

    def ampBoxReceived(self, box: Any) -> None:
        """Keep a box."""
        self.boxes.append(box)
        if self.onBox is not None:
            self.onBox()

    def stopReceivingBoxes(self, reason: Any) -> None:
        """Take note."""
        self.seen.append(reason)


class Inner:
    """A protocol that a connection becomes."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def makeConnection(self, transport: Any) -> None:
        """Take note."""
        self.seen.append(transport)

    def dataReceived(self, data: bytes) -> None:
        """Take note."""
        self.seen.append(data)

    def connectionLost(self, reason: Any) -> None:
        """Take note."""
        self.seen.append(reason)

    def clientConnectionLost(self, *args: Any) -> None:
        """Take note."""
        self.seen.append(args)


def receiving(cls: Any) -> tuple[Any, Receiver, Wire]:
    """A protocol, its receiver and its transport."""
    protocol = cls(boxReceiver=(receiver := Receiver()))
    return protocol, receiver, started(protocol)


def lose(protocol: Any, error: Exception | None = None) -> None:
    """Let a protocol lose its connection."""
    protocol.connectionLost(Failure(error or ConnectionDone()))


class Watched:
    """What a Deferred has come to: `result` is its result, its exception, or PENDING."""

    result: Any = PENDING

    def __init__(self, deferred: Deferred[Any]) -> None:
        _ = deferred.addBoth(self._take)

    def _take(self, result: Any) -> None:
        self.result = result.value if isinstance(result, Failure) else result


def bytes_of(**pairs: bytes) -> bytes:
    """Return the bytes of a box, pair by pair as they are given."""
    strings = [string for key, value in pairs.items() for string in (key.encode(), value)]
    return b"".join(len(string).to_bytes(2, "big") + string for string in [*strings, b""])


def passing(cls: Any, *names: str) -> Any:
    """Return a subclass that overrides methods and only calls up."""

    def override(name: str) -> Any:
        def call_up(self: Any, *args: Any, **kw: Any) -> Any:
            return getattr(cls, name)(self, *args, **kw)

        return call_up

    made: Any = type(cls.__name__, (cls,), {name: override(name) for name in names})
    assert all(getattr(made, name) != getattr(cls, name) for name in names)
    return made


WAYS: Final = {
    "short": lambda cls: cls,
    "by methods": lambda cls: passing(cls, "_sendBoxCommand", "_safeEmit", "ampBoxReceived"),
    "by strings": lambda cls: passing(cls, "stringReceived"),
}
"""How a class gets to the short way from calls to bytes, or away from it."""
