"""Whatever a program does while the Twisted face takes a box: no box is lost or taken twice, and every call ends."""

# mypy: allow-untyped-calls, allow-untyped-decorators

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Final

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from ampkit.twisted import amp
from ampkit.wire.box import encode_box
from ampkit.wire.codec import parse_string
from tests.speed.twins import needs_both

BASES: Final = {"small": 0, "large": 10**20}
"""Numbers from which values count; large ones are converted in Python, where any version of it may collect garbage."""

STORED: Final = 100
"""More lists, and more dictionaries, than CPython has in store: those that are made next are allocated, and counted."""


class Acting(amp.Argument):
    """A number; the program acts when it is converted."""

    acts: list[Callable[[], object]]

    def fromString(self, inString: bytes) -> int:  # noqa: N802, N803 - Twisted's names
        """Do the next act."""
        self._act()
        return int(inString)

    def toString(self, inObject: int) -> bytes:  # noqa: N802, N803 - Twisted's names
        """Do the next act."""
        self._act()
        return b"%d" % inObject

    def _act(self) -> None:
        if self.acts:
            self.acts.pop()()


ACTING: Final = Acting()


class Echo(amp.Command):
    """Come back."""

    arguments: ClassVar = [(b"value", amp.Integer())]
    response: ClassVar = [(b"value", amp.Integer())]


class EchoActing(amp.Command):
    """Come back to what acts."""

    arguments: ClassVar = [(b"value", amp.Integer())]
    response: ClassVar = [(b"value", ACTING)]


class Send(amp.Command):
    """Send what acts."""

    arguments: ClassVar = [(b"value", ACTING)]
    response: ClassVar = [(b"value", amp.Integer())]


class End(amp.AMP):
    """An end that waits for three answers, and keeps what it is asked and what acts take out of its decoder."""

    def __init__(self, command: Any) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.taken: list[dict[bytes, bytes]] = []
        self.outcomes: list[Any] = [None] * 3
        self.behind: dict[int, Callable[[], object]] = {}
        self.wire = StringTransport()
        self.makeConnection(self.wire)
        self.questions: list[Any] = [self.callRemote(command, value=1) for _ in range(3)]
        for number, question in enumerate(self.questions):
            question.addCallback(self._answered, number)

    def _answered(self, result: dict[str, int], number: int) -> None:
        self.outcomes[number] = result["value"]
        if number in self.behind:
            self.behind[number]()

    @EchoActing.responder
    @Echo.responder
    def echo(self, value: int) -> dict[str, int]:
        """Keep it, and answer."""
        self.seen.append(value)
        return {"value": value}


def ask(value: int, command: Any = Echo) -> bytes:
    """Return an ask."""
    return encode_box({b"_ask": b"%x" % value, b"_command": command.commandName, b"value": b"%d" % value})


def answer(number: int, value: int) -> bytes:
    """Return the answer to the question of a number."""
    return encode_box({b"_answer": b"%x" % (number + 1), b"value": b"%d" % value})


def boxes(command: Any, base: int) -> list[bytes]:
    """Return three answers, the first two of them behind an ask, with values from the base on."""
    answers = [answer(number, base + number) for number in range(3)]
    return [ask(base + 3, command), answers[0], ask(base + 4, command), *answers[1:]]


def _next_box(end: Any) -> None:
    end.taken += filter(None, [end._decoder.next_box()])


def _rest(end: Any) -> None:
    end.taken += parse_string(end._decoder.take_rest())


ACTS: Final[dict[str, Callable[[Any, int], object]]] = {
    "feed": lambda end, base: end.dataReceived(ask(base + 5)),
    "feed a part": lambda end, base: end.dataReceived(ask(base + 5)[:30]),
    "next box": lambda end, _: _next_box(end),
    "rest": lambda end, _: _rest(end),
    "cancel": lambda end, _: end.questions[2].cancel(),
    "lose": lambda end, _: end.connectionLost(Failure(ConnectionDone())),
    "ask": lambda end, base: end.questions.append(end.callRemote(Echo, value=base)),
}


class Act:
    """Does something with an end, once, if it comes while the end takes what was read."""

    def __init__(self, name: str, end: End, base: int) -> None:
        self.is_done = False
        self._do = partial(ACTS[name], end, base)
        self._end = end

    def __call__(self) -> None:
        self.is_done = self._end._delivery is not None
        if self.is_done:
            self._do()


