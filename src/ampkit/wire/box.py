"""What a box is, and how one becomes bytes; cannot read bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from ampkit.errors import LocalProtocolError
from ampkit.wire.limits import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from ampkit.wire.text import printable

Box: TypeAlias = dict[bytes, bytes]
"""One AMP message: keys of 1 to 255 bytes, values of 0 to 65,535 bytes."""

END: Final = b"\0\0"
"""AMP: where the next key's length should be, two zero bytes end the box."""


def encode_box(box: Mapping[bytes, bytes]) -> bytes:
    """Return the wire form of one box, keys sorted so that equal boxes are equal bytes.

    Raises LocalProtocolError for an empty box, a key that is not 1 to 255 bytes, a value above 65,535 bytes,
    and keys or values that are not bytes.
    """
    if not box:
        raise LocalProtocolError("a box needs at least one key: two zero bytes alone are not a message")
    return encode_pairs(box) + END


def encode_pairs(pairs: Mapping[bytes, bytes]) -> bytes:
    """Return a box's keys and values without the end of the box, so that others can be put beside them.

    Raises as `encode_box` does, but may be empty.
    """
    try:
        keys = sorted(pairs)
    except TypeError:
        raise LocalProtocolError("the keys of a box must all be bytes") from None
    return b"".join([encode_pair(key, pairs[key]) for key in keys])


def encode_pair(key: bytes, value: bytes) -> bytes:
    """Return `<2-byte length><key><2-byte length><value>`. Raises LocalProtocolError as `encode_box` does."""
    check_key(key)
    if not isinstance(value, bytes):
        raise LocalProtocolError(f"value of key {printable(key)} must be bytes, not {type(value).__name__}")
    size = len(value)
    if size > MAX_VALUE_LENGTH:
        raise too_long(key, size)
    return b"\0%c%b%c%c%b" % (len(key), key, size >> 8, size & 255, value)


def check_key(key: bytes) -> None:
    """Raise LocalProtocolError unless the key is 1 to 255 bytes."""
    if not isinstance(key, bytes):
        raise LocalProtocolError(f"a key must be bytes, not {type(key).__name__}")
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise LocalProtocolError(
            f"key {printable(key)} is {len(key)} bytes long; AMP keys are 1 to {MAX_KEY_LENGTH} bytes"
        )


def too_long(key: bytes, size: int) -> LocalProtocolError:
    """Say that a value of `size` bytes does not fit; for the caller to raise."""
    return LocalProtocolError(
        f"value of key {printable(key)} is {size} bytes long; AMP values are at most {MAX_VALUE_LENGTH} bytes"
    )
