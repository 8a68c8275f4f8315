"""Fixtures of the asyncio tests: loops, addresses, and a watch that no test leaves a task or an error behind."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from ampkit.asyncio.late import NOTHING
from ampkit.testing import VirtualTimeLoop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
    "virtual": VirtualTimeLoop,  # where a sleep of an hour is over at once, so tests on it may sleep
}
TRANSPORTS = ["tcp", "unix", "memory"]


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run a test on the standard loop, unless it names its loops: `pytest.mark.asyncio(loop_factories=[...])`."""
    marker = item.get_closest_marker("asyncio")
    named = marker is not None and "loop_factories" in marker.kwargs
    return LOOPS if named else {"asyncio": LOOPS["asyncio"]}


@pytest.fixture(scope="session", autouse=True)
def _small_heap() -> Iterator[None]:
    """Keep what was there before the tests out of the many collections that follow."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class _Keeper(logging.Handler):
    """Keeps what asyncio logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """Fail a test that leaves a task, or an exception that nobody took, or of which asyncio complains in the log."""
    problems: list[dict[str, Any]] = []
    log, keeper = logging.getLogger("asyncio"), _Keeper()
    log.addHandler(keeper)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    gc.collect()
    await asyncio.sleep(0)
    log.removeHandler(keeper)
    assert not NOTHING  # all connections have it
    assert not problems
    assert not left
    assert not keeper.messages


@pytest.fixture
def make_address(tmp_path: Path) -> Callable[[str], str]:
    """Return a function from the name of a transport to an address to serve that nobody else has."""

    def make(transport: str) -> str:
        return {"tcp": "tcp://127.0.0.1:0", "unix": f"unix://{tmp_path}/socket", "memory": "memory://test"}[transport]

    return make


@pytest.fixture(params=TRANSPORTS)
def address(request: pytest.FixtureRequest, make_address: Callable[[str], str]) -> str:
    """Return an address to serve, for each transport."""
    return make_address(request.param)
