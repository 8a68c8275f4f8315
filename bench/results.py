"""Measured figures as medians, a ratio, a table and JSON; takes no measurement."""

import os
import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from statistics import median
from typing import Any

from bench.question import OPERATIONS, Question


@dataclass(slots=True)
class Result:
    """The CPU microseconds an operation of each round, for each library."""

    question: Question
    microseconds: dict[str, list[float]] = field(default_factory=lambda: {library: [] for library in OPERATIONS})

    def median(self, library: str) -> float:
        """The middle of the rounds."""
        return median(self.microseconds[library])

    @property
    def ratio(self) -> float:
        """How many times cheaper ampkit is, median to median."""
        return self.median("twisted") / self.median("ampkit")

    @property
    def ratios(self) -> list[float]:
        """The same for each round, whose two measurements stood side by side, in ascending order."""
        pairs = zip(self.microseconds["twisted"], self.microseconds["ampkit"], strict=True)
        return sorted(theirs / ours for theirs, ours in pairs)

    @property
    def missed(self) -> bool:
        """Whether there is a goal and the ratio is below it."""
        return self.question.goal is not None and self.ratio < self.question.goal

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return {
            "question": self.question.title,
            "microseconds": self.microseconds,
            "ratio": self.ratio,
            "goal": self.question.goal,
            "missed": self.missed,
        }

    def row(self) -> str:
        """One line of the table."""
        goal = self.question.goal
        verdict = "" if goal is None else f"{goal:g}x {'missed' if self.missed else 'met'}"
        lowest, *_, highest = self.ratios
        cells = [
            self.question.title,
            f"{self.median('twisted'):.2f}",
            f"{self.median('ampkit'):.2f}",
            f"{self.ratio:.1f}x",
            f"{lowest:.1f}-{highest:.1f}x",
            verdict,
        ]
        return f"| {' | '.join(cells)} |"


def conditions() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "command": " ".join(["python", "-m", "bench", *sys.argv[1:]]),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "twisted": version("twisted"),
        "ampkit": version("ampkit"),
    }


def table(facts: dict[str, Any], results: list[Result]) -> str:
    """A Markdown table with the conditions above it."""
    rounds = len(results[0].ratios)
    return "\n".join(
        [
            f"`{facts['command']}`: {facts['python']}, {facts['cores']} cores, {facts['system']}, "
            f"Twisted {facts['twisted']} (epoll reactor), "
            f"ampkit {facts['ampkit']} (pure Python, standard asyncio loop).",
            "",
            "CPU microseconds an operation, user and system (Sum: server and client together, over a unix socket); "
            f"medians of {rounds} interleaved rounds, each in fresh processes.",
            "",
            "| question | Twisted | ampkit | ratio | of a single round | goal |",
            "|---|---:|---:|---:|---:|---|",
            *(result.row() for result in results),
        ]
    )
