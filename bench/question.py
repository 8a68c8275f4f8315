"""What a question of the benchmark consists of; knows no library and takes no measurement."""

from collections.abc import Callable
from dataclasses import dataclass

OPERATIONS = {"twisted": 1, "ampkit": 4}
"""The libraries, in the order of measuring, and how many times `count` operations each does in a round: whichever is
faster does more, so that both are watched for about as long."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row: `measure(library, count)` returns the CPU seconds of `count` operations.

    `goal` is how many times cheaper than Twisted ampkit has to be; None sets no goal. `count` is for one round of
    Twisted, `quick_count` the same in a hurry.
    """

    title: str
    goal: float | None
    count: int
    quick_count: int
    measure: Callable[[str, int], float]
