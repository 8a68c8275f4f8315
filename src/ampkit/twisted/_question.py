"""The Deferred of one ask: what becomes of its answer before its callbacks see it; sends nothing."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Question(Deferred[Any]):
    """Fires with the answer's box, or with what its command makes of it.

    The command's part could be two callbacks; being no callbacks, it costs a fifth of them. Cancelled, it leaves
    nothing behind, and the late answer is dropped.
    """

    def __init__(self, outstanding: dict[bytes, Any], tag: bytes, straight: Any = None) -> None:
        Deferred.__init__(self)
        self.straight = straight
        self._outstanding = outstanding
        self._tag = tag
        self._command: Any = None
        self._proto: Any = None

    def isFor(self, command: Any, proto: Any) -> None:
        """Say whose question it is: its response is parsed, and its errors are known."""
        self._command = command
        self._proto = proto

    def fire(self, response: Any, unhandledError: Any) -> None:
        """Fire with a response; if its callbacks leave a failure, or a Deferred that may become one, say who takes it."""
        self.callback(response)
        if isinstance(self.result, Failure | Deferred):
            self.addErrback(unhandledError)

    def answered(self, box: Any) -> None:
        """Fire with the response."""
        if self._command is None:
            self.callback(box)
            return
        try:
            response = self._command.parseResponse(box, self._proto)
        except Exception:
            self.errback(Failure())
        else:
            self.callback(response)

    def refused(self, failure: Failure) -> None:
        """Fire with the error."""
        if self._command is not None:
            try:
                failure = self._command._knownError(failure)
            except Exception:  # trap raises what is none of the command's errors
                pass
        self.errback(failure)

    def cancel(self) -> None:
        """Wait no more."""
        if not self.called:
            self._outstanding.pop(self._tag, None)
        Deferred.cancel(self)
