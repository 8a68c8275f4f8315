"""Results as Markdown."""

from __future__ import annotations

from bench.question import Comparison, Kind
from bench.results import Result
from bench.subjects import PURE, TWISTED
from bench.table import goals, report, section
from tests.bench.samples import question, result, versus

FACTS = {
    "command": "python -m bench",
    "python": "CPython 3.13.0",
    "system": "Linux 6.1, x86_64",
    "processor": "",
    "cores": 2,
    "load": [0.5, 1.25],
    "compiled": False,
    "packages": {"ampkit": "1.0", "twisted": "26.4.0"},
    "nats-server": None,
}


def test_a_comparison_is_a_row_with_its_goal() -> None:
    """Costs, ratio, that of the least and the most favourable round, verdict."""
    text = goals([result(question(versus(6)), [100, 120, 1200], [10, 60, 20])])
    assert text.splitlines()[2:] == [
        "| question | who | cost | against | cost | ratio | of single rounds | goal |",
        "|---|---|---:|---|---:|---:|---:|---|",
        f"| Sum | {PURE.name} | 20 | {TWISTED.name} | 120 | 10x | 2 to 60 | >= 6x **met** |",
    ]


def test_a_goal_that_was_not_measured_says_so() -> None:
    """It has a row below those that were."""
    ceiling = Comparison((PURE.name, 1_000), (PURE.name, 100), 1.2, Kind.DEARER)
    last = goals([Result(question(ceiling, points=(100, 1_000)))]).splitlines()[-1]
    assert last == f"| Sum | {PURE.name}, 1,000 |  | {PURE.name}, 100 |  |  |  | <= 1.2x the cost **not measured** |"


def test_a_question_is_a_table_of_medians() -> None:
    """A row a subject, a column a figure."""
    text = section(result(question(shows=("cost", "rate")), [100, 120, 900], [10.123, 60, 20]))
    assert text.splitlines()[-4:] == [
        "|  | CPU us a call | calls/s |",
        "|---|---:|---:|",
        f"| {TWISTED.name} | 120 | 8,333 |",
        f"| {PURE.name} | 20 | 50,000 |",
    ]
    assert "Medians of 3 interleaved rounds" in text


def test_a_curve_is_a_table_with_a_column_a_point() -> None:
    """The points in ascending order."""
    curve = question(points=(1, 1_000))
    answer = result(curve, [100], [10], point=1)
    for cell, rounds in result(curve, [200], [30], point=1_000).samples.items():
        answer.add(cell, rounds[0])
    assert section(answer).splitlines()[-4:] == [
        "| CPU us a call, by calls outstanding | 1 | 1,000 |",
        "|---|---:|---:|",
        f"| {TWISTED.name} | 100 | 200 |",
        f"| {PURE.name} | 10 | 30 |",
    ]


def test_the_report_begins_with_what_it_depends_on() -> None:
    """The command, the machine, the versions, and who is missing."""
    text = report(FACTS, ["NATS, because nats-server is not here"], [result(question(versus(6)), [1], [1])])
    first, second, *_ = text.splitlines()
    assert first.startswith("`python -m bench` on CPython 3.13.0, 2 cores, Linux 6.1, x86_64; ampkit 1.0, twisted")
    assert "without its compiled module. Load of the machine, the benchmark's own included: 0.5, 1.2." in first
    assert second == "Left out: NATS, because nats-server is not here."
