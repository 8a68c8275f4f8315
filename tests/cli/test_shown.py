"""Values as text for a terminal and as JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ampkit.cli.shown import json_line, value_text
from tests.cli.sample import Colour, Part, Total

MOMENT = datetime(2012, 1, 23, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text", "plain"),
    [
        (1, "1", 1),
        (True, "True", True),
        (None, "None", None),
        (1.5, "1.5", 1.5),
        (float("-inf"), "-inf", "-inf"),
        (float("nan"), "nan", "nan"),
        (Decimal("1.50"), "1.50", "1.50"),
        (MOMENT, "2012-01-23T12:34:56+00:00", "2012-01-23T12:34:56+00:00"),
        (Path("/a b"), "/a b", "/a b"),
        (Colour.RED, "red", "red"),
        ("naïve", "naïve", "naïve"),
        ("two\nlines\x1b[31m", r"two\x0alines\x1b[31m", "two\nlines\x1b[31m"),
        (b"two\nlines", r"two\x0alines", "two\nlines"),
        (b"\x1b[31m", r"\x1b[31m", {"base64": "G1szMW0="}),
        (b"\xff", r"\xff", {"base64": "/w=="}),
        ([1, "\x1b"], r'[1, "\\u001b"]', [1, "\x1b"]),
        (
            [Part(number=1)],
            '[{"number": 1, "remark": null, "sizes": []}]',
            [{"number": 1, "remark": None, "sizes": []}],
        ),
    ],
)
def test_each_type(value: Any, text: str, plain: Any) -> None:
    """Text is one printable line, and JSON is what JSON has for it."""
    assert value_text(value) == text
    line = json_line(value)
    assert json.loads(line) == plain
    assert line.isascii()


def test_a_response_and_a_box() -> None:
    """Both are one JSON object; a key that is no text is escaped."""
    assert json_line(Total(total=94)) == '{"total": 94}'
    assert json_line({b"a": b"1", b"\xff": b""}) == r'{"a": "1", "\\xff": ""}'


def test_a_path_that_is_no_text() -> None:
    """A file name of this machine may have bytes that are no UTF-8."""
    assert value_text(Path("/\udcff")) == r"/\xff"
