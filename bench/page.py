"""Puts results between the marks of docs/performance.md, and the picture beside it; knows nothing else of the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.picture import picture
from bench.results import Result

BEGIN, END = "<!-- measured: begin, written by the benchmark -->", "<!-- measured: end -->"
PAGE = Path(__file__).parents[1] / "docs/performance.md"
MANY = 5
PICTURE = PAGE.with_suffix(".svg")


def with_results(text: str, results: str) -> str:
    """The text of the page with these results instead of those between the marks.

    Raises ValueError if it has no such marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{results}\n\n{END}{after}"


def drawn(results: Sequence[Result]) -> list[Result]:
    """Those that say more in a picture than in a table: many subjects, or a curve."""
    return [each for each in results if each.question.is_curve or len(each.samples) > MANY]


def write_page(text: str, results: Sequence[Result]) -> None:
    """Write both files."""
    PAGE.write_text(with_results(PAGE.read_text("utf-8"), text), "utf-8")
    PICTURE.write_text(picture(drawn(results)), "utf-8")
