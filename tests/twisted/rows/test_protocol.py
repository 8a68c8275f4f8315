"""The protocol: bytes to boxes, and what its parser shows; without a dispatcher."""

# mypy: allow-untyped-calls, allow-subclassing-any

from copy import copy
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.protocols.basic import Int16StringReceiver, IntNStringReceiver, StatefulStringProtocol, _PauseableMixin

from tests.twisted.rows.common import Receiver, Wire, bytes_of, lose, receiving


def test_it_is_a_protocol_of_strings(amp: Any) -> None:
    """Of all the classes that Twisted's is of, in their order."""
    bases = [StatefulStringProtocol, Int16StringReceiver, IntNStringReceiver, _PauseableMixin, Protocol]
    found = [each for each in amp.BinaryBoxProtocol.__mro__ if each in bases]
    order = [each for each in amp.AMP.__mro__ if each in bases]
    assert set(found) == set(bases)
    assert found == order
    assert issubclass(amp.BinaryBoxProtocol, amp._DescriptorExchanger)


def test_it_begins_with_these_attributes(amp: Any) -> None:
    """On the class, where programs set others."""
    cls = amp.BinaryBoxProtocol
    assert (cls.hostCertificate, cls.innerProtocol, cls.innerProtocolClientFactory) == (None, None, None)
    assert (cls.noPeerCertificate, cls._justStartedTLS, cls._locked, cls._keyLengthLimitExceeded) == (False,) * 4
    assert cls._startingTLSBuffer is None
    assert (cls._MAX_KEY_LENGTH, cls._MAX_VALUE_LENGTH, cls.MAX_LENGTH) == (255, 65_535, 255)
    assert (cls.state, cls._currentKey, cls._currentBox) == ("init", None, None)
    assert (cls.structFormat, cls.prefixLength) == ("!H", 2)
    assert (cls.factory, cls.transport, cls.connected, cls.paused) == (None, None, 0, cls.paused)


def test_the_receiver_starts_before_the_protocol_is_made(amp: Any) -> None:
    """It may send boxes at once; `connected` stays as it was."""
    seen: list[Any] = []

    class Made(amp.BinaryBoxProtocol):
        def connectionMade(self) -> None:
            seen.append(receiver.seen[0])

    class Eager(Receiver):
        def startReceivingBoxes(self, boxSender: Any) -> None:
            super().startReceivingBoxes(boxSender)
            boxSender.sendBox(amp.Box(a=b"1"))

    protocol = Made(receiver := Eager())
    wire = Wire()
    protocol.makeConnection(transport=wire)
    assert (seen, receiver.sender, protocol.transport) == (["start"], protocol, wire)
    assert wire.writes == [bytes_of(a=b"1")]
    assert not protocol.connected
    amp.BinaryBoxProtocol(Receiver()).makeConnection(None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1_000])
def test_boxes_come_whole_however_they_are_cut(size: int, amp: Any, cls: Any) -> None:
    """With all their keys, the longest too; an empty box is one."""
    protocol, receiver, _ = receiving(cls)
    boxes = [{b"a": b"1", b"b": b""}, {}, {b"k" * 255: b"v" * 300}, {b"c": b"\0\0"}]
    data = b"".join(amp.Box(box).serialize() for box in boxes)
    for at in range(0, len(data), size):
        assert protocol.dataReceived(data[at : at + size]) is None
    assert receiver.boxes == boxes
    assert {type(box) for box in receiver.boxes} == {amp.AmpBox}


def test_bytes_may_come_before_the_connection(amp: Any) -> None:
    """Whoever has them may bring them."""
    protocol = amp.BinaryBoxProtocol(receiver := Receiver())
    protocol.dataReceived(data=bytes_of(a=b"1"))
    assert receiver.boxes == [{b"a": b"1"}]


def test_of_a_key_that_comes_twice_the_last_value_counts(cls: Any) -> None:
    """On each way."""
    protocol, receiver, _ = receiving(cls)
    protocol.dataReceived(b"\0\1k\0\1x\0\1k\0\1y\0\0")
    assert receiver.boxes == [{b"k": b"y"}]


def test_the_receiver_is_looked_up_for_each_box(cls: Any) -> None:
    """Another one, or another method of the same one, gets the next box."""
    protocol, receiver, _ = receiving(cls)
    other = Receiver()

    def first(box: Any) -> None:
        receiver.boxes.append(box)
        receiver.ampBoxReceived = second  # type: ignore[method-assign]

    def second(box: Any) -> None:
        receiver.boxes.append(list(box))
        protocol.boxReceiver = other

    receiver.ampBoxReceived = first  # type: ignore[method-assign]
    protocol.dataReceived(bytes_of(a=b"1") + bytes_of(b=b"2") + bytes_of(c=b"3"))
    assert receiver.boxes == [{b"a": b"1"}, [b"b"]]
    assert other.boxes == [{b"c": b"3"}]


def test_a_key_above_255_bytes_ends_the_connection(amp: Any, cls: Any) -> None:
    """Boxes before it arrive; the reason is given at the end, whatever the transport's was."""
    protocol, receiver, wire = receiving(cls)
    protocol.dataReceived(bytes_of(a=b"1") + b"\1\0" + b"k" * 256)
    assert (receiver.boxes, wire.closed, protocol._keyLengthLimitExceeded) == ([{b"a": b"1"}], 1, True)
    lose(protocol)
    error = receiver.seen[1].value
    assert (type(error), error.isKey, error.isLocal, error.value, error.keyName) == (
        amp.TooLong,
        True,
        False,
        None,
        None,
    )


def test_a_length_limit_that_is_exceeded_is_told(amp: Any) -> None:
    """An override gets the length; nothing else happens."""
    seen: list[int] = []
    cls: Any = type("Lenient", (amp.BinaryBoxProtocol,), {"lengthLimitExceeded": lambda _, length: seen.append(length)})
    protocol, receiver, wire = receiving(cls)
    protocol.dataReceived(b"\1\2")
    assert (seen, wire.closed, receiver.boxes) == ([258], 0, [])


def test_the_parser_s_state_can_be_read(cls: Any) -> None:
    """Between the pieces of a box it is where Twisted's is: in its key, in its value, behind it."""
    protocol, _, _ = receiving(cls)
    data = bytes_of(a=b"1" * 300)
    states = []
    for piece in (data[:1], data[1:3], data[3:100], data[100:305], data[305:]):
        protocol.dataReceived(piece)
        states.append((protocol.state, protocol._currentKey, copy(protocol._currentBox), protocol.MAX_LENGTH))
    full = {b"a": b"1" * 300}
    assert states == [
        ("init", None, None, 255),
        ("value", b"a", {}, 65_535),
        ("value", b"a", {}, 65_535),
        ("key", None, full, 255),
        ("init", None, None, 255),
    ]


def test_a_step_may_be_called_by_hand(amp: Any) -> None:
    """Each returns the next state."""
    protocol, receiver, _ = receiving(amp.BinaryBoxProtocol)
    assert protocol.proto_init(string=b"a") == "value"
    assert (protocol._currentKey, protocol.MAX_LENGTH) == (b"a", 65_535)
    assert protocol.proto_value(string=b"1") == "key"
    assert (protocol._currentBox, protocol.MAX_LENGTH, protocol._currentKey) == ({b"a": b"1"}, 255, None)
    assert protocol.proto_key(string=b"") == "init"
    assert (receiver.boxes, protocol._currentBox) == ([{b"a": b"1"}], None)
