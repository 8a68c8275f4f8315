"""The page of the docs that the benchmark writes into."""

from __future__ import annotations

import pytest

from bench.page import BEGIN, END, PAGE, PICTURE, drawn, with_results
from tests.bench.samples import question, result


def test_only_what_is_between_the_marks_is_replaced() -> None:
    """Twice the same is the same."""
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_results(text, "new")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_results(once, "new") == once


@pytest.mark.parametrize("text", ["", BEGIN, END])
def test_a_page_without_marks_is_an_error(text: str) -> None:
    """It is left as it is."""
    with pytest.raises(ValueError, match="measured"):
        with_results(text, "new")


def test_the_page_of_the_docs_has_the_marks_and_the_picture() -> None:
    """So that one command refreshes both."""
    text = PAGE.read_text("utf-8")
    assert with_results(text, "new") != text
    assert f"]({PICTURE.name})" in text
    assert PICTURE.exists()


def test_the_picture_has_what_is_clearer_than_its_table() -> None:
    """Curves; two subjects at one point are not."""
    pair, curve = result(question(), [1], [1]), result(question(points=(1, 10)), [1], [1], point=1)
    assert drawn([pair, curve]) == [curve]
