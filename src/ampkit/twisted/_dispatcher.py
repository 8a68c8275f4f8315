"""Who asked what, as Twisted programs override it: tags to Deferreds, and boxes to calls; knows no bytes."""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.twisted._boxes import Box, QuitBox
from ampkit.twisted._errors import MalformedAmpBox, NoEmptyBoxes, RemoteAmpError, UnhandledCommand
from ampkit.twisted._interfaces import CommandType, IBoxReceiver
from ampkit.twisted._names import (
    ANSWER,
    ASK,
    COMMAND,
    ERROR,
    ERROR_CODE,
    ERROR_DESCRIPTION,
    PROTOCOL_ERRORS,
    UNHANDLED_ERROR_CODE,
    UNKNOWN_ERROR_CODE,
    log,
)
from ampkit.twisted._question import Question
from ampkit.twisted._stock import stock
from ampkit.twisted._tls import isSecuring


@implementer(IBoxReceiver)
class BoxDispatcher:
    """Sends asks by a box sender and gives each answer to its Deferred; gives the other end's asks to responders."""

    _failAllReason: Failure | None = None
    _outstandingRequests: dict[bytes, Deferred[Any]] | None = None
    _counter = 0
    boxSender: Any = None

    def __init__(self, locator: Any) -> None:
        self._outstandingRequests = {}
        self._failAllReason = None
        self._counter = 0
        self.locator = locator

    def startReceivingBoxes(self, boxSender: Any) -> None:
        """Take the sender to send by."""
        self.boxSender = boxSender

    def stopReceivingBoxes(self, reason: Any) -> None:
        """End: no box will come any more."""
        self.failAllOutgoing(reason)

    def failAllOutgoing(self, reason: Any) -> None:
        """End all calls that wait for an answer, in the order they were made, and every later one."""
        self._failAllReason = reason
        outstanding = self._outstandingRequests or {}
        self._outstandingRequests = None
        for question in outstanding.values():
            question.errback(reason)

    def _nextTag(self) -> bytes:
        self._counter += 1
        return b"%x" % self._counter

    # Asking

    def _sendBoxCommand(self, command: bytes, box: Any, requiresAnswer: bool = True) -> Any:
        """Send an ask; return a Deferred for the answer's box, or None if nobody waits for one."""
        if self._failAllReason is not None:
            return fail(self._failAllReason) if requiresAnswer else None
        box[COMMAND] = command
        tag = self._nextTag()
        if not requiresAnswer:
            box._sendTo(self.boxSender)
            return None
        box[ASK] = tag
        outstanding: Any = self._outstandingRequests
        question = Question().of(self, tag)
        outstanding[tag] = question  # before it is sent: a transport in memory may bring the answer at once
        try:
            box._sendTo(self.boxSender)
        except BaseException:
            outstanding.pop(tag, None)
            raise
        return question

    def callRemoteString(self, command: bytes, requiresAnswer: bool = True, **kw: bytes) -> Deferred[Box]:
        """Ask with a box of bytes; the Deferred is for the answer's box. It is None if nobody waits for one."""
        question: Deferred[Box] = self._sendBoxCommand(command, Box(kw), requiresAnswer)
        return question

    def callRemote(self, commandType: CommandType | None = None, /, *a: Any, **kw: Any) -> Deferred[dict[str, Any]]:
        """Ask a command; return a Deferred for a dictionary of its response. It is None if nobody waits for one.

        A missing argument fails the Deferred. An unknown one, and one that cannot be sent, raises here.
        """
        if commandType is None:
            commandType = _namedCommandType(kw)
        try:
            command = commandType(*a, **kw)
        except BaseException:  # noqa: BLE001 - it becomes the Deferred's failure
            return fail()
        question: Deferred[dict[str, Any]] = command._doCommand(self)
        return question

    # What comes

    def ampBoxReceived(self, box: Any) -> None:
        """Take an answer, an error or an ask."""
        if ANSWER in box:
            self._answerReceived(box)
        elif ERROR in box:
            self._errorReceived(box)
        elif COMMAND in box:
            self._commandReceived(box)
        else:
            raise NoEmptyBoxes(box)

    def unhandledError(self, failure: Failure) -> Any:
        """Let the box sender decide what to do about an error that nobody handled."""
        return self.boxSender.unhandledError(failure)

    def _answerReceived(self, box: Any) -> None:
        question = self._endQuestion(box[ANSWER])
        if question is not None:
            question.addErrback(self.unhandledError)
            question.callback(box)

    def _errorReceived(self, box: Any) -> None:
        question = self._endQuestion(box[ERROR])
        if question is not None:
            question.addErrback(self.unhandledError)
            question.errback(Failure(self._errorFrom(box)))

    def _endQuestion(self, tag: bytes) -> Any:
        """Return the Deferred that waits for a tag; None for a stray or repeated answer, or one that was cancelled.

        An ask that waits for TLS has reached nobody yet, so what comes for it is not its answer.
        """
        isHeldBack = getattr(self.boxSender, "_isHeldBack", None)
        if not self._outstandingRequests or (isHeldBack is not None and isHeldBack(tag)):
            return None
        return self._outstandingRequests.pop(tag, None)

    def _errorFrom(self, box: Any) -> Exception:
        code = box.get(ERROR_CODE)
        if code is None:
            return MalformedAmpBox("the other end sent an error without a code")
        description = box.get(ERROR_DESCRIPTION, b"")
        if isinstance(description, bytes):
            description = description.decode("utf-8", "replace")
        protocolError = PROTOCOL_ERRORS.get(code)
        if protocolError is not None:
            error: Exception = protocolError(code, description)
            return error
        return RemoteAmpError(code, description)

    # Being asked

    def _commandReceived(self, box: Any) -> None:
        self._answerWith(self.dispatchCommand(box), box)

    def _answerWith(self, answer: Deferred[Any], box: Any) -> None:
        """Send what a Deferred for the answer's box becomes."""
        if ASK in box:
            answer = answer.addCallbacks(self._addTag, self.failureToBox, callbackArgs=(box,), errbackArgs=(box,))
            answer = answer.addCallback(self._safeEmit)
        answer = answer.addErrback(self.unhandledError)
        if ASK in box and self._maySecure(box[COMMAND]):
            self.boxSender._holdBytesUntil(answer)

    @staticmethod
    def _addTag(answer: Any, box: Any) -> Any:
        answer[ANSWER] = box[ASK]
        return answer

    def _maySecure(self, name: bytes) -> bool:
        """Say whether the answer to a command may be the last that is not secure."""
        dispatch = getattr(self.locator, "_commandDispatch", None)
        command, _ = dispatch.get(name, (None, None)) if isinstance(dispatch, dict) else (None, None)
        mayStartTLS = name == b"StartTLS" or isSecuring(getattr(command, "responseType", None))
        return mayStartTLS and hasattr(self.boxSender, "_holdBytesUntil")

    def failureToBox(self, failure: Failure, box: Any) -> Any:
        """Return the box that tells the other end of a failure; override it to say more, or to stay connected.

        A RemoteAmpError travels with its code, and closes the connection if it is fatal. Anything else is
        logged, travels as UNKNOWN without its text, and closes the connection.
        """
        if failure.check(stock.RemoteAmpError):
            remote: Any = failure.value
            refusal = QuitBox() if remote.fatal else Box()
            code, description = remote.errorCode, remote.description
        else:
            log.failure("while receiving response to command", failure)
            refusal = QuitBox()
            code, description = UNKNOWN_ERROR_CODE, b"Unknown Error"
        refusal[ERROR] = box[ASK]
        refusal[ERROR_CODE] = code
        refusal[ERROR_DESCRIPTION] = (
            description.encode("utf-8", "replace") if isinstance(description, str) else description
        )
        return refusal

    def _safeEmit(self, aBox: Any) -> None:
        """Send a box, unless the connection is no longer there to send it."""
        with contextlib.suppress(stock.ProtocolSwitched, ConnectionLost):
            aBox._sendTo(self.boxSender)

    def dispatchCommand(self, box: Any) -> Deferred[Any]:
        """Give an ask to its responder; return a Deferred for the answer's box. A command without one fails it."""
        responder = self.locator.locateResponder(box[COMMAND])
        if responder is None:
            description = f"Unhandled Command: {box[COMMAND]!r}"
            local = Failure(UnhandledCommand())
            return fail(RemoteAmpError(UNHANDLED_ERROR_CODE, description, False, local=local))
        return maybeDeferred(responder, box)


def _namedCommandType(kw: dict[str, Any]) -> CommandType:
    """Take the command that was given by keyword. As a mere parameter no command could have an argument of its name."""
    if "commandType" not in kw:
        raise TypeError("callRemote() missing 1 required positional argument: 'commandType'")
    commandType: CommandType = kw.pop("commandType")
    return commandType
