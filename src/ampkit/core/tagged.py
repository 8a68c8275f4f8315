"""How a tag stands before the pairs of a box; knows not whose tag it is."""

from __future__ import annotations

from typing import Protocol, TypeAlias


class LatePairs(Protocol):
    """Pairs that become bytes in the moment in which their box is queued, because they depend on its place."""

    def __len__(self) -> int: ...
    def __add__(self, more: bytes, /) -> LatePairs: ...
    def __bytes__(self) -> bytes: ...


Pairs: TypeAlias = bytes | LatePairs
"""The keys and values of a box beside AMP's own."""


def ask_box(tag: bytes, pairs: Pairs) -> bytes:
    """Return the bytes of an ask: `pairs` has `_command` and the arguments; a tag of ours is below 256 bytes."""
    return b"\0\4_ask\0%c%b%b\0\0" % (len(tag), tag, pairs)  # type: ignore[str-format]  # what has __bytes__


def answer_box(tag: bytes, pairs: Pairs) -> bytes:
    """Return the bytes of an answer: `tag` is of the other end, 0 to 65,535 bytes."""
    size = len(tag)
    return b"\0\7_answer%c%c%b%b\0\0" % (size >> 8, size & 255, tag, pairs)  # type: ignore[str-format]  # the same


def is_reply(box: bytes) -> bool:
    """Say whether an encoded box of this end's answers or refuses, and does not ask or tell."""
    return box.startswith((b"\0\7_answer", b"\0\6_error"))
