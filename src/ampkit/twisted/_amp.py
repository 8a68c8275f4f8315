"""The class that programs subclass: protocol, dispatcher and locators in one; each of them is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.schema.mapping import UNUSUAL
from ampkit.twisted._boxes import AmpBox
from ampkit.twisted._commands import StartTLS
from ampkit.twisted._dispatcher import BoxDispatcher
from ampkit.twisted._interfaces import CommandType, IBoxReceiver, IBoxSender, IResponderLocator
from ampkit.twisted._locators import CommandLocator, SimpleStringLocator, answerFor
from ampkit.twisted._names import ANSWER, ASK, COMMAND, ERROR, log
from ampkit.twisted._protocol import BinaryBoxProtocol
from ampkit.twisted._question import Question, compiledFace, fire, never
from ampkit.twisted._reading import STRING_METHODS, STRING_STATE
from ampkit.twisted._seams import Seams
from ampkit.twisted._straight import Straight, straightOf
from ampkit.twisted._writing import write


@implementer(IBoxSender, IBoxReceiver, IResponderLocator, IFileDescriptorReceiver)
class AMP(BinaryBoxProtocol, BoxDispatcher, CommandLocator, SimpleStringLocator):
    """One end of an AMP connection: subclass it, decorate methods with `SomeCommand.responder`, and `callRemote`.

    Another receiver of boxes, or another locator of responders, may be given to it.
    """

    _ampInitialized = False
    _keepsSeams = False
    _straights: dict[Any, Straight]
    _transportPeer: Any = None
    _transportHost: Any = None

    def __init__(self, boxReceiver: Any = None, locator: Any = None) -> None:
        self._ampInitialized = True
        self._straights = {}
        BoxDispatcher.__init__(self, self if locator is None else locator)
        BinaryBoxProtocol.__init__(self, self if boxReceiver is None else boxReceiver)

    StartTLS.responder(BinaryBoxProtocol._defaultStartTLSResponder)

    def locateResponder(self, name: bytes) -> Any:
        """Return the decorated responder of a command, or else the method that is named after it, or None."""
        responder = CommandLocator.locateResponder(self, name)
        return SimpleStringLocator.locateResponder(self, name) if responder is None else responder

    def makeConnection(self, transport: Any) -> None:
        """Begin. A subclass whose `__init__` does not call ours is initialised here."""
        if not self._ampInitialized:
            AMP.__init__(self)
        self._transportPeer = transport.getPeer()
        self._transportHost = transport.getHost()
        log.info("{cls} connection established (HOST:{host} PEER:{peer})", **self._logged())
        BinaryBoxProtocol.makeConnection(self, transport)

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]  # without a default, as in Twisted
        """End: all calls that wait fail."""
        log.info("{cls} connection lost (HOST:{host} PEER:{peer})", **self._logged())
        BinaryBoxProtocol.connectionLost(self, reason)
        self.transport = None

    # The short way

    def callRemote(self, commandType: CommandType | None = None, /, *a: Any, **kw: Any) -> Deferred[dict[str, Any]]:
        """Ask a command; see `BoxDispatcher.callRemote`."""
        if not a:
            question = _ask(self, commandType, kw)
            if question is not UNUSUAL:
                return question  # type: ignore[no-any-return]
        return BoxDispatcher.callRemote(self, commandType, *a, **kw)

    def _askQuickly(self, command: Any, values: dict[str, Any]) -> Any:
        """Ask, and return the question, or None if nobody waits for an answer; UNUSUAL if this is no short way."""
        if self._maySendStraight():
            straight = self._straights.get(command) or self._straightOf(command)
            number = self._counter + 1
            tag = b"%x" % number
            box = straight.encodeArguments(values, tag)
            # a value's own conversion may have asked something, or ended the connection
            if box is not None and number > self._counter and self.transport is not None:
                return self._askStraight(straight, tag, box)
        return UNUSUAL

    def _askStraight(self, straight: Straight, tag: bytes, box: bytes) -> Any:
        self._counter += 1
        if not straight.requiresAnswer:
            write(self.transport, box, self._socket)
            return None
        outstanding: Any = self._outstandingRequests
        question = outstanding[tag] = Question()
        question._proto, question._tag, question._command = self, tag, straight.command
        question.decodeResponse = straight.decodeResponse
        try:
            write(self.transport, box, self._socket)
        except BaseException:
            del outstanding[tag]
            raise
        return question

    def _maySendStraight(self) -> bool:
        """Say whether the methods that would send a box now would do nothing but write its bytes."""
        attributes = self._delivery
        if attributes is None or len(attributes) != self._known:
            self._keepsSeams = _SEAMS.areKeptBy(self)
            self._straights = {}
        return (
            self._keepsSeams
            and self.boxSender is self
            and self._failAllReason is None
            and self._startingTLSBuffer is None
            and not self._locked
            and self.transport is not None
        )

    def _straightOf(self, command: Any) -> Straight:
        straight = self._straights[command] = straightOf(command)
        return straight

    def _lookAgain(self) -> None:
        self._keepsSeams = _SEAMS.areKeptBy(self)
        self._straights = {}
        BinaryBoxProtocol._lookAgain(self)

    def _deliverBox(self, strings: dict[bytes, bytes]) -> None:
        isMine = self._keepsSeams and self.boxReceiver is self
        if not isMine or not _take(self, strings):
            BinaryBoxProtocol._deliverBox(self, strings)

    def _takeAnswer(self, strings: dict[bytes, bytes]) -> bool:
        """Take an answer, and return true; or leave it as it was, and return false."""
        tag = strings[ANSWER]
        outstanding: Any = self._outstandingRequests
        question: Any = outstanding.get(tag) if outstanding else None
        decode = question.decodeResponse if type(question) is Question else never
        response = decode(strings)
        outstanding = self._outstandingRequests
        if response is None or not outstanding or outstanding.get(tag) is not question:  # given up meanwhile
            return False
        del outstanding[tag]
        fire(question, response)
        left = question.result
        if left is not None and (isinstance(left, _UNFINISHED) or question.paused):
            question.addErrback(self.unhandledError)
        return True

    def _takeAsk(self, strings: dict[bytes, bytes]) -> bool:
        """Take an ask, and return true; or leave it as it was, and return false."""
        try:
            command, function = self._commandDispatch[strings[COMMAND]]
        except KeyError:
            return False
        if ERROR in strings or self.locator is not self:
            return False
        straight = self._straights.get(command) or self._straightOf(command)
        tag = strings.get(ASK)
        try:
            result = straight.respond(strings, function, self)
        except BaseException:  # noqa: BLE001 - as in every responder's Deferred
            result = Failure()
        if type(result) is dict and self._maySendStraight():
            box = straight.encodeResponse(result, tag or b"")
            if box is not None and self.transport is not None:  # it may have been lost meanwhile
                if tag is not None:
                    write(self.transport, box, self._socket)
                return True
        elif result is UNUSUAL:
            return False
        self._answerInTime(result, function, command, strings)
        return True

    def _answerInTime(self, result: Any, function: Any, command: Any, strings: dict[bytes, bytes]) -> None:
        """Answer with what a responder's result will have become."""
        answer = answerFor(maybeDeferred(_same, result), self, MethodType(function, self), command)
        self._answerWith(answer, AmpBox(strings))

    def _logged(self) -> dict[str, Any]:
        return {"cls": self.__class__.__name__, "host": self._transportHost, "peer": self._transportPeer}

    def __repr__(self) -> str:
        inner = "" if self.innerProtocol is None else f" inner {self.innerProtocol!r}"
        return f"<{self.__class__.__name__}{inner} at 0x{id(self):x}>"


