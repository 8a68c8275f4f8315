"""How a tag stands before the pairs of a box; knows not whose tag it is."""

from __future__ import annotations


def ask_box(tag: bytes, pairs: bytes) -> bytes:
    """Return the bytes of an ask: `pairs` has `_command` and the arguments; a tag of ours is below 256 bytes."""
    return b"\0\4_ask\0%c%b%b\0\0" % (len(tag), tag, pairs)


def answer_box(tag: bytes, pairs: bytes) -> bytes:
    """Return the bytes of an answer: `tag` is of the other end, 0 to 65,535 bytes."""
    size = len(tag)
    return b"\0\7_answer%c%c%b%b\0\0" % (size >> 8, size & 255, tag, pairs)


def is_reply(box: bytes) -> bool:
    """Say whether an encoded box of this end's answers or refuses, and does not ask or tell."""
    return box.startswith((b"\0\7_answer", b"\0\6_error"))
