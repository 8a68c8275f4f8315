"""Lines of a stream that comes in pieces: whole, bounded and escaped."""

from __future__ import annotations

import pytest

from ampkit.asyncio.lines import LINE_SHOWN, Lines


def lines_of(*pieces: bytes) -> list[str]:
    """Return the lines of a stream that has come in these pieces and has ended."""
    lines: list[str] = []
    protocol = Lines(lines.append, lambda: lines.append("ended"))
    for piece in pieces:
        protocol.data_received(piece)
    protocol.connection_lost(None)
    assert lines.pop() == "ended"
    return lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"one", ["one"]),
        (b"one\n", ["one"]),
        (b"one\r\n\ntwo\r", ["one", "", "two\\x0d"]),
        (b"\x1b[2J\xff\n", ["\\x1b[2J\\xff"]),
        ("é\n".encode(), ["é"]),
    ],
)
def test_lines_are_the_same_however_they_are_cut(text: bytes, lines: list[str]) -> None:
    """In one piece, and byte by byte."""
    assert lines_of(text) == lines
    assert lines_of(*(bytes([byte]) for byte in text)) == lines


def test_a_line_without_an_end_is_not_kept() -> None:
    """A longer line is several, in whatever pieces it comes, and not held in memory."""
    text = b"x" * (2 * LINE_SHOWN + 5)
    expected = ["x" * LINE_SHOWN, "x" * LINE_SHOWN, "x" * 5]
    assert lines_of(text) == lines_of(text + b"\n") == lines_of(*(b"x" for _ in text)) == expected
