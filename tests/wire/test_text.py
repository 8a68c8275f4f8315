"""Boxes as text and back: nothing is lost, and nothing that the other end sends reaches a terminal raw."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.testing.strategies import keys
from ampkit.wire.box import Box
from ampkit.wire.text import from_text, printable, to_text

BOXES = st.dictionaries(keys(), st.binary(max_size=64), min_size=1, max_size=5)

NASTY = [
    "\x1b[31mred",
    "\r\nfake: line",
    "\x9b0m\x85\x80",
    "\u202egnp.exe\u2066\u2069",
    "a\u200bb\u200d\ufeff\u2060c",
    "\u2028\u2029",
    "\u115f\u1160\u3164\uffa0\u034f\ufe0f\u180b\U000e0101",
    "\\x41\\\\",
    " \t \xa0",
]
"""Escape sequences, line ends, C1, bidi and zero-width characters, invisible letters, escapes, spaces."""


def test_a_box_is_a_line_a_key() -> None:
    """The form of the module's docstring, and an empty line behind it."""
    box = {b"_ask": b"1", b"_command": b"Sum", b"a": b"13", b"empty": b"", b"name": "Zoë".encode()}
    assert to_text(box) == "_ask: 1\n_command: Sum\na: 13\nempty:\nname: Zoë\n\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", ""),
        (b"plain text: 100 %", "plain text: 100 %"),
        ("Zoë 日本 🎉".encode(), "Zoë 日本 🎉"),
        (b"\0\n\x1b[0m\x7f", "\\x00\\x0a\\x1b[0m\\x7f"),
        ("\x85\u200b\u202e".encode(), "\\xc2\\x85\\xe2\\x80\\x8b\\xe2\\x80\\xae"),
        ("\u3164\ufe0f".encode(), "\\xe3\\x85\\xa4\\xef\\xb8\\x8f"),
        (b"\xff\xc3", "\\xff\\xc3"),
        (b"\\x41", "\\\\x41"),
    ],
)
def test_what_can_be_seen_stands_as_it_is(value: bytes, text: str) -> None:
    """Every other byte is an escape; a backslash is two."""
    assert printable(value) == text


def test_a_long_value_is_shortened() -> None:
    """To as many bytes as wanted, 120 unless told, and with its length; also in the middle of a character."""
    assert printable(b"x" * 120) == "x" * 120
    assert printable(b"x" * 121) == "x" * 120 + "\\... (121 bytes)"
    assert printable(b"x" * 121, None) == "x" * 121
    assert printable("aäb".encode(), 2) == "a\\xc3\\... (4 bytes)"
    assert printable(b"ab", 0) == "\\... (2 bytes)"
    assert to_text({b"k" * 130: b"v" * 130}, 3) == "k" * 130 + ": vvv\\... (130 bytes)\n\n"
    assert to_text({b"k": b"v" * 130}) == "k: " + "v" * 120 + "\\... (130 bytes)\n\n"


def test_what_a_reader_would_not_see_or_take_for_a_separator_is_escaped() -> None:
    """Spaces at either end of a key or value, and colons in a key."""
    box = {b" a:b ": b" c:d ", b"  ": b"  ", b"x": b" "}
    assert to_text(box) == "\\x20a\\x3ab\\x20: \\x20c:d\\x20\n\\x20\\x20: \\x20\\x20\nx: \\x20\n\n"
    assert from_text(to_text(box)) == [box]


@given(BOXES)
def test_what_was_written_can_be_read(box: Box) -> None:
    """from_text(to_text(box, None)) == [box], the order of the keys too."""
    (again,) = from_text(to_text(box, None))
    assert list(again.items()) == list(box.items())


@given(st.text(), st.sampled_from(NASTY), st.text())
def test_nasty_text_can_be_read_back_too(before: str, nasty: str, behind: str) -> None:
    """As key and as value."""
    value = (before + nasty + behind).encode("utf-8", "surrogatepass")
    box = {value[:255]: value, b"last": b""}
    text = to_text(box, None)
    assert text.replace("\n", "").isprintable()
    assert text.count("\n") == 3
    assert from_text(text) == [box]


@given(st.lists(BOXES, max_size=3))
def test_several_boxes_stand_one_behind_the_other(sent: list[Box]) -> None:
    """The text of a stream is the texts of its boxes."""
    assert from_text("".join(to_text(box, None) for box in sent)) == sent


@given(st.binary(max_size=200), st.none() | st.integers(0, 100))
def test_any_bytes_become_printable_characters(value: bytes, shown: int | None) -> None:
    """On one line, and not many more than were asked for."""
    text = printable(value, shown)
    assert text.isprintable()
    assert len(text) <= 4 * len(value[:shown]) + 20


def test_no_character_that_moves_hides_or_reorders_gets_through() -> None:
    """No control, format, separator, private or unassigned character of Unicode does, and no invisible letter."""
    allowed = {
        c
        for c in map(chr, [*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000), sys.maxunicode])
        if printable(c.encode(), None) == c
    }
    assert {unicodedata.category(c) for c in allowed}.isdisjoint({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
    assert {c for c in allowed if unicodedata.category(c) == "Zs"} == {" "}
    assert "\\" not in allowed
    invisible = "".join(map(chr, [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, 0xFFA0]))
    selectors = "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
    assert allowed.isdisjoint(invisible + selectors)
    assert set("aé日א٣😀̈") <= allowed


def test_text_may_be_written_by_hand() -> None:
    """Blank lines part boxes, spaces around keys and values are free, and so is the case of an escape's digits."""
    text = "\n\n  a :  13 \r\nb:x\\xFf\\xfF\n   \n\nc: é: \\\\\n"
    assert from_text(text) == [{b"a": b"13", b"b": b"x\xff\xff"}, {b"c": b"\xc3\xa9: \\"}]
    assert from_text("") == []
    assert from_text("last: line") == [{b"last": b"line"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no colon", "expected `key: value`"),
        (": value", "expected `key: value`"),
        ("  : value", "expected `key: value`"),
        ("a: again", "the box has the key a already"),
        ("k: \\", "a backslash stands only before another one, or before x and two hexadecimal digits"),
        ("k: \\n", "a backslash stands only before another one, or before x and two hexadecimal digits"),
        ("k: \\x4", "a backslash stands only before another one, or before x and two hexadecimal digits"),
        ("k\\xg0: v", "a backslash stands only before another one, or before x and two hexadecimal digits"),
        ("k: v\\... (130 bytes)", "this value was shortened when it was printed and cannot be read back"),
        ("k: \udc80", "'utf-8' codec can't encode character '\\udc80' in position 0: surrogates not allowed"),
        ("k: \ud83d\\\\", "'utf-8' codec can't encode character '\\ud83d' in position 0: surrogates not allowed"),
    ],
)
def test_a_line_that_is_none_is_an_error_with_its_number(line: str, reason: str) -> None:
    """A ValueError says which line, and what was expected."""
    with pytest.raises(ValueError, match=r"^line 4: ") as caught:
        from_text(f"a: 1\n\na: 2\n{line}\nb: 3\n")
    assert type(caught.value) is ValueError
    assert str(caught.value) == f"line 4: {reason}"
