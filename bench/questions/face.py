"""What does a call cost both ends of a Twisted program, as it is and on the Twisted face? The program is the same."""

from bench.question import Question, against_twisted
from bench.questions.sums import sum_1, sum_64
from bench.subjects import FACE, FAST_FACE, TWISTED

SUBJECTS = (TWISTED, FACE, FAST_FACE)
SHOWS = ("cost", "server", "rate", "p50", "p99")

QUESTIONS = [
    Question(
        "face_64",
        "Twisted face: Sum, 64 outstanding",
        SUBJECTS,
        12_800,
        sum_64,
        against_twisted(TWISTED, {FACE: 6, FAST_FACE: 12}),
        SHOWS,
    ),
    Question(
        "face_1",
        "Twisted face: Sum, 1 outstanding",
        SUBJECTS,
        2_000,
        sum_1,
        against_twisted(TWISTED, {FACE: 1.33, FAST_FACE: 1.7}),
        SHOWS,
    ),
]
