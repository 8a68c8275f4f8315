"""Results as SVG."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

from bench.picture import Scale, picture
from bench.results import Result
from bench.subjects import PURE, TWISTED
from tests.bench.samples import question, result

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: Element) -> list[str]:
    """What can be read in it."""
    return [element.text or "" for element in drawing.iter(f"{SVG}text")]


def test_it_is_well_formed_and_names_everybody() -> None:
    """A dot and a number for each subject, the cheapest first, within the frame."""
    drawing = fromstring(picture([result(question(), [120], [20])]))
    assert drawing.tag == f"{SVG}svg"
    read = texts(drawing)
    assert read.index(PURE.name) < read.index(TWISTED.name)
    assert {"Sum", "20", "120"} <= set(read)
    dots = [float(dot.attrib["cx"]) for dot in drawing.iter(f"{SVG}circle")]
    assert dots == sorted(dots)
    assert 0 < dots[0] < dots[1] < float(drawing.attrib["width"])


def test_a_curve_is_a_line_a_subject() -> None:
    """Through a dot a point; its name stands at its end."""
    curve = question(points=(1, 1_000))
    answer = result(curve, [100], [10], point=1)
    for cell, rounds in result(curve, [200], [30], point=1_000).samples.items():
        answer.add(cell, rounds[0])
    drawing = fromstring(picture([answer]))
    assert [len(line.attrib["points"].split()) for line in drawing.iter(f"{SVG}polyline")] == [2, 2]
    assert {"calls outstanding", "1,000", PURE.name} <= set(texts(drawing))


def test_names_are_escaped() -> None:
    """So that whatever a subject is called, it is still XML."""
    answer = Result(question())
    answer.add(("<a & b>", 0), {"cost": 1})
    answer.add(("c", 0), {"cost": 2})
    assert "<a & b>" in texts(fromstring(picture([answer])))


def test_nothing_measured_is_an_empty_picture() -> None:
    """A picture all the same."""
    assert fromstring(picture([Result(question())])).tag == f"{SVG}svg"


def test_equal_distances_are_equal_ratios() -> None:
    """From the power of ten below the least to twice the greatest."""
    scale = Scale.of([20, 500], 0, 100)
    assert (scale.low, scale.high) == (10, 1_000)
    assert [scale.at(value) for value in (10, 100, 1_000)] == [0, 50, 100]
    assert scale.powers() == [10, 100, 1_000]
