"""What a program hangs on the Deferred of a call: callbacks of every kind, added when they may be; stock and ours."""

# mypy: allow-untyped-calls

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, DeferredList, fail, inlineCallbacks, maybeDeferred, succeed
from twisted.python.failure import Failure

from ampkit.twisted import amp as ours
from ampkit.twisted._stock import stock
from tests.twisted.rows.common import WAYS, bytes_of, started


def shown(result: Any) -> Any:
    """Return a result so that it can be compared."""
    if isinstance(result, list | tuple):
        return [shown(each) for each in result]
    return type(result.value).__name__ if isinstance(result, Failure) else result


class Chain:
    """One call, what is hung on it, and the order in which things happened."""

    def __init__(self, amp: Any, way: str) -> None:
        self.amp = amp
        self.seen: list[Any] = []
        self.waiting: list[Deferred[Any]] = []
        fields = [(b"n", amp.Integer())]
        command = type("Next", (amp.Command,), {"response": fields})
        self.wire = started(end := WAYS[way](amp.AMP)())
        self.end = end
        self.call = end.callRemote(command)
        self.other = end.callRemote(command)

    def note(self, result: Any) -> Any:
        """Take note of a result, and pass it on."""
        self.seen.append(shown(result))
        return result

    def wait(self) -> Deferred[Any]:
        """Return a Deferred that has not fired."""
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def add_more(self, result: Any) -> Any:
        """Add a callback while callbacks run."""
        self.call.addBoth(self.note)
        return result

    def pause(self, result: Any) -> Any:
        """Stop the callbacks behind this one."""
        self.call.pause()
        self.waiting.append(maybeDeferred(lambda: None))
        return result

    def bring(self, result: Any) -> Any:
        """Bring the answer of the other call."""
        if b"2" in self.end._outstandingRequests:
            self.end.ampBoxReceived(self.amp.Box(_answer=b"2", n=b"7"))
        return result

    def hang(self, kind: str) -> None:
        """Hang something on the call."""
        if kind == "list":
            _ = DeferredList([self.call, self.other]).addBoth(self.note)
        elif kind == "chain":
            _ = self.call.chainDeferred(self.wait().addBoth(self.note))
        elif kind == "await":
            _ = self.awaited()
        elif kind == "pause now":
            self.call.pause()
        elif kind == "errback":
            self.call.addErrback(self.note)
        elif kind == "arguments":
            self.call.addCallback(lambda result, *args, **kw: self.note((result, args, kw)), 1, more=2)
        else:
            self.call.addCallback(self.callbacks()[kind])

    def callbacks(self) -> dict[str, Callable[[Any], Any]]:
        """Callbacks by what they do."""
        return {
            "note": self.note,
            "nothing": lambda _: None,
            "raise": lambda _: 1 // 0,
            "failure": lambda _: Failure(LookupError()),
            "fired": lambda _: succeed("fired"),
            "failed": lambda _: fail(LookupError()),
            "waiting": lambda _: self.wait(),
            "other": lambda _: self.other,
            "more": self.add_more,
            "pause": self.pause,
            "bring": self.bring,
            "cancel inside": lambda result: self.call.cancel() or result,
        }

    @inlineCallbacks
    def awaited(self) -> Any:
        """Wait for the call as coroutines do."""
        try:
            self.note((yield self.call))
        except Exception as error:  # noqa: BLE001 - it is what is compared
            self.seen.append(type(error).__name__)

    def end_all(self) -> None:
        """Let everything come that has not."""
        if b"2" in self.end._outstandingRequests:
            self.end.dataReceived(bytes_of(_answer=b"2", n=b"7"))
        while self.call.paused > 0 and not self.waiting:
            self.call.unpause()
        for deferred in self.waiting:
            if not deferred.called:
                deferred.callback("late")
        for _ in range(self.call.paused):
            self.call.unpause()
        self.call.addBoth(self.note)


KINDS = ["note", "nothing", "raise", "failure", "fired", "failed", "waiting", "other", "pause", "bring"]
BEFORE = st.sampled_from([*KINDS, "cancel inside", "list", "chain", "await", "pause now", "errback", "arguments"])
BEHIND = BEFORE | st.just("more")
"""What is added while the answer is taken is a documented difference."""


def story(amp: Any, way: str, before: list[str], behind: list[str], answer: bytes) -> Any:
    """Return all that was noted."""
    chain = Chain(amp, way)
    for kind in before:
        chain.hang(kind)
    chain.end.dataReceived(answer)
    noted = list(chain.seen)
    for kind in behind:
        chain.hang(kind)
    chain.end_all()
    return noted, chain.seen, chain.wire.closed, chain.call.called


ANSWERS = st.sampled_from(
    [
        bytes_of(_answer=b"1", n=b"3"),
        bytes_of(_answer=b"1", n=b"3"),
        bytes_of(_answer=b"1", n=b"x"),
        bytes_of(_error=b"1", _error_code=b"CODE", _error_description=b""),
    ]
)


@given(st.lists(BEFORE, max_size=4), st.lists(BEHIND, max_size=2), ANSWERS, st.sampled_from([*WAYS]))
def test_callbacks_run_the_same(before: list[str], behind: list[str], answer: bytes, way: str) -> None:
    """In the same order, with the same results, and the connection is dropped for the same."""
    assert story(ours, way, before, behind, answer) == story(stock, way, before, behind, answer)
