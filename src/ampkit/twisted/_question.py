"""The Deferred of one ask: what becomes of its answer before its callbacks see it; sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

_begin: Final = Deferred.__init__


def never(_: Any) -> None:
    """Be a short way that nothing can go."""


class Question(Deferred[Any]):
    """Takes the answer's box, or a failure, and fires with what its command makes of it.

    The command's part could be two callbacks; being none, it costs a fifth of them. Cancelled, the question leaves
    nothing behind, and its late answer finds nobody.
    """

    def __init__(
        self, proto: Any, tag: bytes, command: Any = None, decodeResponse: Callable[[Any], Any] = never
    ) -> None:
        _begin(self)
        self._proto = proto
        self._tag = tag
        self._command = command
        self.decodeResponse = decodeResponse  # the short way, if the ask went the short way

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
