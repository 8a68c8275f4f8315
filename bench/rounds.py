"""Asks a question in interleaved rounds: whatever the machine does meanwhile hits everybody; knows no library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.machine import SPARE_FILES
from bench.question import Question
from bench.results import Result


@dataclass(frozen=True, slots=True)
class Effort:
    """How long it may take."""

    rounds: int
    share: float
    """Of the number of operations of the full benchmark."""
    last_point: int
    """Of the curves; further ones are left out."""


QUICK = Effort(rounds=5, share=0.08, last_point=100)
SHORT = Effort(rounds=5, share=0.15, last_point=1_000)
FULL = Effort(rounds=7, share=1, last_point=10_000)


def ask(question: Question, effort: Effort, most_files: int, say: Callable[[str], None]) -> Result:
    """Measure everybody who is here in turn, round by round, and say before each sample which it is.

    Points for which a process would need more than `most_files` are left out. Raises what `bench.children` raises.
    """
    subjects = [subject for subject in question.subjects if not subject.lacks()]
    points = [point for point in question.points if point <= effort.last_point and point + SPARE_FILES <= most_files]
    result = Result(question)
    for number in range(effort.rounds):
        for point in points:
            for subject in subjects:
                at = f", {point:,} {question.axis}" if question.is_curve else ""
                say(f"{question.title}{at}: {subject.name}, round {number + 1} of {effort.rounds}")
                count = max(1, int(question.count * effort.share * subject.pace))
                result.add((subject.name, point), question.measure(subject, count, point))
    return result
