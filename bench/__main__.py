"""Runs the benchmark: `python -m bench --help` tells how; knows no library and no question."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

from bench.machine import allow_files, conditions
from bench.page import write_page
from bench.picture import picture
from bench.question import Question
from bench.questions import QUESTIONS
from bench.results import Result
from bench.rounds import FULL, QUICK, SHORT, Effort, ask, points_of
from bench.subjects import is_compiled
from bench.table import report


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser("python -m bench", description="ampkit, measured against other libraries")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="only Twisted and ampkit, and fewer calls")
    effort.add_argument("--full", action="store_true", help="everything, and more calls")
    parser.add_argument("--only", default="", metavar="NAME,...", help="questions, or parts of the names of subjects")
    parser.add_argument("--list", action="store_true", help="print the names of the questions and subjects")
    parser.add_argument("--json", action="store_true", help="print JSON, every round in it, instead of tables")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the results")
    parser.add_argument("--docs", action="store_true", help="write the results into docs/performance.md")
    parser.add_argument("--load", type=Path, metavar="FILE", help="measure nothing, take what --json has printed")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    return parser.parse_args(arguments)


def choose(names: Collection[str], effort: Effort) -> list[Question]:
    """The questions of these names, asked of the subjects of these names; all of either if none of its kind is named.

    A subject is named by any part of its name. The first of a question, whom the others are compared with, is always
    asked. What the effort leaves out has to be named. Raises ValueError for a name that nothing has.
    """
    wanted = {question.name for question in QUESTIONS if question.name in names}
    parts = {name for name in names if name not in wanted}
    chosen: list[Question] = []
    for question in QUESTIONS:
        base, *others = question.subjects
        if parts:
            others = [subject for subject in others if any(part.lower() in subject.name.lower() for part in parts)]
        else:
            others = [subject for subject in others if effort.includes(question, subject)]
        if others and (question.name in wanted if wanted else question.name not in effort.skips):
            chosen.append(replace(question, subjects=(base, *others)))
    subjects = {subject.name.lower() for question in QUESTIONS for subject in question.subjects}
    if unknown := [part for part in parts if not any(part.lower() in subject for subject in subjects)]:
        raise ValueError(f"no question and no subject: {', '.join(unknown)}")
    return chosen


def left_out(questions: Sequence[Question], effort: Effort, most_files: int) -> list[str]:
    """What will not be measured, and why."""
    without: dict[str, list[str]] = {}
    for name, lacks in {s.name: s.lacks() for q in questions for s in q.subjects}.items():
        for need in lacks:
            without.setdefault(need, []).append(name)
    for question in questions:
        if question.needs and which(question.needs) is None:
            without.setdefault(question.needs, []).append(question.title)
    said = [f"{' and '.join(map(repr, names))}, because {need} is not here" for need, names in without.items()]
    lost = {point for q in questions for point in q.points if point not in points_of(q, effort, most_files)}
    if lost:
        why = "the full benchmark has" if effort is not FULL else f"{most_files:,} open files do not allow"
        points = ", ".join(f"{point:,}" for point in sorted(lost))
        said.append(f"the points {points} of curves, which {why}")
    if effort.skips:
        said.append(f"{', '.join(sorted(effort.skips))}, unless named with --only")
    if effort.only_goals:
        said.append(f"of {', '.join(sorted(effort.only_goals))} all but who has a goal, unless named with --only")
    return said


def measured(questions: Sequence[Question], effort: Effort, most_files: int) -> list[Result]:
    """Ask all that can be asked; on a terminal, say where it is."""

    def say(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    results = [ask(q, effort, most_files, say) for q in questions if not q.needs or which(q.needs)]
    say("")
    return results


def loaded(file: Path, questions: Sequence[Question]) -> tuple[dict[str, Any], list[Result]]:
    """The conditions and results that `--json` has printed into a file."""
    data = json.loads(file.read_text("utf-8"))
    answers = {answer["question"]: answer for answer in data["results"]}
    return data, [Result(q).take_json(answers[q.name]) for q in questions if q.name in answers]


def main() -> int:
    """Measure, and give out what was asked for; 1 if a measurement fails, or with `--check` if a goal is missed."""
    chosen = options()
    if chosen.list:
        subjects = dict.fromkeys(subject.name for question in QUESTIONS for subject in question.subjects)
        print(*(f"{question.name}: {question.title}" for question in QUESTIONS), "", *subjects, sep="\n")
        return 0
    try:
        effort = FULL if chosen.full or chosen.load else QUICK if chosen.quick else SHORT
        questions = choose([name for name in chosen.only.split(",") if name], effort)
        if chosen.load:
            data, results = loaded(chosen.load, questions)
        else:
            most_files = allow_files()
            facts = conditions(is_compiled())
            results = measured(questions, effort, most_files)
            facts["load"].append(os.getloadavg()[0])
            data = {
                "conditions": facts,
                "left_out": left_out(questions, effort, most_files),
                "results": [result.as_json() for result in results],
            }
        give_out(chosen, data, results)
    except (OSError, subprocess.SubprocessError, RuntimeError, ValueError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 1 if chosen.check and any(each.missed for result in results for each in result.compared()) else 0


def give_out(chosen: argparse.Namespace, data: dict[str, Any], results: Sequence[Result]) -> None:
    """Print, draw and write what the command line asks for."""
    text = report(data["conditions"], data["left_out"], results)
    print(json.dumps(data, indent=1) if chosen.json else text)
    if chosen.svg:
        chosen.svg.write_text(picture(results), "utf-8")
    if chosen.docs:
        write_page(text, results)


if __name__ == "__main__":
    sys.exit(main())
