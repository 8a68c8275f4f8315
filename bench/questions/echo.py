"""What does it cost to send bytes there and back, 64 calls outstanding?"""

from functools import partial

from bench.children import both_ends
from bench.job import Job, Sample
from bench.question import Question, against_twisted
from bench.subjects import AMPKIT, FAST, FAST_UVLOOP, PURE, PURE_UVLOOP, TWISTED, Subject


def echo(size: int, subject: Subject, count: int, _: int) -> Sample:
    """One argument of so many bytes, and a result as long."""
    return both_ends(subject, Job(count=count // 64 * 64, outstanding=64, size=size))


def _question(kib: int, count: int, goal: float) -> Question:
    return Question(
        f"echo_{kib}k",
        f"echo of {kib} KiB, 64 outstanding",
        (TWISTED, *AMPKIT),
        count,
        partial(echo, kib * 1024),
        against_twisted(TWISTED, {PURE: None, PURE_UVLOOP: None, FAST: None, FAST_UVLOOP: goal}),
        ("cost", "server", "rate"),
    )


QUESTIONS = [_question(1, 6_400, 12), _question(32, 1_600, 4)]
