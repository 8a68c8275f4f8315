"""What a question of the benchmark consists of, and what of its answers is compared; takes no measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from bench.job import Sample
from bench.subjects import Subject

Cell: TypeAlias = tuple[str, int]
"""The name of a subject, and a point of its curve; 0 where a question has no curve."""


class Kind(Enum):
    """How two costs are compared, and which side of a goal is the good one."""

    CHEAPER = "x"
    """How many times cheaper than `against`; at least as many as the goal."""
    DEARER = "x the cost"
    """How many times the cost of `against`; at most as many as the goal."""
    MORE = " more"
    """How much more than `against`; at most as much as the goal."""

    def value_of(self, cost: float, against: float) -> float:
        """The figure that the goal is about."""
        match self:
            case Kind.CHEAPER:
                return against / cost
            case Kind.DEARER:
                return cost / against
            case Kind.MORE:
                return cost - against

    def is_met(self, value: float, goal: float) -> bool:
        """Whether the goal is reached."""
        return value >= goal if self is Kind.CHEAPER else value <= goal


@dataclass(frozen=True, slots=True)
class Comparison:
    """The cost of one cell beside another, with a goal or without."""

    of: Cell
    against: Cell
    goal: float | None = None
    kind: Kind = Kind.CHEAPER


@dataclass(frozen=True, slots=True)
class Question:
    """`measure(subject, count, point)` takes one sample of so many operations.

    They are a share of the question's `count`, by the effort, times the subject's pace. `shows` are the figures of a
    sample that are worth a column, `unit` is that of the costs.
    """

    name: str
    title: str
    subjects: tuple[Subject, ...]
    count: int
    measure: Callable[[Subject, int, int], Sample]
    comparisons: tuple[Comparison, ...] = ()
    shows: tuple[str, ...] = ("cost",)
    unit: str = "us"
    points: tuple[int, ...] = (0,)
    axis: str = ""
    """What the points count, if there are several."""
    needs: str = ""
    """A program without which the question cannot be asked."""

    @property
    def is_curve(self) -> bool:
        """Whether it is asked at several points."""
        return len(self.points) > 1


def against_twisted(base: Subject, goals: dict[Subject, float | None]) -> tuple[Comparison, ...]:
    """Each of these beside the base, which has a cost of its own."""
    return tuple(Comparison((subject.name, 0), (base.name, 0), goal) for subject, goal in goals.items())
