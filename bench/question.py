"""What a question of the benchmark consists of; knows no library and takes no measurement."""

from collections.abc import Callable
from dataclasses import dataclass

LIBRARIES = ("twisted", "ampkit")


@dataclass(frozen=True, slots=True)
class Question:
    """One row: `measure(library, count)` returns the CPU seconds of `count` operations.

    `goal` is how many times cheaper than Twisted ampkit has to be; None sets no goal.
    """

    title: str
    goal: float | None
    count: int
    quick_count: int
    measure: Callable[[str, int], float]
