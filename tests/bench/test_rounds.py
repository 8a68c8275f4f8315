"""The order in which the benchmark asks, and whom; nobody is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.__main__ import choose
from bench.question import Question
from bench.rounds import CURVES, FULL, QUICK, SHORT, VARIANTS, Effort, ask, points_of
from bench.subjects import FAST_UVLOOP, PURE, TWISTED, Subject
from tests.bench.samples import question

ABSENT = Subject("nobody", "nobody_sum", needs=("no_such_module",))
MANY = 1_000_000


def test_subjects_take_turns_in_each_round() -> None:
    """Each does its pace's share of the operations; whoever lacks something is left out, without an error."""
    said: list[str] = []
    asked = replace(question(), subjects=(TWISTED, ABSENT, PURE))
    answer = ask(asked, Effort(rounds=2, share=0.5, points=range(1)), MANY, said.append)
    assert said == [f"Sum: {name}, round {number} of 2" for number in (1, 2) for name in (TWISTED.name, PURE.name)]
    assert answer.median((TWISTED.name, 0)) == 50
    assert answer.median((PURE.name, 0)) == 50 * PURE.pace
    assert ABSENT.lacks() == ["no_such_module"]


@pytest.mark.parametrize(
    ("effort", "files", "points"),
    [(FULL, MANY, [1, 100, 10_000]), (FULL, 10_000, [1, 100]), (SHORT, MANY, [100, 10_000]), (QUICK, 50, [])],
)
def test_a_curve_ends_where_the_effort_or_the_files_end(effort: Effort, files: int, points: list[int]) -> None:
    """A question that is no curve has its one point all the same."""
    assert points_of(question(points=(1, 100, 10_000)), effort, files) == points
    assert points_of(question(), effort, files) == [0]


def names(questions: list[Question]) -> dict[str, list[str]]:
    """The names of questions and of those who are asked."""
    return {each.name: [subject.name for subject in each.subjects] for each in questions}


def test_questions_and_subjects_can_be_named() -> None:
    """The first subject of a question is asked whatever is named: the others are compared with it."""
    assert names(choose(["sum_64", "grpc"], SHORT)) == {"sum_64": [TWISTED.name, "gRPC"]}
    assert list(names(choose(["grpc"], QUICK))) == ["sum_64", "sum_1"]
    assert list(names(choose(["connections", "box_parse"], QUICK))) == ["box_parse", "connections"]


def test_what_a_short_look_skips_has_to_be_named() -> None:
    """All of it is in the full benchmark."""
    everything = names(choose([], FULL))
    assert set(everything) - set(names(choose([], SHORT))) == CURVES | VARIANTS
    assert "gRPC" in everything["sum_64"]
    assert "gRPC" not in names(choose([], QUICK))["sum_64"]


def test_a_short_look_asks_of_some_questions_only_those_with_a_goal() -> None:
    """The first of a question is asked all the same, and whoever is named."""
    short = names(choose([], SHORT))
    assert "gRPC" in short["sum_64"]
    assert short["sum_1"] == [TWISTED.name, FAST_UVLOOP.name]
    assert short["outstanding"] == [PURE.name, FAST_UVLOOP.name]
    assert names(choose(["sum_1", "grpc"], SHORT)) == {"sum_1": [TWISTED.name, "gRPC"]}


def test_an_unknown_name_is_an_error() -> None:
    """It says which."""
    with pytest.raises(ValueError, match="sum_65"):
        choose(["sum_64", "sum_65"], SHORT)