def _same(result: Any) -> Any:
    return result


_UNFINISHED: Final = (Failure, Deferred)

_face: Final = compiledFace(UNUSUAL, AMP._answerInTime, BinaryBoxProtocol._deliverBox)


def _takeInPython(proto: AMP, strings: dict[bytes, bytes]) -> bool:
    return proto._takeAnswer(strings) if ANSWER in strings else proto._takeAsk(strings)


if _face is not None:
    AMP._takeUsual = _face.take_all
_take: Final[Callable[[AMP, dict[bytes, bytes]], bool]] = _takeInPython if _face is None else _face.take
_ask: Final[Callable[[AMP, Any, dict[str, Any]], Any]] = AMP._askQuickly if _face is None else _face.ask

_SEAMS: Final = Seams(
    AMP,
    "ampBoxReceived",
    "_answerReceived",
    "_commandReceived",
    "dispatchCommand",
    "locateResponder",
    "_wrapWithSerialization",
    "_safeEmit",
    "sendBox",
    "_sendBoxCommand",
    "_nextTag",
    *STRING_METHODS,
    assigned=STRING_STATE,
    elsewhere=(
        (BoxDispatcher, ("callRemote",)),
        (CommandLocator, ("locateResponder",)),
        (AmpBox, ("__init__", "_sendTo", "serialize")),
    ),
)
"""The methods between a call and its bytes."""
