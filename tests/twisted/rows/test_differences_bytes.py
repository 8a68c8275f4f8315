"""Where ours differs on purpose: bytes, boxes and descriptors; what Twisted's does stands beside it."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import os
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from twisted.internet.interfaces import IFileDescriptorReceiver
from zope.interface import implementer

from tests.twisted.rows.common import Receiver, bytes_of, lose, receiving, started
from tests.twisted.rows.differences import difference
from tests.twisted.seams.common import until


@difference("size of a box")
@pytest.mark.parametrize(
    ("limit", "data"), [("maxBoxKeys", b"\0\1a\0\0" * 9), ("maxBoxBytes", b"\0\1a\0\x09" + b"x" * 9)]
)
def test_a_box_has_a_limit(limit: str, data: bytes, amp: Any, is_ours: bool) -> None:
    """The connection of who exceeds it ends, with a reason that says so."""
    cls = type("Small", (amp.BinaryBoxProtocol,), {limit: 8})
    protocol, receiver, wire = receiving(cls)
    protocol.dataReceived(data + b"\0\0")
    assert (len(receiver.boxes), wire.closed) == ((0, 1) if is_ours else (1, 0))
    lose(protocol)
    assert isinstance(receiver.seen[1].value, amp.MalformedAmpBox) == is_ours
    defaults = [getattr(amp.AMP, name, None) for name in ("maxBoxKeys", "maxBoxBytes", "maxHeldBytes")]
    assert defaults == ([65_536, 2**26, 2**20] if is_ours else [None] * 3)


@difference("an empty key in a box that is sent")
def test_an_empty_key_is_not_sent(amp: Any, is_ours: bool) -> None:
    """Wherever it came from."""
    box = amp.Box({b"": b"1", b"a": b"2"})
    if is_ours:
        with pytest.raises(amp.MalformedAmpBox, match="empty key"):
            box.serialize()
    else:
        assert box.serialize().startswith(b"\0\0\0\1")


@difference("a key above 255 bytes given to `parse`")
def test_a_key_that_is_too_long_is_named(amp: Any, is_ours: bool) -> None:
    """In captured bytes, and inside of a value."""
    data = b"\1\0" + b"k" * 256
    for function in (amp.parseString, lambda data: amp.AmpList([]).fromStringProto(data, None)):
        with pytest.raises(amp.TooLong if is_ours else AttributeError):
            function(data)


@difference("bytes behind a key above 255 bytes")
def test_what_is_behind_a_key_that_is_too_long_is_not_read(amp: Any, is_ours: bool) -> None:
    """Neither it nor what was read already."""
    protocol, receiver, wire = receiving(amp.BinaryBoxProtocol)
    protocol.dataReceived(bytes_of(a=b"1") + b"\1\0")
    assert (len(receiver.boxes), wire.closed) == (1, 1)
    protocol.dataReceived(b"k")
    assert (len(receiver.boxes), wire.closed) == ((1, 1) if is_ours else (2, 2))


def brittle(amp: Any, base: Any) -> Any:
    """A class whose receiver raises for some boxes."""

    class Brittle(base):
        def __init__(self) -> None:
            self.taken: list[bytes] = []
            super().__init__()

        def amp_TAKE(self, box: Any) -> Any:
            self.taken.append(box[b"n"])
            return amp.Box()

    return Brittle


def take(n: bytes) -> bytes:
    """The bytes of a box."""
    return bytes_of(_command=b"Take", n=n)


@difference("a receiver that raises")
def test_a_box_that_could_not_be_taken_has_been(amp: Any, base: Any, is_ours: bool) -> None:
    """The next bytes are not read with it."""
    started(end := brittle(amp, base)())
    with pytest.raises(amp.NoEmptyBoxes):
        end.dataReceived(take(b"1") + bytes_of(what=b"is this") + take(b"2"))
    if is_ours:
        end.dataReceived(take(b"3"))
        assert end.taken == [b"1", b"2", b"3"]
    else:
        with pytest.raises(amp.NoEmptyBoxes):
            end.dataReceived(take(b"3"))


@difference("`dataReceived` from inside of a box's receiver")
def test_bytes_may_be_brought_by_a_receiver(amp: Any, is_ours: bool) -> None:
    """They stand behind those that are being delivered."""
    protocol, receiver, _ = receiving(amp.BinaryBoxProtocol)
    taken: list[bytes] = []

    def bring() -> None:
        taken.extend(receiver.boxes[-1])
        if len(taken) == 1:
            protocol.dataReceived(bytes_of(c=b"3"))
            taken.append(b"brought")

    receiver.onBox = bring
    protocol.dataReceived(bytes_of(a=b"1") + bytes_of(b=b"2"))
    assert (taken == [b"a", b"brought", b"b", b"c"]) == is_ours
    assert (len(taken) > 4) == (not is_ours)


@difference("`repr` of a TooLong from the other end")
def test_too_long_without_a_value_is_shown(amp: Any, is_ours: bool) -> None:
    """In a log, for one."""
    error = amp.TooLong(True, False, None, None)
    if is_ours:
        assert repr(error) == "remote key too long: unknown"
    else:
        with pytest.raises(TypeError):
            repr(error)


def is_open(descriptor: int) -> bool:
    """Whether a descriptor is open; if it is, close it."""
    try:
        os.close(descriptor)
    except OSError:
        return False
    return True


@difference("descriptors that nobody took")
@difference("descriptors of a box that cannot be read")
async def test_descriptors_are_closed_with_the_connection(amp: Any, is_ours: bool, link: Any) -> None:
    """Also those of a box of which another argument was wrong. Those that were taken stay open."""
    fields = [(b"fd", amp.Descriptor()), (b"n", amp.Integer())]
    command: Any = type("Take", (amp.Command,), {"arguments": fields})
    await link(end := amp.AMP(), amp.AMP())
    numbers = [os.dup(0) for _ in range(3)]
    for each in numbers:
        end.fileDescriptorReceived(each)
    assert command.parseArguments({b"fd": b"0", b"n": b"1"}, end) == {"fd": numbers[0], "n": 1}
    with pytest.raises(ValueError, match="invalid literal"):
        command.parseArguments({b"fd": b"1", b"n": b"x"}, end)
    end.transport.loseConnection()
    await until(lambda: end.transport is None)
    assert [is_open(each) for each in numbers] == [True, not is_ours, not is_ours]


@difference("too many descriptors")
def test_there_is_a_limit_to_descriptors(amp: Any, is_ours: bool) -> None:
    """Who sends more without a box that means them is dropped."""
    protocol, _, wire = receiving(amp.BinaryBoxProtocol)
    for each in range(256):
        protocol.fileDescriptorReceived(each + 10_000)
    assert wire.closed == 0
    protocol.fileDescriptorReceived(10_256)
    assert wire.closed == (1 if is_ours else 0)


@difference("descriptors behind a switch")
def test_descriptors_behind_a_switch_are_the_inner_protocol_s(amp: Any, is_ours: bool) -> None:
    """If it receives descriptors; if not they are kept."""

    class Inner(Receiver):
        def makeConnection(self, transport: Any) -> None:
            """Begin."""

    @implementer(IFileDescriptorReceiver)
    class Receiving(Inner):
        def fileDescriptorReceived(self, descriptor: int) -> None:
            self.seen.append(descriptor)

    for inner in (Receiving(), Inner()):
        protocol, _, _ = receiving(amp.BinaryBoxProtocol)
        protocol._switchTo(inner)
        protocol.fileDescriptorReceived(10_000)
        given = is_ours and isinstance(inner, Receiving)
        assert (inner.seen, protocol._descriptors) == (([10_000], {}) if given else ([], {0: 10_000}))


@difference("a moment within a minute of 24 hours west")
def test_an_offset_that_cannot_be_read_is_not_sent(amp: Any, is_ours: bool) -> None:
    """In whole minutes it would be a whole day."""
    moment = datetime(2012, 1, 2, tzinfo=timezone(timedelta(seconds=-86_370)))
    if is_ours:
        with pytest.raises(ValueError, match="offset"):
            amp.DateTime().toString(moment)
    else:
        assert amp.DateTime().toString(moment).endswith(b"-24:00")
