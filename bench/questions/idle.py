"""What does a connection cost that says nothing: in memory, and to the calls of another one?"""

from bench.children import both_ends, printed_by
from bench.job import Job, Sample
from bench.question import Comparison, Kind, Question
from bench.questions.outstanding import POINTS, SUBJECTS
from bench.subjects import FAST, PURE, RAW, Subject

CONNECTIONS = 1_000


def among_idle(subject: Subject, count: int, idle: int) -> Sample:
    """64 calls outstanding on one connection to a server that has so many others."""
    return both_ends(subject, Job(count=count // 64 * 64, outstanding=64, idle=idle))


def memory(subject: Subject, _: int, __: int) -> Sample:
    """Bytes that a server's process has for each of many connections over TCP, on the standard loop."""
    library = "bare" if subject is RAW else "ampkit"
    return printed_by(subject, "bench.ends.idle", library, str(CONNECTIONS))


def _above_bare(subject: Subject) -> Comparison:
    return Comparison((subject.name, 0), (RAW.name, 0), 1_500, Kind.MORE)


QUESTIONS = [
    Question(
        "idle",
        "Sum, 64 outstanding, beside idle connections",
        SUBJECTS,
        8_000,
        among_idle,
        shows=("cost", "resident"),
        points=POINTS,
        axis="idle connections",
    ),
    Question(
        "memory",
        "memory of an idle connection",
        (RAW, PURE, FAST),
        1,
        memory,
        (_above_bare(PURE), _above_bare(FAST)),
        ("cost", "grown"),
        "bytes",
    ),
]