def check(end: End, name: str, base: int, is_done: bool) -> None:
    """Fail unless each box was taken once, and each question has ended with what is its own."""
    is_fed = is_done and name.startswith("feed")
    if is_fed and name == "feed a part":
        end.dataReceived(ask(base + 5)[30:])
    outcomes = end.outcomes
    for number, question in enumerate(end.questions[:3]):
        question.addErrback(lambda failure, number: outcomes.__setitem__(number, failure.type), number)
    own = [outcome in {base + number, None, CancelledError, ConnectionDone} for number, outcome in enumerate(outcomes)]
    assert all(own), outcomes
    given_up = [base + number for number, outcome in enumerate(outcomes) if outcome in {CancelledError, ConnectionDone}]
    answered = [outcome for outcome in outcomes if isinstance(outcome, int)]
    taken = [int(box[b"value"]) for box in end.taken]
    assert sorted([*answered, *given_up, *end.seen, *taken]) == [base + number for number in range(5 + is_fed)]
    assert end.seen == sorted(end.seen)
    assert not given_up or name in {"cancel", "lose"}
    assert not end.wire.disconnecting


@pytest.fixture
def _garbage_waits() -> Iterator[None]:
    """Let nothing be collected but where the test says so."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.disable()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


class Garbage:
    """Acts when it is collected."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.me = self
        self.act = act

    def __del__(self) -> None:
        self.act()


def collect_behind(allocations: int, act: Callable[[], object], stored: list[object]) -> None:
    """Let a finalizer act as soon as so many more objects have been made."""
    gc.collect(0)
    Garbage(act)
    for _ in range(STORED):
        stored.append([])
        stored.append({})
    gc.set_threshold(gc.get_count()[0] + allocations)
    gc.enable()


def has_acted(name: str, allocations: int, apart: bool, behind: int, base: int) -> bool:
    """Let a finalizer act so many objects behind an answer, and check what comes of it; return whether it has acted."""
    end = End(Echo)
    act = Act(name, end, base)
    stored: list[object] = []
    all_boxes = boxes(Echo, base)
    cut = 2 * behind + 2 if apart else len(all_boxes)

    def begin() -> None:
        if apart:
            end.dataReceived(b"".join(all_boxes[cut:]))
        collect_behind(allocations, act, stored)

    end.behind[behind] = begin
    end.dataReceived(b"".join(all_boxes[:cut]))
    gc.disable()
    check(end, name, base, act.is_done)
    return act.is_done


@needs_both  # a decoder in Python expects that nobody feeds it while it reads
@pytest.mark.usefixtures("_garbage_waits")
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
@pytest.mark.parametrize("behind", [0, 1], ids=["before an ask", "before an answer"])
@pytest.mark.parametrize("apart", [False, True], ids=["in one piece", "in two"])
@pytest.mark.parametrize("name", ACTS)
def test_an_act_of_a_finalizer(name: str, apart: bool, behind: int, base: int) -> None:
    """The garbage collector may run anything, wherever an object is made."""
    counts = range(-8, 8)  # below 0 as well: some of the objects that are there at the begin go meanwhile
    acted = [has_acted(name, allocations, apart, behind, base) for allocations in counts]
    assert acted == sorted(acted, reverse=True)
    assert 0 < sum(acted) < len(acted)


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("name", ACTS)
def test_an_act_of_a_conversion(name: str, after: int) -> None:
    """So may what a program converts values with."""
    end = End(EchoActing)
    act = Act(name, end, 0)
    ACTING.acts = [act, *[lambda: None] * after]
    end.dataReceived(b"".join(boxes(EchoActing, 0)))
    check(end, name, 0, act.is_done)
    assert act.is_done


@pytest.mark.parametrize("name", ["lose", "ask"])
def test_an_act_of_a_conversion_before_an_ask(name: str) -> None:
    """The call ends all the same, and no two have one tag."""
    end = End(Echo)
    ACTING.acts = [partial(ACTS[name], end, 0)]
    question = end.callRemote(Send, value=7)
    end.dataReceived(answer(3, 8) + answer(4, 9))
    results: list[Any] = []
    _ = question.addBoth(results.append)
    if name == "lose":
        assert results[0].check(ConnectionDone)
    else:
        assert results == [{"value": 9}]
