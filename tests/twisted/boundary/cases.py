"""Generated streams with a StartTLS in them, cut at random, and what an end makes of one; judges nothing."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from dataclasses import dataclass, field
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from ampkit.twisted import amp
from tests.twisted.rows.common import WAYS, Watched, Wire, bytes_of

BEFORE, BEHIND = b"before", b"behind"
"""On which side of the boundary a box stands in the stream of the other end."""

START = [b"StartTLS", b"Secure"]
"""What starts TLS: the command itself, and a program's own kind of it."""


class Refused(Exception):
    """What a responder of StartTLS may raise."""


class Secure(amp.StartTLS):
    """A program's own kind of StartTLS."""

    errors = {Refused: b"REFUSED"}


class Mark(amp.Command):
    """Says where it stood."""

    arguments = response = [(b"where", amp.String())]


class TLS:
    """The layer that a secured transport has above it: it takes note of the bytes that are not its own."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire
        self.data = b""

    def dataReceived(self, data: bytes) -> None:
        """Drop who sends plaintext."""
        self.data += data
        self.wire.loseConnection()


class Transport(Wire):
    """A transport that is secured by a layer that every byte goes to from then on."""

    protocol: Any = None

    def startTLS(self, options: Any) -> None:
        """Put the layer between."""
        super().startTLS(options)
        self.protocol = TLS(self)


class Certificate:
    """One that costs nothing."""

    def options(self, *_: Any) -> None:
        """Need none."""


@dataclass
class Seen:
    """What has come of a case."""

    marks: list[bytes] = field(default_factory=list)
    """What responders were told."""
    early: list[Watched] = field(default_factory=list)
    """Calls that were sent before the boundary."""
    held: list[Watched] = field(default_factory=list)
    """Calls that were to be sent behind it."""
    starts: list[Watched] = field(default_factory=list)
    """Calls of StartTLS."""
    secured: bool = False
    refused: bool = False
    raised: str = ""

    @property
    def calls(self) -> list[Watched]:
        """All calls."""
        return [*self.early, *self.held, *self.starts]


class Case:
    """One stream, one end, and in which order things happen to it; the same for the same number."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        self.seen = Seen()
        self.waiting: list[Deferred[Any]] = []
        self.transport = Transport()
        self.answers = self.random.choice(["now", "later", "never", "no"])
        self.end = self.make_end()
        self.end.makeConnection(self.transport)
        self.transport.protocol = self.end

    def make_end(self) -> Any:
        """Make an end that notes what its responders are told."""
        case = self

        class End(WAYS[self.random.choice([*WAYS])](amp.AMP)):  # type: ignore[misc]
            @Mark.responder
            def mark(self, where: bytes) -> Any:
                case.seen.marks.append(where)
                return {"where": where}

            @Secure.responder
            @amp.StartTLS.responder
            def start(self) -> Any:
                return case.answer()

        return End()

    def answer(self) -> Any:
        """Agree, or not, or later."""
        if self.answers == "no":
            self.seen.refused = True
            raise Refused
        if self.answers == "now":
            return {"tls_localCertificate": Certificate()}
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def call(self, into: list[Watched], many: int) -> None:
        """Ask the other end."""
        into += [Watched(self.end.callRemote(Mark, where=b"asked")) for _ in range(self.random.randrange(many))]

    def feed(self, stream: bytes) -> None:
        """Let the bytes come in pieces; in between, responders may get done."""
        while stream:
            size = self.random.choice([1, 2, 7, 40, len(stream)])
            piece, stream = stream[:size], stream[size:]
            try:
                self.transport.protocol.dataReceived(piece)
            except Exception as error:  # noqa: BLE001 - a reactor ends the connection for whatever it is
                self.seen.raised = repr(error)
                break
            if self.answers == "later" and self.random.random() < 0.2:
                self.fire()
        if self.answers == "later":
            self.fire()
        self.seen.secured = bool(self.transport.secured)
        self.end.connectionLost(Failure(ConnectionDone()))

    def fire(self) -> None:
        """Let a responder get done."""
        if self.waiting:
            self.waiting.pop(0).callback({"tls_localCertificate": Certificate()})

    def some_box(self, where: bytes, tags: list[bytes]) -> bytes:
        """Return the bytes of a box that somebody may have put there, or of none."""
        tag = self.random.choice(tags)
        return self.random.choice(
            [
                bytes_of(_ask=b"77", _command=b"Mark", where=where),
                bytes_of(_command=b"Mark", where=where),
                bytes_of(_answer=tag, where=where),
                bytes_of(_answer=tag, where=where, _ask=b"78", _command=b"Mark"),
                bytes_of(_error=tag, _error_code=where, _error_description=where),
                bytes_of(_error=tag, _error_code=b"UNHANDLED", _error_description=where),
            ]
        )

    def behind(self, tags: list[bytes]) -> bytes:
        """Return what stands behind the boundary: boxes, TLS, and what is neither."""
        others = [
            bytes_of(_ask=b"79", _command=self.random.choice(START)),
            bytes_of(_answer=b"1"),
            b"\0\0",
            b"\1\0" + b"k" * 300,
            b"\x16\x03\x01\0\5hello",
            b"\0\4_ask\0\1",
            self.random.randbytes(20),
        ]
        pieces = [self.some_box(BEHIND, tags) for _ in range(self.random.randrange(4))]
        pieces += self.random.sample(others, self.random.randrange(3))
        self.random.shuffle(pieces)
        return b"".join(pieces)


def asked(number: int) -> Seen:
    """The other end asks for StartTLS, and has put something behind it."""
    case = Case(number)
    case.call(case.seen.early, 4)
    tags = [b"1", b"2", b"3"]
    before = b"".join(case.some_box(BEFORE, tags) for _ in range(case.random.randrange(3)))
    start = bytes_of(_ask=b"5", _command=case.random.choice(START))
    case.feed(before + start + case.behind(tags))
    return case.seen


def asking(number: int) -> Seen:
    """This end asks for StartTLS, and calls on; in what comes stands something before and behind the answer."""
    case = Case(number)
    seen = case.seen
    case.call(seen.early, 3)
    command = case.random.choice([amp.StartTLS, Secure])
    seen.starts = [Watched(case.end.callRemote(command, tls_localCertificate=Certificate()))]
    tag = b"%x" % case.end._counter
    case.call(seen.held, 4)
    early = [b"%x" % (n + 1) for n in range(len(seen.early))] or [b"x"]
    held = [b"%x" % (case.end._counter - n) for n in range(len(seen.held))] or [b"x"]
    before = b"".join(case.some_box(BEFORE, early + held) for _ in range(case.random.randrange(4)))
    seen.refused = case.random.random() < 0.2
    refusal = bytes_of(_error=tag, _error_code=b"REFUSED", _error_description=b"")
    case.feed(before + (refusal if seen.refused else bytes_of(_answer=tag)) + case.behind(early + held))
    return seen
