"""The class that programs subclass: protocol, dispatcher and locators in one; each of them is elsewhere."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IFileDescriptorReceiver
from zope.interface import implementer

from ampkit.twisted._commands import StartTLS
from ampkit.twisted._dispatcher import BoxDispatcher
from ampkit.twisted._interfaces import IBoxReceiver, IBoxSender, IResponderLocator
from ampkit.twisted._locators import CommandLocator, SimpleStringLocator
from ampkit.twisted._names import log
from ampkit.twisted._protocol import BinaryBoxProtocol


@implementer(IBoxSender, IBoxReceiver, IResponderLocator, IFileDescriptorReceiver)
class AMP(BinaryBoxProtocol, BoxDispatcher, CommandLocator, SimpleStringLocator):
    """One end of an AMP connection: subclass it, decorate methods with `SomeCommand.responder`, and `callRemote`.

    Another receiver of boxes, or another locator of responders, may be given to it.
    """

    _ampInitialized = False
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

    def _logged(self) -> dict[str, Any]:
        return {"cls": self.__class__.__name__, "host": self._transportHost, "peer": self._transportPeer}

    def __repr__(self) -> str:
        inner = "" if self.innerProtocol is None else f" inner {self.innerProtocol!r}"
        return f"<{self.__class__.__name__}{inner} at 0x{id(self):x}>"
