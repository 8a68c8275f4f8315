"""What does a call cost both ends when more and more are outstanding, on one connection or on one each?"""

from bench.children import both_ends
from bench.job import Job, Sample
from bench.question import Comparison, Kind, Question
from bench.subjects import FAST_UVLOOP, PURE, TWISTED, Subject

SUBJECTS = (PURE, FAST_UVLOOP, TWISTED)
POINTS = (1, 10, 100, 1_000, 10_000)

LEAST_ROUNDS = 10
"""So many calls one behind the other, at least: or to make so many tasks and connections would be what is measured."""


def on_one(subject: Subject, count: int, outstanding: int) -> Sample:
    """So many calls outstanding on one connection."""
    waits = max(1, 4 // outstanding)  # with one outstanding a call costs several times as much
    rounds = max(LEAST_ROUNDS, count // waits // outstanding)
    return both_ends(subject, Job(count=rounds * outstanding, outstanding=outstanding))


def on_each(subject: Subject, count: int, connections: int) -> Sample:
    """So many connections with one call outstanding each."""
    waits = max(1, 4 // connections)
    rounds = max(LEAST_ROUNDS, count // waits // connections)
    return both_ends(subject, Job(count=rounds * connections, connections=connections))


def _goals(subject: Subject) -> tuple[Comparison, ...]:
    at_100 = (subject.name, 100)
    return (
        Comparison((subject.name, 1_000), at_100, 1.2, Kind.DEARER),
        Comparison((subject.name, 10_000), at_100, 2, Kind.DEARER),
    )


QUESTIONS = [
    Question(
        "outstanding",
        "Sum, more and more outstanding",
        SUBJECTS,
        8_000,
        on_one,
        (*_goals(PURE), *_goals(FAST_UVLOOP)),
        points=POINTS,
        axis="calls outstanding",
    ),
    Question(
        "connections",
        "Sum, one outstanding on each of more and more connections",
        SUBJECTS,
        8_000,
        on_each,
        points=POINTS,
        axis="connections",
    ),
]
