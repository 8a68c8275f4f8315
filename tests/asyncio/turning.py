"""How a test waits for what it cannot await: turns of the event loop, never time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def turns(count: int = 5) -> None:
    """Let the loop turn so many times, so that whatever is under way goes on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something is true; if it never is, the test times out."""
    while not condition():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)


def timers() -> list[asyncio.TimerHandle]:
    """Return what the standard loop will call later."""
    scheduled: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [handle for handle in scheduled if not handle.cancelled()]


def fire_timers() -> None:
    """Let all timers be due at once, in this turn of the loop."""
    for timer in timers():
        timer._run()
        timer.cancel()
