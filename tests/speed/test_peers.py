"""Whatever is done to a peer, it does the same compiled as in Python: bytes, commands, outcomes, counters, log."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.policy.options import Options
from ampkit.wire.limits import Limits
from tests.speed.scripts import write
from tests.speed.stage import Script, compiled_parts, play, set_up
from tests.speed.twins import needs_both

pytestmark = needs_both

_AT_A_TIME: Final = 10
"""Scripts in one example of hypothesis, which otherwise takes longer than they do."""


async def test_there_are_two_twins() -> None:
    """What one has of the compiled module the other has in Python."""
    limits, options = Limits(), Options()
    all_parts = {"flow", "intake", "decoder", "asking", "encode", "decode"}
    assert compiled_parts(set_up(limits, options, compiled=True)) == all_parts
    assert not compiled_parts(set_up(limits, options, compiled=False))


def difference(script: Script) -> Any:
    """Return where the twins differ first, or None."""
    python, compiled = play(script, compiled=False), play(script, compiled=True)
    if python == compiled:
        return None
    pairs = zip([*python, None], [*compiled, None], strict=False)
    return next((index, left, right) for index, (left, right) in enumerate(pairs) if left != right)


def smallest(script: Script) -> Script:
    """Leave out steps as long as the twins still differ."""
    limits, options, steps = script
    index = 0
    while index < len(steps):
        fewer = steps[:index] + steps[index + 1 :]
        if difference((limits, options, fewer)) is None:
            index += 1
        else:
            steps = fewer
    return limits, options, steps


def check(seed: int) -> None:
    """Fail, with as few steps as it takes, if the twins differ."""
    script = write(seed)
    if difference(script) is not None:
        small = smallest(script)
        index, python, compiled = difference(small)
        steps = "\n".join(map(repr, small[2]))
        pytest.fail(
            f"seed {seed}, {small[0]}, {small[1]}:\n{steps}\nat {index}\npython:   {python}\ncompiled: {compiled}"
        )


@given(st.integers(0, 2**40))
def test_a_peer_is_the_same_whoever_runs_it(seed: int) -> None:
    """In many scripts."""
    for each in range(_AT_A_TIME):
        check(seed * _AT_A_TIME + each)
