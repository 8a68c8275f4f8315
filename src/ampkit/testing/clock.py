"""An event loop on virtual time: when nothing is ready, the clock jumps to the next timer; nobody waits for real.

    @virtual_time
    async def test_a_call_has_an_hour() -> None:
        async with fake_peer() as (peer, fake):
            with pytest.raises(DeadlineExceeded):  # at once
                await peer.call(Sum(a=13, b=81), timeout=3600)

Deadlines, pings and delays of hours so pass in no time, and always in the same order.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_DAY: Final = 86_400.0


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The standard event loop, with a clock that begins at 0 and moves only by jumps: `loop.time()` is exact.

    For programs that are joined in memory. The answers of sockets and threads take real time, which the clock
    jumps over if a timer is set: a deadline would come before an answer that is under way. Where neither a timer
    is set nor anything ready, it waits for real.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now

    def _jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Tells the time that it was to wait, in place of waiting it."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select()
        ready = super().select(0)
        if not ready:
            self._jump(max(timeout, 0))
        return ready


def virtual_time(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make a plain function of a coroutine function: it runs in a `VirtualTimeLoop` of its own, to its end.

    So a decorated test needs no plugin of its test framework; asynchronous fixtures of one have another loop. A
    test that waits for what never comes fails at once: AssertionError after a virtual day.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(_within_a_day(function(*args, **kwargs)))

    return run


async def _within_a_day(main: Coroutine[Any, Any, T]) -> T:
    day = asyncio.timeout(_DAY)
    try:
        async with day:
            return await main
    except TimeoutError:
        if day.expired():
            raise AssertionError("the test waits for something that does not come: a virtual day is over") from None
        raise
