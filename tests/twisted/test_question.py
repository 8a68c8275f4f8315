"""The Deferred of an ask does with its callbacks what every Deferred does, also where it takes a shorter way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import AlreadyCalledError, Deferred, getDebugging, setDebugging
from twisted.python.failure import Failure

from ampkit.twisted._question import Question, fire

Seen = list[Any]
Scenario = Callable[[Deferred[Any], Callable[[Any], None], Seen], None]


@pytest.fixture(params=[False, True], ids=["plain", "debugging"], autouse=True)
def debugging(request: pytest.FixtureRequest) -> Iterator[None]:
    """Twisted may be told to keep where each Deferred was made."""
    before = getDebugging()
    setDebugging(request.param)
    yield
    setDebugging(before)


def nobody_waits(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """The result waits for who comes later."""
    answer("a")
    _ = deferred.addCallback(seen.append)


def one_waits(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """What the callback returns is the result."""

    def see(result: Any) -> str:
        seen.append((result, deferred.called))
        return "b"

    _ = deferred.addCallbacks(see, seen.append)
    answer("a")
    _ = deferred.addCallback(seen.append)


def one_takes_more(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """Arguments of a callback stand behind the result."""
    _ = deferred.addCallback(lambda *a, **kw: seen.append((a, kw)), 1, two=2)
    answer("a")


def several_wait(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """Each gets what the one before it returned."""
    _ = deferred.addCallback(lambda result: result + "b").addCallback(seen.append).addBoth(seen.append)
    answer("a")


def it_raises(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """The failure is for the next errback."""
    _ = deferred.addCallback(lambda result: result + 1)
    answer("a")
    _ = deferred.addErrback(lambda failure: seen.append(failure.type))


def it_returns_a_failure(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """It is one."""
    _ = deferred.addCallback(lambda result: Failure(KeyError(result)))
    answer("a")
    _ = deferred.addCallbacks(seen.append, lambda failure: seen.append(str(failure.value)))


def it_waits(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """What comes later waits for the Deferred that a callback returned."""
    other: Deferred[Any] = Deferred()
    _ = deferred.addCallback(lambda _: other)
    answer("a")
    _ = deferred.addCallback(seen.append)
    seen.append("waits")
    other.callback("b")


def it_waits_no_more(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """A Deferred that has fired gives its result."""
    other: Deferred[Any] = Deferred()
    other.callback("b")
    _ = deferred.addCallback(lambda _: other)
    answer("a")
    _ = deferred.addCallback(seen.append)


def it_adds_one(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """A callback that a callback adds is called behind it."""

    def add(result: Any) -> str:
        _ = deferred.addCallback(seen.append)
        seen.append("added")
        return f"{result}b"

    _ = deferred.addCallback(add)
    answer("a")


def it_is_paused(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """Nothing is called before it goes on."""
    _ = deferred.addCallback(seen.append)
    deferred.pause()
    answer("a")
    seen.append("paused")
    deferred.unpause()


def another_waits(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """Another Deferred may wait for it."""
    other: Deferred[Any] = Deferred()
    _ = other.addCallback(lambda _: deferred).addCallback(seen.append)
    other.callback("b")
    answer("a")


def a_coroutine_waits(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """And so may a coroutine."""

    async def wait() -> None:
        seen.append(await deferred)

    _ = Deferred.fromCoroutine(wait())
    answer("a")


def it_was_answered(deferred: Deferred[Any], answer: Callable[[Any], None], seen: Seen) -> None:
    """There is one result."""
    _ = deferred.addCallback(seen.append)
    deferred.callback("b")
    with pytest.raises(AlreadyCalledError):
        answer("a")


SCENARIOS: list[Scenario] = [
    nobody_waits,
    one_waits,
    one_takes_more,
    several_wait,
    it_raises,
    it_returns_a_failure,
    it_waits,
    it_waits_no_more,
    it_adds_one,
    it_is_paused,
    another_waits,
    a_coroutine_waits,
    it_was_answered,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_an_answer_calls_back_as_deferreds_do(scenario: Scenario) -> None:
    """Whatever waits for it sees what it would see of a plain Deferred."""
    plain: Deferred[Any] = Deferred()
    expected: Seen = []
    scenario(plain, plain.callback, expected)
    question = Question()
    seen: Seen = []
    scenario(question, lambda result: fire(question, result), seen)
    assert seen == expected
    assert seen
