"""Runs the benchmark: `python -m bench [--quick] [--json] [--check]`; asks all questions and knows none."""

import argparse
import json
import subprocess
import sys

from bench import box_parse, box_parse_5_keys, sum_1, sum_64, twisted_face, typed_build, typed_parse
from bench.question import OPERATIONS, Question
from bench.results import Result, conditions, table

MODULES = [sum_64, sum_1, twisted_face, box_parse, box_parse_5_keys, typed_parse, typed_build]
QUESTIONS: list[Question] = [question for module in MODULES for question in module.QUESTIONS]
ROUNDS = 7
QUICK_ROUNDS = 5


def ask(question: Question, quick: bool, say_progress: bool) -> Result:
    """Measure both libraries in turn, several times; whatever the machine does meanwhile hits both."""
    count, rounds = (question.quick_count, QUICK_ROUNDS) if quick else (question.count, ROUNDS)
    result = Result(question)
    for number in range(rounds):
        for library, times in OPERATIONS.items():
            if say_progress:
                print(f"\r\033[K{question.title}: {library}, round {number + 1} of {rounds}", end="", file=sys.stderr)
            seconds = question.measure(library, count * times)
            result.microseconds[library].append(seconds / (count * times) * 1e6)
    if say_progress:
        print("\r\033[K", end="", file=sys.stderr)
    return result


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser("python -m bench", description="ampkit against twisted.protocols.amp")
    parser.add_argument("--quick", action="store_true", help="fewer operations a round: less than two minutes in all")
    parser.add_argument("--json", action="store_true", help="print JSON, every round in it, instead of a table")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser.parse_args()


def main() -> int:
    """Ask every question and print the answers; 1 if a measurement fails, or with `--check` if a goal is missed."""
    chosen = options()
    facts = conditions()
    try:
        results = [ask(question, chosen.quick, sys.stderr.isatty()) for question in QUESTIONS]
    except (subprocess.SubprocessError, RuntimeError, ValueError) as error:
        print(f"a measurement failed: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        print(json.dumps({"conditions": facts, "results": [result.as_json() for result in results]}, indent=2))
    else:
        print(table(facts, results))
    return 1 if chosen.check and any(result.missed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
