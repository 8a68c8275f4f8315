"""What does a call cost both ends of a Twisted program, as it is and on the Twisted face? The program is the same."""

from bench.children import live
from bench.question import Question

ENDS = {"twisted": "twisted", "ampkit": "face"}


def measure_64(library: str, count: int) -> float:
    """Ask again in the callback of an answer, while 64 are outstanding."""
    return live(ENDS[library], "tasks", count, outstanding=64)


def measure_1(library: str, count: int) -> float:
    """Wait for each answer."""
    return live(ENDS[library], "tasks", count, outstanding=1)


QUESTIONS = [
    Question("Twisted face: Sum, 64 outstanding", 6, 25_600, 6_400, measure_64),
    Question("Twisted face: Sum, 1 outstanding", 1.33, 6_000, 1_500, measure_1),
]
