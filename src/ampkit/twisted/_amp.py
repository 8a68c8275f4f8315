"""The class that programs subclass: protocol, dispatcher and locators in one; each of them is elsewhere."""

from __future__ import annotations

from types import MethodType
from typing import Any, Final

from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.core.tagged import answer_box, ask_box
from ampkit.twisted._boxes import AmpBox
from ampkit.twisted._commands import StartTLS, _CommandMeta
from ampkit.twisted._dispatcher import BoxDispatcher
from ampkit.twisted._interfaces import IBoxReceiver, IBoxSender, IResponderLocator
from ampkit.twisted._locators import CommandLocator, SimpleStringLocator, WrappedResponder
from ampkit.twisted._names import ANSWER, ASK, COMMAND, ERROR, log
from ampkit.twisted._protocol import BinaryBoxProtocol
from ampkit.twisted._question import Question
from ampkit.twisted._straight import Seams, Straight
from ampkit.wire.box import END


@implementer(IBoxSender, IBoxReceiver, IResponderLocator, IFileDescriptorReceiver)
class AMP(BinaryBoxProtocol, BoxDispatcher, CommandLocator, SimpleStringLocator):
    """One end of an AMP connection: subclass it, decorate methods with `SomeCommand.responder`, and `callRemote`.

    Another receiver of boxes, or another locator of responders, may be given to it.
    """

    _ampInitialized = False
    _keepsSeams = False
    _transportPeer: Any = None
    _transportHost: Any = None

    def __init__(self, boxReceiver: Any = None, locator: Any = None) -> None:
        self._ampInitialized = True
        BoxDispatcher.__init__(self, self if locator is None else locator)
        BinaryBoxProtocol.__init__(self, self if boxReceiver is None else boxReceiver)

    def _defaultStartTLSResponder(self) -> dict[str, Any]:
        """Agree to secure the connection, without a certificate of this end's. Decorate another method to differ."""
        return {}

    StartTLS.responder(_defaultStartTLSResponder)

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

    def connectionLost(self, reason: Any) -> None:
        """End: all calls that wait fail."""
        log.info("{cls} connection lost (HOST:{host} PEER:{peer})", **self._logged())
        BinaryBoxProtocol.connectionLost(self, reason)
        self.transport = None

    # The short way

    def callRemote(self, commandType: Any = None, /, *a: Any, **kw: Any) -> Any:
        """Ask a command; see `BoxDispatcher.callRemote`."""
        straight = commandType.straight() if type(commandType) is _CommandMeta and not a else None
        if straight is not None and self._isStraight():
            pairs = straight.encodeArguments(kw)
            if pairs is not None:
                return self._askStraight(straight, pairs)
        return BoxDispatcher.callRemote(self, commandType, *a, **kw)

    def _askStraight(self, straight: Straight, pairs: bytes) -> Question | None:
        self._counter += 1
        tag = b"%x" % self._counter
        if not straight.requiresAnswer:
            self._write(pairs + END)
            return None
        outstanding: Any = self._outstandingRequests
        question = outstanding[tag] = Question(outstanding, tag, straight)
        question.isFor(straight.command, self)
        self._write(ask_box(tag, pairs))
        return question

    def _isStraight(self) -> bool:
        """Say whether what is sent now may take the short way."""
        return (
            (self._keepsSeams if self._delivering else _SEAMS.areKeptBy(self))
            and self.boxSender is self
            and self._failAllReason is None
            and not self._locked
            and self._startingTLSBuffer is None
            and self.transport is not None
        )

    def _beginDelivery(self) -> None:
        self._keepsSeams = _SEAMS.areKeptBy(self)

    def _deliverBox(self, strings: dict[bytes, bytes]) -> None:
        if self._keepsSeams and self.boxReceiver is self:
            tag = strings.get(ANSWER)
            if self._takeAsk(strings) if tag is None else self._takeAnswer(tag, strings):
                return
        BinaryBoxProtocol._deliverBox(self, strings)

    def _takeAnswer(self, tag: bytes, strings: dict[bytes, bytes]) -> bool:
        """Take an answer, and return true; or leave it as it was, and return false."""
        outstanding: Any = self._outstandingRequests
        question = outstanding.get(tag) if outstanding else None
        if type(question) is not Question or question.straight is None:
            return False
        response = question.straight.decodeResponse(strings)
        if response is None:
            return False
        del outstanding[tag]
        question.fire(response, self.unhandledError)
        return True

    def _takeAsk(self, strings: dict[bytes, bytes]) -> bool:
        """Take an ask, and return true; or leave it as it was, and return false."""
        command, function = self._commandDispatch.get(strings.get(COMMAND, b""), (None, None))
        straight = command.straight() if type(command) is _CommandMeta else None
        if straight is None or ERROR in strings or self.locator is not self:
            return False
        objects = straight.decodeArguments(strings)
        if objects is None:
            return False
        self._respond(straight, function, objects, strings)
        return True

    def _respond(self, straight: Straight, function: Any, objects: Any, strings: dict[bytes, bytes]) -> None:
        try:
            result = function(self, **objects)
            if type(result) is dict and self._isStraight():
                pairs = straight.encodeResponse(result)
                if pairs is not None:
                    if ASK in strings:
                        self._write(answer_box(strings[ASK], pairs))
                    return
        except Exception:
            result = Failure()
        wrapped = WrappedResponder(self, MethodType(function, self), straight.command)
        self._answerWith(wrapped.answer(result), AmpBox(strings))

    def _logged(self) -> dict[str, Any]:
        return {"cls": self.__class__.__name__, "host": self._transportHost, "peer": self._transportPeer}

    def __repr__(self) -> str:
        inner = "" if self.innerProtocol is None else f" inner {self.innerProtocol!r}"
        return f"<{self.__class__.__name__}{inner} at 0x{id(self):x}>"


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
)
