"""What does a small call cost both ends, with 64 outstanding and with one? Everybody is asked."""

from bench.children import both_ends
from bench.job import Job, Sample
from bench.question import Question, against_twisted
from bench.subjects import AMPKIT, EVERYBODY, FAST, FAST_UVLOOP, PURE, PURE_UVLOOP, TWISTED, Subject

SHOWS = ("cost", "server", "rate", "p50", "p99")


def sum_64(subject: Subject, count: int, _: int) -> Sample:
    """Each keeps its pipeline full in its own way: asyncio clients have 64 tasks that await one call after another."""
    return both_ends(subject, Job(count=count // 64 * 64, outstanding=64))


def sum_64_many(subject: Subject, count: int, _: int) -> Sample:
    """The same Twisted client; ampkit awaits 64 calls at once with `call_many`."""
    return both_ends(subject, Job(count=count // 64 * 64, outstanding=64, style="many"))


def sum_1(subject: Subject, count: int, _: int) -> Sample:
    """Each call waits for the answer of the last."""
    return both_ends(subject, Job(count=count))


QUESTIONS = [
    Question(
        "sum_64",
        "Sum, 64 outstanding",
        EVERYBODY,
        12_800,
        sum_64,
        against_twisted(TWISTED, {PURE: 6, PURE_UVLOOP: 9, FAST: None, FAST_UVLOOP: 20}),
        SHOWS,
    ),
    Question(
        "sum_64_many",
        "Sum, 64 outstanding, `call_many`",
        (TWISTED, *AMPKIT),
        12_800,
        sum_64_many,
        against_twisted(TWISTED, dict.fromkeys(AMPKIT)),
        SHOWS,
    ),
    Question(
        "sum_1",
        "Sum, 1 outstanding",
        EVERYBODY,
        2_000,
        sum_1,
        against_twisted(TWISTED, {PURE: None, PURE_UVLOOP: None, FAST: None, FAST_UVLOOP: 7}),
        SHOWS,
    ),
]
