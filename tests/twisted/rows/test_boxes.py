"""Boxes: dictionaries of bytes, their bytes, and how they send themselves."""

# mypy: allow-untyped-calls, allow-subclassing-any

from typing import Any

import pytest

from tests.twisted.rows.common import Wire, started

BOXES = ["AmpBox", "QuitBox"]


@pytest.mark.parametrize("name", BOXES)
def test_a_box_is_a_dictionary(name: str, amp: Any) -> None:
    """It is made as one; names that are text become bytes. It has no attributes."""
    cls = getattr(amp, name)
    assert cls({"a": b"1", b"b": b"2"}, c=b"3") == {b"a": b"1", b"b": b"2", b"c": b"3"}
    assert list(cls([("a", b"1"), (b"b", b"2")])) == [b"b", b"a"]
    assert cls() == {}
    with pytest.raises(AttributeError):
        cls().attribute = 1


def test_box_is_the_short_name(amp: Any) -> None:
    """One class, two names."""
    assert amp.Box is amp.AmpBox


def test_names_must_be_ascii_text_or_bytes(amp: Any) -> None:
    """Other text cannot be encoded, and what is no text has no `encode`."""
    with pytest.raises(UnicodeEncodeError):
        amp.AmpBox({"\xe9": b""})
    with pytest.raises(AttributeError):
        amp.AmpBox({1: b""})


def test_what_is_put_in_later_is_not_converted(amp: Any) -> None:
    """Neither by index nor by update."""
    box = amp.AmpBox()
    box["a"] = b"1"
    box.update(b=b"2")
    assert list(box) == ["a", "b"]


def test_a_copy_is_of_the_same_class(amp: Any) -> None:
    """And another object. A box that needs an argument to be made cannot be copied."""
    box = amp.QuitBox(a=b"1")
    assert box.copy() == box
    assert (type(box.copy()), box.copy() is box) == (amp.QuitBox, False)
    with pytest.raises(TypeError):
        amp._SwitchBox("inner").copy()


@pytest.mark.parametrize(
    ("box", "data"),
    [
        ({}, b"\0\0"),
        ({b"b": b"", b"a": b"1"}, b"\0\1a\0\0011\0\1b\0\0\0\0"),
        ({b"a": b"", b"B": b"", b"_": b"", b"aa": b""}, b"\0\1B\0\0\0\1_\0\0\0\1a\0\0\0\2aa\0\0\0\0"),
        ({b"k" * 255: b"v" * 65_535}, b"\0\xff" + b"k" * 255 + b"\xff\xff" + b"v" * 65_535 + b"\0\0"),
        ({b"k": bytearray(b"12"), b"l": memoryview(b"3")}, b"\0\1k\0\00212\0\1l\0\0013\0\0"),
    ],
    ids=["empty", "sorted", "by bytes", "longest", "buffers"],
)
def test_a_box_has_these_bytes(box: Any, data: bytes, amp: Any) -> None:
    """Length and string, key and value, sorted by key, and two zero bytes."""
    assert amp.AmpBox(box).serialize() == data


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("k", b"", "^Unicode key not allowed: 'k'$"),
        (b"k", "v", "^Unicode value for key b'k' not allowed: 'v'$"),
        (b"k", None, "len"),
        (b"k", 3, "len"),
        (b"k", [b"v"], "list"),
    ],
)
def test_only_bytes_are_sent(key: Any, value: Any, said: str, amp: Any) -> None:
    """Anything else is a TypeError."""
    box = amp.AmpBox()
    box[key] = value
    with pytest.raises(TypeError, match=said):
        box.serialize()


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ({b"k" * 256: b""}, (True, True, b"k" * 256, None)),
        ({b"k": b"v" * 65_536}, (False, True, b"v" * 65_536, b"k")),
        ({b"z" * 256: b"", b"a": b"v" * 65_536}, (False, True, b"v" * 65_536, b"a")),
    ],
    ids=["key", "value", "the first in the order of the wire"],
)
def test_what_is_too_long_is_not_sent(pairs: Any, expected: Any, amp: Any) -> None:
    """The exception says which it was, and holds it."""
    with pytest.raises(amp.TooLong) as raised:
        amp.AmpBox(pairs).serialize()
    error = raised.value
    assert (error.isKey, error.isLocal, error.value, error.keyName) == expected


def test_a_box_is_shown_as_what_it_is(amp: Any) -> None:
    """Each class in its own way."""
    assert repr(amp.AmpBox(a=b"1")) == "AmpBox({b'a': b'1'})"
    assert repr(amp.QuitBox(a=b"1")) == "QuitBox(**AmpBox({b'a': b'1'}))"
    assert repr(amp._SwitchBox("p", a=b"1")) == "_SwitchBox('p', **{b'a': b'1'})"


class Sender:
    """A box sender that keeps the order of what is asked of it."""

    def __init__(self) -> None:
        self.transport = Wire()
        self.done: list[Any] = self.transport.calls

    def sendBox(self, box: Any) -> None:
        """Take note."""
        self.done.append(type(box).__name__)

    def _lockForSwitch(self) -> None:
        self.done.append("lock")

    def _switchTo(self, inner: Any) -> None:
        self.done.append(inner)

    def _startTLS(self, *args: Any) -> None:
        self.done.append(args)

    hostCertificate = None


def test_boxes_send_themselves(amp: Any) -> None:
    """A QuitBox closes behind itself, a switch box locks and switches."""
    sender = Sender()
    amp.AmpBox()._sendTo(sender)
    amp.QuitBox()._sendTo(sender)
    box = amp._SwitchBox("inner", a=b"1")
    box._sendTo(sender)
    assert sender.done == ["AmpBox", "QuitBox", "loseConnection", "_SwitchBox", "lock", "inner"]
    assert box.innerProto == "inner"
    box.attribute = 1


def test_a_tls_box_keeps_its_secrets(amp: Any) -> None:
    """What it secures with does not go with it."""
    box = amp._TLSBox()
    assert isinstance(box.certificate, amp._NoCertificate)
    assert (box.certificate.client, box.verify) == (False, None)
    box.update({b"tls_localCertificate": "certificate", b"tls_verifyAuthorities": ["authority"], b"a": b"1"})
    assert (box.certificate, box.verify) == ("certificate", ["authority"])
    sender = Sender()
    box._sendTo(sender)
    assert sender.done == ["AmpBox", ("certificate", ["authority"])]
    assert len(box) == 3


def test_a_tls_box_without_secrets_on_the_wire(amp: Any) -> None:
    """Only the rest is written, and then the transport is secured."""
    end = amp.AMP()
    wire = started(end)
    box = amp._TLSBox()
    box.update({b"tls_localCertificate": amp._NoCertificate(True), b"a": b"1"})
    box._sendTo(end)
    assert wire.writes == [amp.Box(a=b"1").serialize()]
    assert len(wire.secured) == 1
