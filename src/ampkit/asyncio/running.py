"""How a program runs its main coroutine: the fastest event loop there is, and a clean Ctrl-C; knows nothing of AMP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run a coroutine to its end and return its result: `asyncio.run` on uvloop's event loop, if that is installed.

    Ctrl-C cancels the coroutine, so that every `async with` closes what it opened, and then raises
    KeyboardInterrupt. Raises RuntimeError inside a running event loop.
    """
    with asyncio.Runner(debug=debug, loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes uvloop's event loop, None if it is not installed."""
    try:
        import uvloop  # noqa: PLC0415 - the extra `fast`, if the program has it
    except ImportError:
        return None
    return uvloop.new_event_loop
