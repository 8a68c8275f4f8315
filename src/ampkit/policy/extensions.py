"""What ampkit says beside AMP, in forms that every AMP peer ignores or refuses; sends nothing itself.

An extension is a key in an ask that begins with an underscore, which other implementations do not look at, or a
command whose name does, sent as an ask, which they answer with UNHANDLED. So nothing has to be negotiated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ampkit.errors import RemoteProtocolError
from ampkit.wire.box import encode_pair, encode_pairs
from ampkit.wire.keys import COMMAND
from ampkit.wire.text import printable

TIMEOUT: Final = b"_timeout"
"""A key of an ask: the milliseconds from its arrival within which its caller can use an answer."""

CANCEL: Final = b"_cancel"
"""A command: nobody waits any more for the answer to the ask whose tag its argument `tag` is."""
PING: Final = b"_ping"
"""A command without arguments: any answer or refusal is a sign of life."""
DRAIN: Final = b"_drain"
"""A command without arguments: whoever sends it will close, and begins nothing that it is asked from now on."""

EXTENSIONS: Final = frozenset({CANCEL, PING, DRAIN})

LONGEST_TIMEOUT: Final = 1e9
"""Seconds: thirty years. A longer limit is none."""

_MOST_DIGITS: Final = 12
_TAG: Final = b"tag"


def timeout_pair(seconds: float) -> bytes:
    """Return the pair of an ask that has so many seconds; nothing if that is as good as no limit."""
    if seconds >= LONGEST_TIMEOUT:
        return b""
    return encode_pair(TIMEOUT, b"%d" % max(seconds * 1000, 0))


def read_timeout(box: Mapping[bytes, bytes]) -> float | None:
    """Return the seconds that an ask has; None if it does not say.

    Raises RemoteProtocolError if what it says is no number of at most 12 digits.
    """
    value = box.get(TIMEOUT)
    if value is None:
        return None
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise RemoteProtocolError(
            f"_timeout: expected milliseconds, at most {_MOST_DIGITS} digits, not {_shown(value)}"
        )
    return int(value) / 1000


def command_pairs(name: bytes) -> bytes:
    """Return the pairs of an extension command without arguments."""
    return encode_pair(COMMAND, name)


def cancel_pairs(tag: bytes) -> bytes:
    """Return the pairs of a `_cancel` for an ask of this end."""
    return encode_pairs({COMMAND: CANCEL, _TAG: tag})


def cancelled_tag(box: Mapping[bytes, bytes]) -> bytes | None:
    """Return the tag that a `_cancel` names, or None if it names none."""
    return box.get(_TAG)


def _shown(value: bytes) -> str:
    return repr(printable(value, 40))
