"""The Deferred of one ask: what becomes of its answer before its callbacks see it; sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from twisted.internet.defer import _CONTINUE, Deferred
from twisted.python.failure import Failure

from ampkit.speed import compiled


def never(*_: Any) -> None:
    """Be a short way that nothing can go."""


def _same(result: Any) -> Any:
    return result


class Question(Deferred[Any]):
    """Takes the answer's box, or a failure, and fires with what its command makes of it.

    The command's part could be two callbacks; being none, it costs a fifth of them. Cancelled, the question leaves
    nothing behind, and its late answer finds nobody.
    """

    # No constructor of its own: one more call for each ask.
    _proto: Any
    _tag: bytes
    _command: Any = None
    decodeResponse: Callable[[Any], Any] = staticmethod(never)
    """The short way, if the ask went the short way."""

    def of(self, proto: Any, tag: bytes) -> Question:
        """Say where it waits; return it."""
        self._proto = proto
        self._tag = tag
        return self

    def isFor(self, command: Any) -> None:
        """Say whose question it is: its response is parsed, and its errors are known."""
        self._command = command

    def callback(self, result: Any) -> None:
        """Fire with the response that the box holds, or with why it holds none."""
        if self._command is not None and not self.called:
            try:
                result = self._command.parseResponse(result, self._proto)
            except BaseException:  # noqa: BLE001 - as in every callback of a Deferred
                self.errback(Failure())
                return
            if isinstance(result, Deferred):  # parsing may take its time
                _ = result.addCallbacks(partial(Deferred.callback, self), self.errback)
                return
        Deferred.callback(self, result)

    def errback(self, fail: Any = None) -> None:
        """Fire with a failure; a code that the command declares becomes its exception."""
        failure = fail if isinstance(fail, Failure) else Failure(fail)
        if self._command is not None and not self.called:
            try:
                failure = self._command._knownError(failure)
            except BaseException:  # noqa: BLE001 - as in every errback of a Deferred
                failure = Failure()
        Deferred.errback(self, failure)

    def cancel(self) -> None:
        """Wait no more."""
        if not self.called:
            outstanding = self._proto._outstandingRequests
            if outstanding is not None and outstanding.get(self._tag) is self:
                del outstanding[self._tag]
        Deferred.cancel(self)


def _fireQuickly(question: Question, response: Any) -> None:
    """Do what `Deferred.callback` does, in half the time where one callback waits and no Deferred comes of it."""
    callbacks: list[Any] = question._callbacks
    if len(callbacks) != 1 or question.called or question.paused or question.debug or callbacks[0][0][0] is _CONTINUE:
        _fire(question, response)
        return
    callback, args, kwargs = callbacks.pop()[0]
    question.called = question._runningCallbacks = True
    question.result = response
    try:
        left = callback(response, *args, **kwargs) if args or kwargs else callback(response)
    except BaseException:  # noqa: BLE001 - as in every callback of a Deferred
        left = Failure()
    question._runningCallbacks = False
    question.result = left
    if callbacks or (left is not None and isinstance(left, _UNFINISHED)):
        callbacks.insert(0, _AS_IT_IS)  # as a callback's result, a Deferred knows how to go on with it
        question._runCallbacks()


_UNFINISHED: Final = (Failure, Deferred)
_AS_IT_IS: Final[Any] = ((_same, (), {}), (_same, (), {}))
_fire: Final[Callable[[Question, Any], None]] = Deferred.callback

isKnown: Final = "_callbacks" in vars(Deferred())
"""What a Deferred is made of is not public, and before Twisted 23 it was made of something else."""

fire: Final = _fireQuickly if isKnown else _fire


def compiledFace(unusual: object, otherwise: Callable[..., None], deliver: Callable[..., None]) -> Any:
    """Return what takes boxes in the compiled module; None without it, and with a Deferred that it does not know."""
    if compiled is None or not isKnown:
        return None
    return compiled.Face(Question, _UNFINISHED, Failure, _CONTINUE, _AS_IT_IS, _fire, unusual, otherwise, deliver)
