"""What does a call cost both ends when the caller waits for each answer?"""

from bench.children import live
from bench.question import Question


def measure(library: str, count: int) -> float:
    """One call after another: Twisted in the callback of the last answer, ampkit in one task."""
    return live(library, "tasks", count, outstanding=1)


QUESTIONS = [Question("Sum, 1 outstanding", None, 6_000, 1_500, measure)]
