"""Results as one SVG: a row of dots for each question that many were asked, lines for each curve; measures nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from bench.results import Result
from bench.table import COSTS, number

WIDTH = 860
LABELS = 230
"""Width of the names on the left."""
ROW = 24
CURVE_HEIGHT = 230
MARGIN = 24
HEAD = 52
"""Height of a panel's title and unit."""
AXIS = 40
"""Height of the numbers below a panel."""
OURS, FACE, THEIRS, INK, GRID = "#c2410c", "#b45309", "#475569", "#1e293b", "#e2e8f0"
DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers to places, by their logarithm: equal distances are equal ratios."""

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def of(cls, values: Iterable[float], begin: float, end: float) -> Scale:
        """From the power of ten below the least number to twice the greatest."""
        numbers = list(values)
        return cls(10 ** math.floor(math.log10(min(numbers))), max(numbers) * 2, begin, end)

    def at(self, value: float) -> float:
        """Where a number stands."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    def powers(self) -> list[float]:
        """The powers of ten within."""
        exponents = range(round(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        return [10.0**exponent for exponent in exponents]


def picture(results: Sequence[Result]) -> str:
    """Draw what can be drawn, one panel below the other."""
    shapes: list[str] = []
    top = MARGIN
    for result in results:
        points = {point for _, point in result.samples}
        if len(points) > 1:
            shapes += _curve(result, top)
            top += HEAD + CURVE_HEIGHT + AXIS
        elif len(result.samples) > 1:
            shapes += _dots(result, top)
            top += HEAD + ROW * len(result.samples) + AXIS
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
            'font-family="system-ui, sans-serif" font-size="13">',
            "<title>CPU time of a call</title>",
            f'<rect width="{WIDTH}" height="{top}" fill="white"/>',
            *shapes,
            "</svg>",
            "",
        ]
    )


def _dots(result: Result, top: float) -> list[str]:
    costs = sorted((result.median(cell), cell[0]) for cell in result.samples)
    scale = Scale.of((cost for cost, _ in costs), LABELS, WIDTH - MARGIN)
    first = top + HEAD
    bottom = first + ROW * len(costs)
    shapes = _title(result, top)
    shapes += _uprights(scale, first, bottom)
    for index, (cost, name) in enumerate(costs):
        y = first + ROW * index + ROW / 2
        colour = _colour(name)
        shapes.append(_text(name, LABELS - 12, y + 4, colour, "end"))
        shapes.append(_line(LABELS, y, scale.at(cost), y, GRID))
        shapes.append(f'<circle cx="{scale.at(cost)}" cy="{y}" r="5" fill="{colour}"/>')
        shapes.append(_text(number(cost), scale.at(cost) + 10, y + 4, colour))
    return shapes


def _curve(result: Result, top: float) -> list[str]:
    first, bottom = top + HEAD, top + HEAD + CURVE_HEIGHT
    points = sorted({point for _, point in result.samples})
    across = Scale(max(1, points[0]), points[-1], MARGIN + 40, WIDTH - LABELS)
    up = Scale.of((result.median(cell) for cell in result.samples), bottom, first)
    shapes = _title(result, top)
    for power in up.powers():
        shapes.append(_line(across.begin, up.at(power), across.end, up.at(power), GRID))
        shapes.append(_text(number(power), across.begin - 8, up.at(power) + 4, THEIRS, "end"))
    for point in points:
        shapes.append(_text(f"{point:,}", across.at(max(1, point)), bottom + 18, THEIRS, "middle"))
    shapes.append(_text(result.question.axis, across.end + 40, bottom + 18, THEIRS))
    for index, name in enumerate(dict.fromkeys(subject for subject, _ in result.samples)):
        places = [
            (across.at(max(1, point)), up.at(result.median((name, point))))
            for point in points
            if (name, point) in result.samples
        ]
        joined = " ".join(f"{x},{y}" for x, y in places)
        dashes = DASHES[index % len(DASHES)]
        style = f'fill="none" stroke="{_colour(name)}" stroke-width="2" stroke-dasharray={quoteattr(dashes or "none")}'
        shapes.append(f'<polyline points="{joined}" {style}/>')
        shapes += [f'<circle cx="{x}" cy="{y}" r="3" fill="{_colour(name)}"/>' for x, y in places]
        shapes.append(_text(name, places[-1][0] + 10, places[-1][1] + 4, _colour(name)))
    return shapes


def _title(result: Result, top: float) -> list[str]:
    unit = f"{COSTS[result.question.unit]}, logarithmic; less is better"
    return [
        _text(result.question.title.replace("`", ""), MARGIN, top + 16, INK, size=16),
        _text(unit, MARGIN, top + 36, THEIRS),
    ]


def _uprights(scale: Scale, first: float, bottom: float) -> list[str]:
    shapes: list[str] = []
    for power in scale.powers():
        shapes.append(_line(scale.at(power), first, scale.at(power), bottom, GRID))
        shapes.append(_text(number(power), scale.at(power), bottom + 18, THEIRS, "middle"))
    return shapes


def _colour(name: str) -> str:
    return OURS if name.startswith("ampkit") else FACE if name.startswith("Twisted face") else THEIRS


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _text(text: str, x: float, y: float, colour: str, anchor: str = "start", size: int = 13) -> str:
    place = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}" font-size="{size}">{escape(text)}</text>'
