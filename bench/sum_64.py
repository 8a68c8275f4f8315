"""What does a call cost both ends while 64 are outstanding? Each side keeps its pipeline full in its own best way."""

from bench.children import live
from bench.question import Question

OUTSTANDING = 64


def measure(library: str, count: int) -> float:
    """Twisted asks again in the callback of an answer; ampkit has 64 tasks that await one call after another."""
    return live(library, "tasks", count, OUTSTANDING)


def measure_many(library: str, count: int) -> float:
    """The same Twisted client; ampkit awaits 64 calls at once with `call_many`."""
    return live(library, "many", count, OUTSTANDING)


QUESTIONS = [
    Question("Sum, 64 outstanding", 5, 25_600, 6_400, measure),
    Question("Sum, 64 outstanding, `call_many`", None, 25_600, 6_400, measure_many),
]
