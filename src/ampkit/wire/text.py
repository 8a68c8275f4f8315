r"""Boxes as text that is safe on any terminal, and that text as boxes again; knows nothing of streams.

One line a key, `key: value`, and an empty line behind each box:

    _ask: 1
    _command: Sum
    a: 13
    b: 81

UTF-8 that can be seen stands as it is; every other byte is `\xNN`, a backslash is `\\`, and so no byte of the other
end's can move the cursor, change a colour, fake a line or hide. A colon in a key and a space at either end of a key or
value are escaped too. A shortened value ends with `\... (65535 bytes)`, which cannot stand in a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ampkit.wire.box import Box

DEFAULT_SHOWN: Final = 120
"""Bytes of a value that `to_text` and `printable` show: what a terminal's line has room for."""

_ESCAPE: Final = re.compile(r"\\(?:(\\)|x([0-9a-fA-F]{2}))?")

_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Unicode: what is ignored when it is displayed, as far as `str.isprintable` lets it pass."""


def printable(value: bytes, shown: int | None = DEFAULT_SHOWN) -> str:
    """Return bytes as one line of printable characters, at most the first `shown` bytes of them (None: all)."""
    cut = value if shown is None or len(value) <= shown else value[:shown]
    text = cut.decode("utf-8", "surrogateescape").translate(_ESCAPES)
    return text if cut is value else f"{text}\\... ({len(value)} bytes)"


def to_text(box: Mapping[bytes, bytes], shown: int | None = DEFAULT_SHOWN) -> str:
    """Return a box as lines, the last one empty. With `shown=None` no value is shortened and `from_text` reads it."""
    lines = [f"{_key_text(key)}: {_outer_spaces(printable(value, shown))}".rstrip() for key, value in box.items()]
    return "\n".join([*lines, "", ""])


def from_text(text: str) -> list[Box]:
    """Return the boxes of a text that `to_text` wrote, or that was written by hand in its form.

    Raises ValueError, with the number of the line, for a line without a key and a colon, an escape that is none,
    a key that its box has already, a shortened value, and half a surrogate pair.
    """
    boxes: list[Box] = []
    box: Box = {}
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            _read_line(line, number, box)
        elif box:
            boxes.append(box)
            box = {}
    return boxes


class _Escapes(dict[int, str]):
    """What stands for each character, as `str.translate` wants it: made once for the commonest, else when asked for."""

    def __missing__(self, code: int) -> str:
        return _escape(chr(code))


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


_ESCAPES: Final = _Escapes({code: _escape(chr(code)) for code in [*range(256), *range(0xDC80, 0xDD00)]})


def _key_text(key: bytes) -> str:
    return _outer_spaces(printable(key, None).replace(":", "\\x3a"))


def _outer_spaces(text: str) -> str:
    """Escape a space at either end, which a reader would not see."""
    if text.startswith(" "):
        text = "\\x20" + text[1:]
    if text.endswith(" "):
        text = text[:-1] + "\\x20"
    return text


def _read_line(line: str, number: int, box: Box) -> None:
    key_text, colon, value_text = line.partition(":")
    try:
        if not colon or not key_text.strip():
            raise ValueError("expected `key: value`")
        key = _unescape(key_text.strip())
        if key in box:
            raise ValueError(f"the box has the key {_key_text(key)} already")
        box[key] = _unescape(value_text.strip())
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _unescape(text: str) -> bytes:
    text.encode()  # refuses half a surrogate pair, which from here on stands for a byte above 127
    return _ESCAPE.sub(_character, text).encode("utf-8", "surrogateescape")


def _character(escape: re.Match[str]) -> str:
    backslash, digits = escape.groups()
    if backslash:
        return "\\"
    if digits:
        return bytes.fromhex(digits).decode("ascii", "surrogateescape")
    if escape.string.startswith("... (", escape.end()):
        raise ValueError("this value was shortened when it was printed and cannot be read back")
    raise ValueError("a backslash stands only before another one, or before x and two hexadecimal digits")
