"""What does it cost to get from bytes to boxes, from bytes to values, and from values to bytes?"""

from functools import partial

from bench.children import printed_by
from bench.job import Sample
from bench.question import Question, against_twisted
from bench.subjects import FAST, PURE, TWISTED, Subject


def codec(module: str, subject: Subject, count: int, _: int) -> Sample:
    """One process that does nothing else."""
    library = "twisted" if subject is TWISTED else "ampkit"
    return printed_by(subject, "bench.codec", module, library, str(count))


def _question(module: str, title: str, pure: float | None, compiled: float | None) -> Question:
    goals = against_twisted(TWISTED, {PURE: pure, FAST: compiled})
    return Question(module, title, (TWISTED, PURE, FAST), 40_000, partial(codec, module), goals, unit="box")


QUESTIONS = [
    _question("box_parse", "box parse, Sum", 5.5, 30),
    _question("box_parse_5_keys", "box parse, 5 keys", 5.5, 30),
    _question("typed_parse", "typed parse, Sum answer", 9, 100),
    _question("typed_build", "typed build, Sum ask", 12, 50),
    _question("list_parse", "AmpList to its items", None, None),
    _question("list_build", "items to an AmpList", None, None),
]
