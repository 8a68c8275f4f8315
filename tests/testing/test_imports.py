"""What importing the testing tools loads, and what they export."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import ampkit.testing

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing.md"


def test_no_test_framework_is_loaded() -> None:
    """A program that uses `ampkit.testing` under another test framework needs neither pytest nor hypothesis."""
    code = "import sys, ampkit.testing; print(sorted({'pytest', 'hypothesis', 'twisted'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_export_is_documented() -> None:
    """Each name of `ampkit.testing` stands in the document, and each that is imported there exists."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in ampkit.testing.__all__ if f"`{name}" not in text] == []
    imported = re.findall(r"^from ampkit\.testing import (.+)$", text, re.MULTILINE)
    names = {name.strip() for line in imported for name in line.split(",")}
    assert names <= set(ampkit.testing.__all__)


def test_exports_are_sorted_and_there() -> None:
    """The list of exports is in order and true."""
    assert sorted(ampkit.testing.__all__) == ampkit.testing.__all__
    assert all(hasattr(ampkit.testing, name) for name in ampkit.testing.__all__)
