"""Bytes to boxes: box by box, or string by string as Twisted's parser does; knows not what a box is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.protocols.basic import Int16StringReceiver, StatefulStringProtocol
from twisted.python.failure import Failure

from ampkit.errors import RemoteProtocolError
from ampkit.twisted._boxes import AmpBox
from ampkit.twisted._names import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from ampkit.twisted._seams import Seams
from ampkit.twisted._strings import FRESH, Seen, stringState
from ampkit.twisted._writing import sendLater, sendNow, socketOf
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits


class BoxReader(StatefulStringProtocol, Int16StringReceiver):
    """Gives boxes to `boxReceiver`, one after the other, and stops behind any of them.

    A subclass that overrides a method of Twisted's parser, or assigns to its state, gets that parser.
    """

    maxBoxKeys = 65_536
    maxBoxBytes = 67_108_864
    maxHeldBytes = 1_048_576

    boxReceiver: Any
    transport: Any
    innerProtocol: Any
    unhandledError: Callable[[Failure], None]

    _MAX_KEY_LENGTH = MAX_KEY_LENGTH
    _MAX_VALUE_LENGTH = MAX_VALUE_LENGTH

    state: Any = Seen()
    MAX_LENGTH: Any = Seen()
    _unprocessed: Any = Seen()
    _compatibilityOffset: Any = Seen()
    _currentKey: Any = Seen()
    _currentBox: Any = Seen()

    _takeUsual: Callable[[Any, Decoder], bool] | None = None
    """Takes as many boxes as it can, in the compiled module; returns whether there was any."""
    _decoder: Decoder | None = None
    _notAmp: str | None = None
    _byStrings = False
    _more = b""  # what came while strings were delivered
    _heldBytes = 0
    _pausedByProgram = False
    _holding = False
    _delivery: dict[str, Any] | None = None  # this instance's attributes while boxes are delivered, None between
    _known = -1  # how many attributes this instance had when it was looked at
    _socket: Any = None  # its transport while boxes are delivered, if that is a socket

    def __init__(self) -> None:
        # What is asked for each box is found ten times as fast in the instance as in the class.
        self.__dict__ = {**self.__dict__}
        self._pausedByProgram = False
        self._holding = False
        self._delivery = None
        self._known = -1
        self._socket = None

    def _deliver(self, data: bytes) -> None:
        if not self._byStrings:
            self._deliverBoxes(data)
            data = b""
        if self._byStrings:
            self._deliverStrings(data)

    def _deliverBoxes(self, data: bytes) -> None:
        decoder = self._decoder
        if decoder is None:
            limits = Limits(max_box_keys=self.maxBoxKeys, max_box_bytes=self.maxBoxBytes)
            decoder = self._decoder = Decoder(limits, empty_boxes=True)
        decoder.feed(data)
        if (
            self._delivery is not None
        ):  # a box's receiver has brought more bytes: the loop that called it goes on with them
            return
        attributes = self._delivery = self.__dict__
        deliver, takeUsual = self._deliverBox, type(self)._takeUsual
        self._known = -1
        try:
            while not (self._pausedByProgram or self._holding):
                if len(attributes) != self._known:  # the program has assigned something
                    self._lookAgain()
                    if self._byStrings:
                        break
                if takeUsual is not None and takeUsual(self, decoder):
                    continue
                try:
                    strings = decoder.next_box()
                except RemoteProtocolError as error:
                    self._endOfAmp(error, decoder)
                    break
                if strings is None:
                    break
                deliver(strings)
            if self._socket is not None:
                sendNow(self._socket)
        finally:
            self._delivery = None
            self._changeSocket(None)

    def _lookAgain(self) -> None:
        """Find out what the program wants to do itself."""
        if not _STRING_SEAMS.areKeptBy(self):
            self._goByStrings()
        self._changeSocket(socketOf(self.transport))
        self._known = len(self.__dict__)

    def _changeSocket(self, socket: Any) -> None:
        if self._socket is not None and self._socket is not socket:
            sendLater(self._socket)
        self._socket = socket

    def _deliverBox(self, strings: dict[bytes, bytes]) -> None:
        box = _newBox(AmpBox)
        box.update(strings)
        self.boxReceiver.ampBoxReceived(box)

    def _endOfAmp(self, error: RemoteProtocolError, decoder: Decoder) -> None:
        if self._notAmp is None:
            self._notAmp = str(error)
            length = decoder.partial and decoder.partial.too_long_key
            if length:
                self.lengthLimitExceeded(length)
            else:
                self.transport.loseConnection()

    def lengthLimitExceeded(self, length: int) -> None:
        """End the connection: a key is above 255 bytes."""
        self._keyLengthLimitExceeded = True
        self.transport.loseConnection()

    def _takeRest(self) -> bytes:
        """Return the bytes behind the current box, which are not AMP's."""
        rest: bytes = self.recvd + self._more
        self._more = b""
        if self._decoder is None and self._byStrings and self._delivery is None:
            self.__dict__.update(FRESH)
        elif self._decoder is None:
            self.recvd = b""
        elif self._delivery is not None:
            self._decoder.take_rest()
        else:
            self._decoder = None
        return rest

    @property
    def paused(self) -> bool:
        """Whether no box is delivered."""
        return self._pausedByProgram or self._holding

    @paused.setter
    def paused(self, value: bool) -> None:
        self._pausedByProgram = value

    # What stands behind a StartTLS

    def _holdBytesUntil(self, answered: Deferred[Any]) -> None:
        """Deliver nothing that stands behind the current box before its answer is sent.

        It is a StartTLS. What anybody could have put behind it is not to be taken for what comes later, and secure.
        """
        self._holding = True
        _ = answered.addBoth(self._release)

    def _release(self, result: Any) -> Any:
        self._holding = False
        self._heldBytes = 0
        if self._delivery is None and self.innerProtocol is None:
            try:
                self._deliver(b"")
            except Exception:  # noqa: BLE001 - the reactor would drop the connection for it
                self.unhandledError(Failure())
        return result

    def _mayHold(self, size: int) -> bool:
        self._heldBytes += size
        if self._heldBytes <= self.maxHeldBytes:
            return True
        if self._notAmp is None:
            self._notAmp = f"more than {self.maxHeldBytes} bytes stand behind a StartTLS that is not answered yet"
            self.transport.loseConnection()
        return False

    # The same, string by string

    def _stringState(self) -> Mapping[str, Any]:
        if self._decoder is None:
            return FRESH
        return stringState(self._decoder, isInBox=self._delivery is not None, isStopped=self.paused)

    def _goByStrings(self) -> None:
        """Let Twisted's parser go on where ours stands."""
        attributes = self.__dict__
        if self._decoder is not None:
            held = stringState(self._decoder, isInBox=False, isStopped=True)
            if held["state"] == "init":
                held["state"] = type(self).state  # a class may begin with a step of its own
            held["MAX_LENGTH"] = type(self).MAX_LENGTH  # and with a limit of its own
            attributes.update({**held, **attributes})
            self._decoder = None
        self._byStrings = True
        self._settle()

    def _settle(self) -> None:
        """Put what is unread where Twisted's parser begins, also if a box's receiver stopped it by an exception."""
        if "recvd" in self.__dict__:
            self._unprocessed = self.__dict__.pop("recvd")
        else:
            self._unprocessed = self.recvd
        self._compatibilityOffset = 0

    def _deliverStrings(self, data: bytes) -> None:
        self._more += data
        if self._delivery is not None:
            return
        self._delivery = self.__dict__
        try:
            while True:
                data, self._more = self._more, b""
                Int16StringReceiver.dataReceived(self, data)
                if not self._more:
                    break
        finally:
            self._delivery = None
            self._settle()

    def proto_init(self, string: bytes) -> str:
        """Begin a box: the string is its first key."""
        self._currentBox = AmpBox()
        return self.proto_key(string)

    def proto_key(self, string: bytes) -> str:
        """Take a key, or the empty string that ends the box."""
        if string:
            self._currentKey = string
            self.MAX_LENGTH = self._MAX_VALUE_LENGTH  # pyright: ignore[reportConstantRedefinition]  # Twisted's name
            return "value"
        try:
            self.boxReceiver.ampBoxReceived(self._currentBox)
        finally:  # a receiver that raises has had its box: what comes next is another one
            self._currentBox = None
            self.state = "init"
        return "init"

    def proto_value(self, string: bytes) -> str:
        """Take the value of the key before it."""
        self._currentBox[self._currentKey] = string
        self._currentKey = None
        self.MAX_LENGTH = self._MAX_KEY_LENGTH  # pyright: ignore[reportConstantRedefinition]  # Twisted's name
        return "key"


_newBox = AmpBox.__new__

STRING_METHODS: Final = (
    "stringReceived",
    "proto_init",
    "proto_key",
    "proto_value",
    "state",
    "structFormat",
    "prefixLength",
    "MAX_LENGTH",
    "_MAX_KEY_LENGTH",
    "_MAX_VALUE_LENGTH",
)
STRING_STATE: Final = ("recvd", *FRESH)
_STRING_SEAMS: Final = Seams(BoxReader, *STRING_METHODS, assigned=STRING_STATE)
"""What shows that a program wants to see, or has put itself between, the strings that a box is made of."""
