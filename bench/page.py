"""Puts results between the marks of docs/performance.md, and the picture beside it; knows nothing else of the page."""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "<!-- measured: begin, written by the benchmark -->", "<!-- measured: end -->"
PAGE = Path(__file__).parents[1] / "docs/performance.md"
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


def write_page(results: str, picture: str) -> None:
    """Write both files."""
    PAGE.write_text(with_results(PAGE.read_text("utf-8"), results), "utf-8")
    PICTURE.write_text(picture, "utf-8")
