"""Boxes to bytes: the wire form byte for byte, and everything that does not fit in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ampkit.errors import LocalProtocolError
from ampkit.testing.strategies import boxes
from ampkit.wire.box import END, Box, check_key, encode_box, encode_pair, encode_pairs, too_long
from ampkit.wire.codec import parse_string


def test_the_wire_form_is_that_of_the_specification() -> None:
    """Each key and value has two length bytes before it, big end first; two zero bytes end the box."""
    box = {b"_ask": b"1", b"_command": b"Sum", b"a": b"13", b"b": b""}
    assert encode_box(box) == b"\0\4_ask\0\0011\0\x08_command\0\3Sum\0\1a\0\00213\0\1b\0\0\0\0"


def test_equal_boxes_are_equal_bytes() -> None:
    """Keys are sorted, in whatever order the box has them."""
    expected = b"\0\1a\0\0011\0\1b\0\0012\0\0"
    assert encode_box({b"b": b"2", b"a": b"1"}) == encode_box({b"a": b"1", b"b": b"2"}) == expected


@given(boxes())
def test_what_is_encoded_can_be_decoded(box: Box) -> None:
    """decode(encode(box)) == box."""
    assert parse_string(encode_box(box)) == [box]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_534, 65_535])
def test_values_have_up_to_65535_bytes(size: int) -> None:
    """The lengths at which a length byte changes, and both ends of the range."""
    assert encode_pair(b"k", b"v" * size) == b"\0\1k" + size.to_bytes(2, "big") + b"v" * size


@pytest.mark.parametrize("size", [1, 254, 255])
def test_keys_have_1_to_255_bytes(size: int) -> None:
    """Both ends of the range."""
    assert encode_pair(b"k" * size, b"") == b"\0" + bytes([size]) + b"k" * size + b"\0\0"


@pytest.mark.parametrize("encode", [encode_box, encode_pairs])
@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({b"": b"x"}, "key  is 0 bytes long; AMP keys are 1 to 255 bytes"),
        ({b"k" * 256: b""}, rf"key {'k' * 120}\\\.\.\. \(256 bytes\) is 256 bytes long; AMP keys are 1 to 255 bytes"),
        ({b"\x1b": b"x" * 65_536}, r"value of key \\x1b is 65536 bytes long; AMP values are at most 65535 bytes"),
        ({"text": b""}, "a key must be bytes, not str"),
        ({b"a": b"", "text": b""}, "the keys of a box must all be bytes"),
        ({b"a": "text"}, "value of key a must be bytes, not str"),
        ({b"a": bytearray(b"x")}, "value of key a must be bytes, not bytearray"),
        ({b"a": None}, "value of key a must be bytes, not NoneType"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_the_key(encode: Any, box: Any, message: str) -> None:
    """A LocalProtocolError says which key, what is wrong and what would be right, in printable characters."""
    with pytest.raises(LocalProtocolError, match=f"^{message}$") as caught:
        encode(box)
    assert str(caught.value).isprintable()
    assert caught.value.__cause__ is None


def test_an_empty_box_is_no_message() -> None:
    """Two zero bytes alone would be an error at the other end; pairs, though, may be none."""
    with pytest.raises(LocalProtocolError, match=r"^a box needs at least one key"):
        encode_box({})
    assert encode_pairs({}) == b""


def test_pairs_are_a_box_without_its_end() -> None:
    """Pairs of several boxes can be put together, and END ends them."""
    assert encode_pairs({b"a": b"1"}) + encode_pairs({b"b": b"2"}) + END == encode_box({b"a": b"1", b"b": b"2"})


def test_others_can_ask_whether_a_key_fits() -> None:
    """check_key returns for a good key, and raises for the others."""
    check_key(b"k" * 255)
    with pytest.raises(LocalProtocolError, match="256 bytes long"):
        check_key(b"k" * 256)


def test_others_can_say_that_a_value_is_too_long() -> None:
    """too_long makes the error that encode_pair raises, and leaves it to its caller to raise it."""
    with pytest.raises(LocalProtocolError) as caught:
        encode_pair(b"k", bytes(70_000))
    assert str(too_long(b"k", 70_000)) == str(caught.value)
