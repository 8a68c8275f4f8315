"""Samples of the rounds as medians, ratios, spreads and verdicts; takes no measurement and prints nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.job import Sample
from bench.question import Cell, Comparison, Question


@dataclass(slots=True)
class Result:
    """What a question was answered: for each subject and point the sample of each round."""

    question: Question
    samples: dict[Cell, list[Sample]] = field(default_factory=dict[Cell, list[Sample]])

    def add(self, cell: Cell, sample: Sample) -> None:
        """Put the sample of one more round to the others."""
        self.samples.setdefault(cell, []).append(sample)

    def median(self, cell: Cell, figure: str = "cost") -> float:
        """The middle of the rounds."""
        return median(sample[figure] for sample in self.samples[cell])

    def compared(self) -> list[Compared]:
        """The comparisons of which both sides were measured."""
        return [
            Compared(self, comparison)
            for comparison in self.question.comparisons
            if comparison.of in self.samples and comparison.against in self.samples
        ]

    def unanswered(self) -> list[Comparison]:
        """Those with a goal that nobody was measured for."""
        return [
            comparison
            for comparison in self.question.comparisons
            if comparison.goal is not None and not {comparison.of, comparison.against} <= self.samples.keys()
        ]

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return {
            "question": self.question.name,
            "title": self.question.title,
            "unit": self.question.unit,
            "samples": [
                {"subject": subject, "point": point, "rounds": rounds}
                for (subject, point), rounds in self.samples.items()
            ],
            "compared": [compared.as_json() for compared in self.compared()],
        }

    def take_json(self, data: dict[str, Any]) -> Result:
        """Take the samples that `as_json` gave, and return itself."""
        for cell in data["samples"]:
            self.samples[cell["subject"], cell["point"]] = cell["rounds"]
        return self


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison whose two sides were measured."""

    result: Result
    comparison: Comparison

    @property
    def value(self) -> float:
        """The median of those of the rounds: what changes from round to round hits both sides of each."""
        return median(self.of_rounds)

    @property
    def of_rounds(self) -> list[float]:
        """The comparison of each round, whose measurements stood beside one another, in ascending order."""
        of, against = (self.result.samples[cell] for cell in (self.comparison.of, self.comparison.against))
        value_of = self.comparison.kind.value_of
        return sorted(value_of(ours["cost"], theirs["cost"]) for ours, theirs in zip(of, against, strict=True))

    @property
    def missed(self) -> bool:
        """Whether there is a goal and it is not reached."""
        goal = self.comparison.goal
        return goal is not None and not self.comparison.kind.is_met(self.value, goal)

    def as_json(self) -> dict[str, Any]:
        """The comparison and its outcome."""
        return {
            "of": self.comparison.of,
            "against": self.comparison.against,
            "kind": self.comparison.kind.name,
            "value": self.value,
            "of_rounds": self.of_rounds,
            "goal": self.comparison.goal,
            "missed": self.missed,
        }
