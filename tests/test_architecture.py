"""The map of the house is true: every path that the documents name exists, and the files keep to their size."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SOURCES = sorted(ROOT.glob("src/**/*.py"))
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_linked_path_exists(document: Path) -> None:
    """A link that is no web address leads to a file or folder of the repository."""
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


def test_the_map_names_every_room() -> None:
    """Each folder of the package has a line in ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = [path.parent.name for path in ROOT.glob("src/ampkit/*/__init__.py")]
    assert rooms
    assert [room for room in rooms if f"](src/ampkit/{room})" not in text] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(source: Path) -> None:
    """No file has more than 500 lines and no function more than 50."""
    text = source.read_text()
    assert text.count("\n") <= 500
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno > 50] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_line_says_what_the_file_is_about(source: Path) -> None:
    """Each file begins with a docstring of one sentence."""
    docstring = ast.get_docstring(ast.parse(source.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ";", ":"))
