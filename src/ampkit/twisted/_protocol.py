"""A connection as a Twisted protocol: bytes to boxes and back, string by string where a subclass wants that."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionClosed, ConnectionLost, PeerVerifyError
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.twisted._descriptors import _DescriptorExchanger
from ampkit.twisted._errors import MalformedAmpBox, ProtocolSwitched, TooLong
from ampkit.twisted._interfaces import IBoxSender
from ampkit.twisted._names import ASK, COMMAND, log
from ampkit.twisted._reading import BoxReader
from ampkit.twisted._tls import checkOnlyOneTLS, giveToTLS, notSent, tlsModule
from ampkit.twisted._writing import write


@implementer(IBoxSender)
class BinaryBoxProtocol(BoxReader, _DescriptorExchanger):
    """Gives the boxes of a connection to its `boxReceiver`, and sends boxes.

    A subclass may set other limits on what the other end sends: `maxBoxKeys` and `maxBoxBytes` for one box,
    `maxHeldBytes` for what stands behind a StartTLS that is not answered yet, `maxWaitingDescriptors` for descriptors
    that no argument has taken. Who exceeds one is disconnected.
    """

    hostCertificate: Any = None
    noPeerCertificate = False
    innerProtocol: Any = None
    innerProtocolClientFactory: Any = None

    _justStartedTLS = False
    _startingTLSBuffer: list[Any] | None = None
    _locked = False
    _keyLengthLimitExceeded = False

    def __init__(self, boxReceiver: Any) -> None:
        BoxReader.__init__(self)
        _DescriptorExchanger.__init__(self)
        self.boxReceiver = boxReceiver
        self._locked = False
        self._startingTLSBuffer = None

    def makeConnection(self, transport: Any) -> None:
        """Begin: the receiver may send boxes at once."""
        self.transport = transport
        self.boxReceiver.startReceivingBoxes(self)
        self.connectionMade()  # type: ignore[no-untyped-call]  # Twisted's

    # Bytes to boxes

    def dataReceived(self, data: bytes) -> None:
        """Give the receiver the boxes that these bytes complete; behind a switch they are the inner protocol's."""
        if self._justStartedTLS:
            self._justStartedTLS = False
        if self.innerProtocol is not None:
            self.innerProtocol.dataReceived(data)
        elif not self._holding or self._mayHold(len(data)):
            self._deliver(data)

    # Boxes to bytes

    def sendBox(self, box: Any) -> None:
        """Send a box. Raises ProtocolSwitched once AMP may send no more, ConnectionLost without a transport."""
        if self._locked:
            raise ProtocolSwitched("This connection has switched: no AMP traffic allowed.")
        if self.transport is None:
            raise ConnectionLost()
        if self._startingTLSBuffer is not None:
            self._startingTLSBuffer.append(box)
        else:
            data = box.serialize()
            write(self.transport, data, self._socket if type(data) is bytes else None)

    def _defaultStartTLSResponder(self) -> dict[str, Any]:
        """Agree to secure the connection, without a certificate of this end's. Decorate another method to differ."""
        return {}

    def unhandledError(self, failure: Failure) -> None:
        """Log an error that no program handled, and drop the connection."""
        log.failure(
            "Amp server or network failure unhandled by client application.  Dropping connection!  "
            "To avoid, add errbacks to ALL remote commands!",
            failure,
        )
        if self.transport is not None:
            self.transport.loseConnection()

    # The end

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]  # without a default, as in Twisted
        """End: tell the inner protocol, if there is one, and the receiver why."""
        if self._holding:
            self._takeRest()
        if self.innerProtocol is not None:
            self.innerProtocol.connectionLost(reason)
            if self.innerProtocolClientFactory is not None:
                self.innerProtocolClientFactory.clientConnectionLost(None, reason)
        if self._keyLengthLimitExceeded:
            reason = Failure(TooLong(True, False, None, None))
        elif self._notAmp is not None:
            reason = Failure(MalformedAmpBox(self._notAmp))
        elif self._justStartedTLS and reason.check(ConnectionClosed):
            reason = Failure(PeerVerifyError("Peer rejected our certificate for an unknown reason."))
        self.boxReceiver.stopReceivingBoxes(reason)
        self._closeDescriptors()

    # Becoming another protocol

    def _lockForSwitch(self) -> None:
        """Send nothing more: the other end was asked to switch."""
        self._locked = True

    def _unlockFromSwitch(self) -> None:
        """Send again: the other end refused to switch."""
        if self.innerProtocol is not None:
            raise ProtocolSwitched("Protocol already switched.  Cannot unlock.")
        self._locked = False

    def _switchTo(self, newProto: Any, clientFactory: Any = None) -> None:
        """Give the transport, and the bytes behind the current box, to another protocol."""
        rest = self._takeRest()
        self.innerProtocol = newProto
        self.innerProtocolClientFactory = clientFactory
        newProto.makeConnection(self.transport)
        if rest:
            newProto.dataReceived(rest)

    # Becoming secure

    @property
    def peerCertificate(self) -> Any:
        """The other end's certificate, or None."""
        return None if self.noPeerCertificate else tlsModule().Certificate.peerFromTransport(self.transport)

    def _prepareTLS(self, certificate: Any, verifyAuthorities: Any) -> None:
        """Hold back what is sent from now on until the transport is secure. Raises OnlyOneTLS if it is."""
        checkOnlyOneTLS(self, certificate, verifyAuthorities)
        self._startingTLSBuffer = []

    def _startTLS(self, certificate: Any, verifyAuthorities: Any) -> None:
        """Secure the transport, then send what was held back. Raises OnlyOneTLS if it is secure."""
        checkOnlyOneTLS(self, certificate, verifyAuthorities)
        options = certificate.options(*(verifyAuthorities or ()))
        rest = self._takeRest()
        below = getattr(self.transport, "protocol", None)
        self.hostCertificate = certificate
        self._justStartedTLS = True
        self.transport.startTLS(options)
        if rest:
            giveToTLS(self.transport, below, rest)
        held, self._startingTLSBuffer = self._startingTLSBuffer, None
        for box in held or ():
            self.sendBox(box)

    def _isHeldBack(self, tag: bytes) -> bool:
        """Say whether the ask of a tag is to be sent once the transport is secure."""
        return any(box.get(ASK) == tag for box in self._startingTLSBuffer or ())

    def _unprepareTLS(self) -> None:
        """Send again: the other end refused TLS. What was to be sent behind it is not sent without."""
        held, self._startingTLSBuffer = self._startingTLSBuffer, None
        for box in held or ():
            if COMMAND not in box:
                self.sendBox(box)
            elif ASK in box:
                self.boxReceiver.ampBoxReceived(notSent(box))
