"""Stock and ours through the same events: calls, answers, asks, pauses, switches and the end, in any order."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from ampkit.twisted import amp as ours
from ampkit.twisted._stock import stock
from tests.twisted.rows.common import WAYS, Inner, Watched, Wire, bytes_of

NAMES = ["Sum", "Later", "Boom", "Short", "Fatal", "Async", "Bad", "Quiet", "Raw", "Nobody"]
GOOD, ODD = {"n": b"3"}, [{}, {"n": b"x"}, {"n": b"3", "more": b"?"}]


class Short(Exception):
    """A declared error."""


class Fatal(Exception):
    """A declared error that is fatal."""


def commands(amp: Any) -> dict[str, Any]:
    """One command for each thing that a responder may do."""
    fields = [(b"n", amp.Integer())]
    common = {"arguments": fields, "response": fields, "errors": {Short: b"SHORT"}, "fatalErrors": {Fatal: b"FATAL"}}
    made = {name: type(name, (amp.Command,), {**common, "requiresAnswer": name != "Quiet"}) for name in NAMES}
    return {**made, "Switch": type("Switch", (amp.ProtocolSwitchCommand,), {"errors": {Short: b"SHORT"}})}


class Program:
    """An end with responders, in which things happen one after the other; it notes what they come to."""

    def __init__(self, amp: Any, way: str, cut: int) -> None:
        self.amp, self.cut = amp, cut
        self.commands = commands(amp)
        self.seen: list[Any] = []
        self.waiting: list[Deferred[Any]] = []
        self.asked: list[tuple[bytes, Deferred[Any], Watched]] = []
        self.wire = Wire()
        self.isLost = False
        self.end = self.make_end(WAYS[way](amp.AMP))
        self.end.makeConnection(self.wire)

    def make_end(self, base: Any) -> Any:
        """Make it of a class."""

        def wait(**_: int) -> Deferred[Any]:
            self.waiting.append(Deferred())
            return self.waiting[-1]

        async def later(n: int) -> Any:
            return await wait(n=n)

        def fail(error: type[Exception]) -> Callable[[int], Any]:
            def raise_it(n: int) -> Any:
                raise error(f"n was {n}")

            return raise_it

        responders: dict[str, Any] = {
            "Sum": lambda n: {"n": n + 1},
            "Later": wait,
            "Boom": fail(ValueError),
            "Short": fail(Short),
            "Fatal": fail(Fatal),
            "Async": later,
            "Bad": lambda n: {"n": f"not {n}"},
            "Quiet": lambda n: {"n": n},
            "Switch": Inner,
        }
        for name, function in responders.items():
            self.commands[name].responder(self.noting(name, function))
        return type("End", (base,), {"amp_RAW": lambda _, box: self.amp.QuitBox(box)})()

    def noting(self, name: str, function: Any) -> Any:
        """Return a responder that notes its call."""

        def respond(_: Any, **values: Any) -> Any:
            self.seen.append((name, values))
            return function(**values)

        return respond

    def call(self, name: str) -> None:
        """Ask the other end."""
        special = [Factory(self)] if name == "Switch" else []
        deferred = self.end.callRemote(self.commands[name], *special, **({} if special else {"n": 3}))
        if deferred is not None:
            self.asked.append((b"%x" % self.end._counter, deferred, Watched(deferred)))

    def ask(self, name: str, tag: bytes, strings: dict[str, bytes]) -> None:
        """Be asked, with a tag or without."""
        tagged = {"_ask": tag} if tag else {}
        self.feed(bytes_of(**tagged, _command=name.encode(), **({} if name == "Switch" else strings)))

    def answer(self, number: int, pairs: dict[str, bytes]) -> None:
        """Let a call be answered, or refused; each only once, for what is stray is another matter."""
        if self.asked:
            tag, _, _ = self.asked.pop(number % len(self.asked))
            code = pairs.get("_error_code")
            self.feed(bytes_of(**({"_answer": tag} if code is None else {"_error": tag}), **pairs))

    def finish(self, number: int, result: Any) -> None:
        """Let a responder get done."""
        if self.waiting:
            deferred = self.waiting.pop(number % len(self.waiting))
            if isinstance(result, Exception):
                deferred.errback(Failure(result))
            else:
                deferred.callback(result)

    def cancel(self, number: int) -> None:
        """Give up a call."""
        if self.asked:
            self.asked[number % len(self.asked)][1].cancel()

    def pause(self) -> None:
        """Take no more boxes."""
        self.end.paused = True

    def resume(self) -> None:
        """Take them again."""
        self.end.paused = False
        self.feed(b"")

    def lose(self) -> None:
        """Lose the connection."""
        if not self.isLost:
            self.isLost = True
            self.end.connectionLost(Failure(ConnectionDone()))

    def feed(self, data: bytes) -> None:
        """Get bytes, in two pieces; none behind a key that is too long."""
        at = Random(self.cut).randrange(len(data) + 1)
        for piece in (data[:at], data[at:]):
            if not (self.isLost or self.end._keyLengthLimitExceeded):
                self.end.dataReceived(piece)

    def do(self, event: tuple[Any, ...]) -> Any:
        """Let one thing happen; return what it shows."""
        name, *args = event
        results = [watched for _, _, watched in self.asked]
        try:
            getattr(self, name)(*args)
            raised = ""
        except Exception as error:  # noqa: BLE001 - it is what is compared
            raised = type(error).__name__
        shown = [each.result for each in results]
        said = [type(each).__name__ if isinstance(each, Exception) else repr(each) for each in shown]
        return raised, self.wire.take(), self.wire.closed, said, self.seen[-2:]


class Factory:
    """Makes the inner protocol of a switch, and notes what it is told."""

    def __init__(self, program: Program) -> None:
        self.seen = program.seen

    def buildProtocol(self, address: Any) -> Any:
        """Return one."""
        self.seen.append(address)
        return Inner()

    def clientConnectionFailed(self, _: Any, reason: Any) -> None:
        """Take note."""
        self.seen.append(reason.type.__name__)

    clientConnectionLost = clientConnectionFailed


NUMBER = st.integers(0, 5)
STRINGS = st.sampled_from([GOOD, GOOD, GOOD, *ODD])
CODES = st.sampled_from([b"SHORT", b"FATAL", b"UNKNOWN", b"UNHANDLED", b"OTHER"])
ERRORS = CODES.map(lambda code: {"_error_code": code, "_error_description": b"text"})
RESULTS: st.SearchStrategy[Any] = st.sampled_from([{"n": 5}, {}, None, Short("s"), Fatal("f"), ValueError("v")])
CALLED = st.sampled_from([*NAMES, *NAMES, "Switch"])
EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("call"), CALLED),
    st.tuples(st.just("ask"), CALLED, st.sampled_from([b"", b"1", b"\xff\0"]), STRINGS),
    st.tuples(st.just("answer"), NUMBER, STRINGS | ERRORS),
    st.tuples(st.just("finish"), NUMBER, RESULTS),
    st.tuples(st.just("cancel"), NUMBER),
    st.sampled_from([("pause",), ("resume",), ("resume",), ("lose",)]),
    st.tuples(st.just("feed"), st.sampled_from([b"", b"\1\0", b"\0", b"\0\1k\0\1v", bytes_of(more=b"1")])),
)


def story(amp: Any, way: str, events: list[Any], cut: int) -> Any:
    """Return what each event shows, up to the first that raises, and what is logged."""
    logged: list[str] = []
    publisher: Any = globalLogPublisher

    def observe(event: Any) -> None:
        if "log_failure" in event:
            logged.append(event["log_failure"].type.__name__)

    publisher.addObserver(observe)
    try:
        program = Program(amp, way, cut)
        shown = []
        for event in [*events, ("lose",)]:
            shown.append(program.do(event))
            if shown[-1][0] and event[0] not in {"call"}:
                break  # what is raised out of dataReceived ends the connection
        return shown, logged if hasattr(stock, "_log") else []  # old Twisted logs plain text
    finally:
        publisher.removeObserver(observe)


@given(st.lists(EVENTS, max_size=14), st.sampled_from([*WAYS]), st.integers(0, 99))
def test_the_same_happens(events: list[Any], way: str, cut: int) -> None:
    """Event by event."""
    here, there = story(ours, way, events, cut), story(stock, way, events, cut)
    assert here == there
