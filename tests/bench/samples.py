"""Questions and results for the tests beside it, made up; nothing of them was measured."""

from __future__ import annotations

from bench.job import Sample
from bench.question import Comparison, Kind, Question
from bench.results import Result
from bench.subjects import PURE, TWISTED, Subject


def measure(_: Subject, count: int, point: int) -> Sample:
    """Return what was asked for as if it had been measured."""
    return {"cost": float(count), "rate": float(point)}


def question(*comparisons: Comparison, points: tuple[int, ...] = (0,), shows: tuple[str, ...] = ("cost",)) -> Question:
    """Make a question to Twisted and ampkit."""
    return Question(
        "sum", "Sum", (TWISTED, PURE), 100, measure, comparisons, shows, points=points, axis="calls outstanding"
    )


def versus(goal: float | None, kind: Kind = Kind.CHEAPER) -> Comparison:
    """Compare ampkit with Twisted."""
    return Comparison((PURE.name, 0), (TWISTED.name, 0), goal, kind)


def result(asked: Question, theirs: list[float], ours: list[float], point: int = 0) -> Result:
    """Answer a question with these costs, a round each."""
    answer = Result(asked)
    for name, costs in ((TWISTED.name, theirs), (PURE.name, ours)):
        for cost in costs:
            answer.add((name, point), {"cost": cost, "rate": 1e6 / cost})
    return answer
