"""Asks a question in interleaved rounds: whatever the machine does meanwhile hits everybody; knows no library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.machine import SPARE_FILES
from bench.question import Question
from bench.results import Result
from bench.subjects import OTHERS, TWISTED_ASYNCIO, Subject


@dataclass(frozen=True, slots=True)
class Effort:
    """How long it may take."""

    rounds: int
    share: float
    """Of a question's `count`: so many operations of a subject of pace 1 are measured in a round."""
    points: range
    """Of the curves, those within."""
    skips: frozenset[str] = frozenset()
    """Names of questions and subjects that are left out unless they are asked for by name."""
    only_goals: frozenset[str] = frozenset()
    """Names of questions of which those who have no goal are left out, unless they are asked for by name."""

    def includes(self, question: Question, subject: Subject) -> bool:
        """Whether a subject is asked that nobody asks for by name."""
        if subject.name in self.skips:
            return False
        has_goal = any(c.of[0] == subject.name and c.goal is not None for c in question.comparisons)
        return has_goal or question.name not in self.only_goals


OTHERS_BY_NAME = frozenset(subject.name for subject in OTHERS)
CURVES = frozenset({"connections", "idle"})
VARIANTS = frozenset({"sum_64_many", "box_parse_5_keys", "list_parse", "list_build"})

QUICK = Effort(rounds=5, share=0.1, points=range(100, 1_001), skips=OTHERS_BY_NAME | CURVES | VARIANTS)
SHORT = Effort(
    rounds=5,
    share=0.06,
    points=range(100, 10_001),
    skips=CURVES | VARIANTS | {TWISTED_ASYNCIO.name},
    only_goals=frozenset({"sum_1", "echo_1k", "echo_32k", "capacity_plain", "capacity_coroutine", "outstanding"}),
)
FULL = Effort(rounds=5, share=0.6, points=range(10_001))


def points_of(question: Question, effort: Effort, most_files: int) -> list[int]:
    """The points at which a question is asked: those that the effort is for, and for which a process gets the files."""
    if not question.is_curve:
        return [*question.points]
    return [point for point in question.points if point in effort.points and point + SPARE_FILES <= most_files]


def ask(question: Question, effort: Effort, most_files: int, say: Callable[[str], None]) -> Result:
    """Measure everybody who is here in turn, round by round, and say before each sample which it is.

    Raises what `bench.children` raises.
    """
    subjects = [subject for subject in question.subjects if not subject.lacks()]
    points = points_of(question, effort, most_files)
    result = Result(question)
    for number in range(effort.rounds):
        for point in points:
            for subject in subjects:
                at = f", {point:,} {question.axis}" if question.is_curve else ""
                say(f"{question.title}{at}: {subject.name}, round {number + 1} of {effort.rounds}")
                count = max(1, int(question.count * effort.share * subject.pace))
                result.add((subject.name, point), question.measure(subject, count, point))
    return result
