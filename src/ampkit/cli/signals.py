"""Ctrl-C and SIGTERM as a function call in the event loop; knows not what it stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

_STOP: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_stop_signal(stop: Callable[[], object]) -> Generator[None]:
    """Inside the block the first Ctrl-C or SIGTERM calls `stop`; a second one does what it does elsewhere."""
    loop = asyncio.get_running_loop()

    def first(_number: int, _frame: Any) -> None:
        restore()
        loop.call_soon_threadsafe(stop)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, first) for number in _STOP}
    try:
        yield
    finally:
        restore()
