"""A connection as a Twisted protocol: bytes to boxes and back, string by string where a subclass wants that."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionClosed, ConnectionLost, PeerVerifyError
from twisted.protocols.basic import Int16StringReceiver, StatefulStringProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.errors import RemoteProtocolError
from ampkit.twisted._boxes import AmpBox
from ampkit.twisted._descriptors import _DescriptorExchanger
from ampkit.twisted._errors import OnlyOneTLS, ProtocolSwitched, TooLong
from ampkit.twisted._interfaces import IBoxSender
from ampkit.twisted._names import MAX_KEY_LENGTH, MAX_VALUE_LENGTH, log
from ampkit.twisted._tls import tlsModule
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits

_STRING_SEAMS: Final = ("stringReceived", "proto_init", "proto_key", "proto_value")
"""Methods whose overriding shows that a subclass wants to see each string of a box."""


@implementer(IBoxSender)
class BinaryBoxProtocol(StatefulStringProtocol, Int16StringReceiver, _DescriptorExchanger):
    """Gives the boxes of a connection to its `boxReceiver`, and sends boxes.

    `maxBoxKeys` and `maxBoxBytes` are limits on what the other end may send; a subclass may set others.
    """

    maxBoxKeys = 65_536
    maxBoxBytes = 67_108_864

    hostCertificate: Any = None
    noPeerCertificate = False
    innerProtocol: Any = None
    innerProtocolClientFactory: Any = None

    _MAX_KEY_LENGTH = MAX_KEY_LENGTH
    _MAX_VALUE_LENGTH = MAX_VALUE_LENGTH
    MAX_LENGTH = MAX_KEY_LENGTH

    _justStartedTLS = False
    _startingTLSBuffer: list[Any] | None = None
    _locked = False
    _currentKey: bytes | None = None
    _currentBox: AmpBox | None = None
    _keyLengthLimitExceeded = False
    _notAmp: RemoteProtocolError | None = None
    _decoder: Decoder | None = None
    _delivering = False
    _strings = b""
    _outbox: list[bytes] = []  # noqa: RUF012 - replaced in makeConnection; never appended to before
    _gathers = False
    """Whether the transport is a socket: these also send what is written behind `loseConnection`."""

    def __init__(self, boxReceiver: Any) -> None:
        _DescriptorExchanger.__init__(self)
        self.boxReceiver = boxReceiver

    def makeConnection(self, transport: Any) -> None:
        """Begin: the receiver may send boxes at once."""
        self.transport = transport
        self._outbox = []
        self._gathers = isinstance(transport, FileDescriptor)
        self.boxReceiver.startReceivingBoxes(self)
        self.connectionMade()

    # Bytes to boxes

    def dataReceived(self, data: bytes) -> None:
        """Give the receiver the boxes that these bytes complete; behind a switch they are the inner protocol's."""
        self._justStartedTLS = False
        if self.innerProtocol is not None:
            self.innerProtocol.dataReceived(data)
        elif self._wantsStrings():
            Int16StringReceiver.dataReceived(self, data)
        else:
            self._deliverBoxes(data)

    def _wantsStrings(self) -> bool:
        cls = type(self)
        return not (
            cls.proto_init is _proto_init
            and cls.proto_key is _proto_key
            and cls.proto_value is _proto_value
            and cls.stringReceived is StatefulStringProtocol.stringReceived
            and self.__dict__.keys().isdisjoint(_STRING_SEAMS)
        )

    def _deliverBoxes(self, data: bytes) -> None:
        decoder = self._decoder
        if decoder is None:
            limits = Limits(max_box_keys=self.maxBoxKeys, max_box_bytes=self.maxBoxBytes)
            decoder = self._decoder = Decoder(limits, empty_boxes=True)
        decoder.feed(data)
        if self._delivering:  # a box's receiver has brought more bytes: the loop that called it goes on with them
            return
        self._delivering = True
        self._beginDelivery()
        try:
            while not self.paused and (strings := self._nextBox(decoder)) is not None:
                self._deliverBox(strings)
                if "recvd" in self.__dict__:  # the receiver has replaced what is behind its box, as strings' receivers may
                    self._unprocessed = self.__dict__.pop("recvd")
        finally:
            self._delivering = False
            if self._outbox:
                self._flush()

    def _beginDelivery(self) -> None:
        """Do what is to be done once for the boxes that came together."""

    def _deliverBox(self, strings: dict[bytes, bytes]) -> None:
        box = _newBox(AmpBox)
        box.update(strings)
        self.boxReceiver.ampBoxReceived(box)

    def _nextBox(self, decoder: Decoder) -> dict[bytes, bytes] | None:
        try:
            return decoder.next_box()
        except RemoteProtocolError as error:
            if self._notAmp is None:
                self._notAmp = error
                length = int.from_bytes(decoder.unread[:2], "big")
                if length > MAX_KEY_LENGTH:
                    self.lengthLimitExceeded(length)
                else:
                    self.transport.loseConnection()
            return None

    def proto_init(self, string: bytes) -> str:
        """Begin a box: the string is its first key."""
        self._currentBox = AmpBox()
        return self.proto_key(string)

    def proto_key(self, string: bytes) -> str:
        """Take a key, or the empty string that ends the box."""
        if string:
            self._currentKey = string
            self.MAX_LENGTH = self._MAX_VALUE_LENGTH
            return "value"
        box, self._currentBox = self._currentBox, None
        self.boxReceiver.ampBoxReceived(box)
        return "init"

    def proto_value(self, string: bytes) -> str:
        """Take the value of the key before it."""
        self._currentBox[self._currentKey] = string  # type: ignore[index]
        self._currentKey = None
        self.MAX_LENGTH = self._MAX_KEY_LENGTH
        return "key"

    def lengthLimitExceeded(self, length: int) -> None:
        """End the connection: a key is above 255 bytes."""
        self._keyLengthLimitExceeded = True
        self.transport.loseConnection()

    @property
    def _unprocessed(self) -> bytes:  # type: ignore[override]
        """The bytes that are in no box yet; `recvd` is made of it, and assigning either replaces them."""
        return self._strings if self._decoder is None else self._decoder.unread

    @_unprocessed.setter
    def _unprocessed(self, data: bytes) -> None:
        if self._decoder is None:
            self._strings = data
        else:
            self._decoder.take_rest()
            self._decoder.feed(data)

    def _takeRest(self) -> bytes:
        """Return the bytes behind the current box, which are not AMP's."""
        if self._decoder is not None:
            return self._decoder.take_rest()
        rest: bytes = self.recvd
        self.recvd = b""
        return rest

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
            self._write(box.serialize())

    def _write(self, data: bytes) -> None:
        """Write a box's bytes; what is written while boxes are delivered leaves together behind the last one."""
        if self._delivering and self._gathers:
            self._outbox.append(data)
        else:
            self.transport.write(data)

    def _flushNow(self) -> None:
        """Write what was gathered, and gather no more: the transport is about to be another."""
        self._gathers = False
        if self._outbox:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._outbox)
        self._outbox.clear()
        if self.transport is not None:
            self.transport.write(data)

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

    def connectionLost(self, reason: Any) -> None:
        """End: tell the inner protocol, if there is one, and the receiver why."""
        if self.innerProtocol is not None:
            self.innerProtocol.connectionLost(reason)
            if self.innerProtocolClientFactory is not None:
                self.innerProtocolClientFactory.clientConnectionLost(None, reason)
        if self._keyLengthLimitExceeded:
            reason = Failure(TooLong(True, False, None, None))
        elif self._notAmp is not None:
            reason = Failure(self._notAmp)
        elif reason.check(ConnectionClosed) and self._justStartedTLS:
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
        self._flushNow()
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

    def _checkOnlyOneTLS(self, certificate: Any, verifyAuthorities: Any) -> None:
        if self.hostCertificate is not None:
            present = (self.hostCertificate, self.peerCertificate)
            raise OnlyOneTLS(
                f"Previously authenticated connection between {present[0]} and {present[1]} "
                f"is trying to re-establish as {(certificate, verifyAuthorities)}"
            )

    def _prepareTLS(self, certificate: Any, verifyAuthorities: Any) -> None:
        """Hold back what is sent from now on until the transport is secure. Raises OnlyOneTLS if it is."""
        self._checkOnlyOneTLS(certificate, verifyAuthorities)
        self._startingTLSBuffer = []

    def _unprepareTLS(self) -> None:
        """Send what was held back: the other end refused."""
        held, self._startingTLSBuffer = self._startingTLSBuffer, None
        for box in held or ():
            self.sendBox(box)

    def _startTLS(self, certificate: Any, verifyAuthorities: Any) -> None:
        """Secure the transport, then send what was held back."""
        self._checkOnlyOneTLS(certificate, verifyAuthorities)
        self.hostCertificate = certificate
        self._justStartedTLS = True
        self._flushNow()
        rest = self._takeRest()
        self.transport.startTLS(certificate.options(*(verifyAuthorities or ())))
        if rest:
            self._giveToTLS(rest)
        self._unprepareTLS()

    def _giveToTLS(self, data: bytes) -> None:
        """Let TLS judge the bytes behind the boundary: its handshake goes on, and plaintext ends the connection."""
        below = getattr(self.transport, "protocol", None)
        if below is None or below is self:
            self.transport.loseConnection()
        else:
            below.dataReceived(data)


_newBox = AmpBox.__new__
_proto_init = BinaryBoxProtocol.proto_init
_proto_key = BinaryBoxProtocol.proto_key
_proto_value = BinaryBoxProtocol.proto_value
