"""Medians, ratios and goals of the benchmark, on figures that are made up."""

from __future__ import annotations

import json

import pytest

from bench.question import Kind
from bench.results import Result
from bench.subjects import PURE, TWISTED
from tests.bench.samples import question, result, versus


def test_every_round_is_compared_with_its_own() -> None:
    """The ratio is the median of those of the rounds, which are in ascending order."""
    [compared] = result(question(versus(None)), [100, 120, 900], [10, 60, 20]).compared()
    assert compared.value == 10
    assert compared.of_rounds == [2, 10, 45]


@pytest.mark.parametrize(
    ("kind", "goal", "missed"),
    [
        (Kind.CHEAPER, 5, False),
        (Kind.CHEAPER, 5.1, True),
        (Kind.CHEAPER, None, False),
        (Kind.DEARER, 0.2, False),
        (Kind.DEARER, 0.19, True),
        (Kind.MORE, -80, False),
        (Kind.MORE, -81, True),
    ],
)
def test_a_goal_is_a_floor_for_what_is_saved_and_a_ceiling_for_what_is_spent(
    kind: Kind, goal: float | None, missed: bool
) -> None:
    """What just reaches it meets it; without a goal nothing is missed."""
    [compared] = result(question(versus(goal, kind)), [100], [20]).compared()
    assert compared.missed is missed


def test_a_goal_without_figures_is_unanswered() -> None:
    """It is not compared, and neither met nor missed."""
    empty = Result(question(versus(6)))
    empty.add((TWISTED.name, 0), {"cost": 1})
    assert empty.compared() == []
    assert empty.unanswered() == [versus(6)]
    assert result(question(versus(6)), [1], [1]).unanswered() == []


def test_json_has_every_round_and_can_be_read_back() -> None:
    """What is read back says the same again."""
    answer = result(question(versus(6)), [100, 120], [10, 60])
    data = json.loads(json.dumps(answer.as_json()))
    assert [cell["subject"] for cell in data["samples"]] == [TWISTED.name, PURE.name]
    assert [sample["cost"] for sample in data["samples"][1]["rounds"]] == [10, 60]
    assert Result(answer.question).take_json(data).as_json() == answer.as_json()
