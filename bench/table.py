"""Results as Markdown; measures and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bench.question import Cell, Comparison, Kind
from bench.results import Compared, Result

COLUMNS = {
    "cost": "CPU us a call",
    "server": "server, CPU us a call",
    "rate": "calls/s",
    "p50": "p50 us",
    "p99": "p99 us",
    "busy": "server's core, %",
    "resident": "server's memory, MB",
    "grown": "grown by, bytes",
}
UNITS = (
    "Costs are CPU microseconds of both ends a call, of the codec a box; of a server's capacity the microseconds that "
    "pass for each call; of memory bytes."
)
COSTS = {"us": "CPU us a call", "box": "CPU us a box", "wall": "us a call", "bytes": "traced, bytes"}


def report(facts: dict[str, Any], left_out: Sequence[str], results: Sequence[Result]) -> str:
    """Everything: the conditions, the goals, a table a question."""
    parts = [preface(facts, left_out), goals(results)]
    parts += [section(result) for result in results]
    return "\n\n".join(part for part in parts if part)


def preface(facts: dict[str, Any], left_out: Sequence[str]) -> str:
    """What the figures depend on, in sentences."""
    build = "with its compiled module" if facts["compiled"] else "without its compiled module"
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    broker = f", nats-server {facts['nats-server']}" if facts["nats-server"] else ""
    lines = [
        f"`{facts['command']}` on {facts['python']}, {facts['cores']} cores"
        f"{', ' if facts['processor'] else ''}{facts['processor']}, {facts['system']}; {packages}{broker}; "
        f"ampkit {build}. Load of the machine, the benchmark's own included: "
        f"{', '.join(f'{load:.1f}' for load in facts['load'])}.",
        *([f"Left out: {'; '.join(left_out)}."] if left_out else []),
    ]
    return "\n".join(lines)


def goals(results: Sequence[Result]) -> str:
    """All comparisons, with their goals."""
    rows = [_compared_row(compared) for result in results for compared in result.compared()]
    rows += [_unanswered_row(result, comparison) for result in results for comparison in result.unanswered()]
    if not rows:
        return ""
    heads = ["question", "who", "cost", "against", "cost", "ratio", "of single rounds", "goal"]
    return f"{UNITS}\n\n{_table(heads, rows, left={0, 1, 3, 7})}"


def section(result: Result) -> str:
    """The medians of one question: a row a subject, a column a figure or a point."""
    rounds = len(next(iter(result.samples.values()), []))
    title = f"### {result.question.title}\n\nMedians of {rounds} interleaved rounds."
    if not result.samples:
        return ""
    if result.question.is_curve:
        return "\n\n".join([title, *(_curve(result, figure) for figure in result.question.shows)])
    cost = COSTS[result.question.unit]
    heads = ["", *(cost if figure == "cost" else COLUMNS[figure] for figure in result.question.shows)]
    rows = [
        [subject, *(number(result.median((subject, point), figure)) for figure in result.question.shows)]
        for subject, point in result.samples
    ]
    return f"{title}\n\n{_table(heads, rows, left={0})}"


def _curve(result: Result, figure: str) -> str:
    points = sorted({point for _, point in result.samples})
    subjects = list(dict.fromkeys(subject for subject, _ in result.samples))
    heads = [f"{COLUMNS[figure]}, by {result.question.axis}", *(f"{point:,}" for point in points)]
    rows = [[subject, *(number(result.median((subject, point), figure)) for point in points)] for subject in subjects]
    return _table(heads, rows, left={0})


def _compared_row(compared: Compared) -> list[str]:
    comparison, result = compared.comparison, compared.result
    lowest, highest = min(compared.of_rounds), max(compared.of_rounds)
    goal = "" if comparison.goal is None else _goal(comparison, result, "missed" if compared.missed else "met")
    return [
        result.question.title,
        _who(comparison.of, result),
        number(result.median(comparison.of)),
        _who(comparison.against, result),
        number(result.median(comparison.against)),
        f"{_value(comparison.kind, compared.value, result.question.unit)}",
        f"{ratio(comparison.kind, lowest)} to {ratio(comparison.kind, highest)}",
        goal,
    ]


def _unanswered_row(result: Result, comparison: Comparison) -> list[str]:
    who, against = _who(comparison.of, result), _who(comparison.against, result)
    return [result.question.title, who, "", against, "", "", "", _goal(comparison, result, "not measured")]


def _goal(comparison: Comparison, result: Result, verdict: str) -> str:
    sign = ">=" if comparison.kind is Kind.CHEAPER else "<="
    return f"{sign} {_value(comparison.kind, comparison.goal or 0, result.question.unit)} **{verdict}**"


def _value(kind: Kind, value: float, unit: str) -> str:
    return f"{ratio(kind, value)}{f' {unit}' if kind is Kind.MORE else ''}{kind.value}"


def _who(cell: Cell, result: Result) -> str:
    name, point = cell
    return f"{name}, {point:,}" if result.question.is_curve else name


def ratio(kind: Kind, value: float) -> str:
    """A compared value without its unit."""
    return f"{value:,.0f}" if kind is Kind.MORE or value >= 100 else f"{value:.3g}"


def number(value: float) -> str:
    """Three digits are more than the rounds agree on."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: set[int]) -> str:
    rule = "|".join("---" if index in left else "---:" for index in range(len(heads)))
    return "\n".join(_row(cells) for cells in (heads, *rows)).replace("\n", f"\n|{rule}|\n", 1)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
