"""Which row of `docs/twisted-differences.md` a test is about; knows no row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[3]
Test = TypeVar("Test", bound=Callable[..., Any])

tested: set[str] = set()
"""The rows that tests have said they are about."""


def difference(row: str) -> Callable[[Test], Test]:
    """Say which row a test proves, by the row's first column."""
    tested.add(row)
    return lambda test: test


def documented() -> list[str]:
    """Return the first column of all rows."""
    lines = (ROOT / "docs" / "twisted-differences.md").read_text().splitlines()
    cells = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    return [cell for cell in cells if cell != "what"]
