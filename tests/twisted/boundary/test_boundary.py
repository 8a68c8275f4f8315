"""Bytes around a StartTLS: none that came in plain is taken for what came secured, and every call ends."""

from collections.abc import Callable
from typing import Any

import pytest

from ampkit.twisted import amp
from tests.twisted.boundary.cases import BEFORE, BEHIND, Seen, asked, asking
from tests.twisted.rows.common import PENDING, Watched

BATCHES = 10
CASES = 500
"""In each batch, for each role: 10,000 in all."""

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def was_answered(call: Watched, *where: bytes) -> bool:
    """Whether a call has its result, or its error, from a box that stood there in the stream."""
    result: Any = call.result
    if isinstance(result, dict):
        return result.get("where") in where
    said = result.args[-1] if isinstance(result, amp.UnhandledCommand) else getattr(result, "description", "")
    return said.encode() in where


def run(role: Callable[[int], Seen], batch: int) -> list[tuple[int, Seen]]:
    """Run the cases of a batch."""
    return [(number, role(number)) for number in range(batch * CASES, (batch + 1) * CASES)]


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("role", [asked, asking])
def test_nothing_plain_counts_behind_the_boundary(role: Any, batch: int) -> None:
    """It reaches no responder and answers no call, unless TLS was refused; and no call is left pending.

    A call that waits for TLS has been seen by nobody: what comes for it before is not its answer either.
    """
    seen = run(role, batch)
    assert [n for n, each in seen if any(call.result is PENDING for call in each.calls)] == []
    plain = [(n, each) for n, each in seen if not each.refused]
    assert [n for n, each in plain if BEHIND in each.marks] == []
    assert [n for n, each in plain if any(was_answered(call, BEHIND) for call in each.calls)] == []
    assert [n for n, each in seen if any(was_answered(call, BEFORE, BEHIND) for call in each.held)] == []


@pytest.mark.parametrize("role", [asked, asking])
def test_the_cases_are_of_all_kinds(role: Any) -> None:
    """Enough of them are secured, refused, and carry boxes that would have been taken."""
    seen = [each for _, each in run(role, 0)]
    assert sum(each.secured for each in seen) > CASES // 5
    assert sum(each.refused for each in seen) > CASES // 10
    assert sum(BEFORE in each.marks for each in seen) > CASES // 10
    assert any(BEHIND in each.marks for each in seen if each.refused)
    assert any(was_answered(call, BEFORE) for each in seen for call in each.early)
