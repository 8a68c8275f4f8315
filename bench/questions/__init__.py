"""All questions of the benchmark, in the order of asking."""

from bench.question import Question
from bench.questions import capacity, codec, echo, face, idle, outstanding, sums

QUESTIONS: list[Question] = [
    question for module in (sums, echo, capacity, face, codec, outstanding, idle) for question in module.QUESTIONS
]
