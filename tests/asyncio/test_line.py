"""The line in which asks wait: nothing of them changes, in their order, in a few bytes more than they came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ampkit import Limits
from ampkit.asyncio.line import Line
from ampkit.core.events import AskReceived
from ampkit.testing.strategies import boxes

asks = st.builds(
    AskReceived,
    st.none() | st.binary(max_size=20),
    st.binary(max_size=20),
    boxes().map(lambda box: {key: value for key, value in box.items() if key not in {b"_command", b"_timeout"}}),
)


@given(st.lists(st.tuples(asks, st.none() | st.floats(0, 1e9))))
def test_what_waits_comes_out_as_it_went_in(waiting: list[tuple[AskReceived, float | None]]) -> None:
    """First in, first out, with tags, empty ones and none, arguments and times."""
    line = Line(Limits())
    for event, due in waiting:
        line.add(AskReceived(event.tag, event.command, dict(event.box)), due)
    for event, due in waiting:
        assert line.size
        taken = line.take()
        assert (taken.event, taken.due, taken.is_cancelled) == (event, due, False)
    assert not line.size


def test_a_line_that_never_ends() -> None:
    """What was taken does not stay in memory, though the line is never empty."""
    line = Line(Limits())
    for number in range(5000):
        line.add(AskReceived(b"%d" % number, b"Reverse", {b"data": bytes(1000)}), None)
        if number >= 3:
            assert line.take().event.tag == b"%d" % (number - 3)
    assert line.size < 4000
    assert len(line._data) < 70_000


def test_cancelled_asks() -> None:
    """They are marked; a mark for no ask is forgotten when the line is empty, and there are not many of them."""
    line = Line(Limits())
    line.cancel(b"2")
    for tag in (b"1", b"2", b"3"):
        line.add(AskReceived(tag, b"Sum", {}), None)
    line.cancel(b"3")
    line.cancel(b"4")
    assert [line.take().is_cancelled for _ in range(3)] == [False, False, True]
    line.add(AskReceived(b"4", b"Sum", {}), None)
    assert not line.take().is_cancelled
    line.add(AskReceived(b"1", b"Sum", {}), None)
    for number in range(5000):
        line.cancel(b"x%d" % number)
    assert len(line._cancelled) == 1024
    line.clear()
    assert not line.size
    assert not line._cancelled
