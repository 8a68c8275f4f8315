"""What the parts of the contract share: the seams that a subclass fills, and how a test runs; knows no behaviour."""

from __future__ import annotations

import asyncio
import functools
import gc
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Final, ParamSpec

import pytest

from ampkit.asyncio.peer import Peer
from ampkit.schema.responders import Services
from ampkit.wire.limits import Limits

P = ParamSpec("P")

_LEAKS: Final = (RuntimeWarning, ResourceWarning)

PATIENCE: Final = 10.0
"""Seconds after which a behaviour that does not end has failed."""

either_end: Final = pytest.mark.parametrize("end", [0, 1], ids=["left", "right"])
"""Runs a behaviour twice, with the index of the end that begins."""


class Contract(ABC):
    """The seams. `open_pair` must be supplied; the others fit whatever has asyncio transports."""

    @abstractmethod
    def open_pair(
        self, left_service: Services, right_service: Services, limits: Limits
    ) -> AbstractAsyncContextManager[tuple[Peer, Peer]]:
        """Return a context manager that joins two peers and, at its end, closes both; each answers with its service."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop for one behaviour."""
        return asyncio.new_event_loop()

    def send_bytes(self, peer: Peer, data: bytes) -> None:
        """Put bytes of the test's own on the wire of one end."""
        assert peer.channel.transport is not None  # noqa: S101 - narrows the type
        peer.channel.transport.write(data)

    def abort(self, peer: Peer) -> None:
        """Break the connection of one end, as a crash of its process does."""
        assert peer.channel.transport is not None  # noqa: S101 - narrows the type
        peer.channel.transport.abort()

    def buffered(self, peer: Peer) -> int:
        """Return how many bytes one end holds that the other end's machine has not taken."""
        return peer.channel.buffered()

    def pair(
        self, left: Services = None, right: Services = None, **limits: int
    ) -> AbstractAsyncContextManager[tuple[Peer, Peer]]:
        """Open a pair with some limits, the others being the defaults."""
        return self.open_pair(left, right, Limits(**limits))


def behaviour(method: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test of a coroutine method, with an event loop of its own: it must end, and leave nothing behind."""

    @functools.wraps(method)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        contract = args[0]
        assert isinstance(contract, Contract)  # noqa: S101 - narrows the type
        complaints: list[object] = []
        with _collecting_garbage(complaints), asyncio.Runner(loop_factory=contract.new_loop) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
            runner.run(_leaving_no_task(method(*args, **kwargs)))
        if complaints:
            pytest.fail(f"it left behind: {complaints}")

    return run


@contextmanager
def _collecting_garbage(complaints: list[object]) -> Generator[None, None, None]:
    """Collect at the end what the block has made, and note what it complains about when it is collected.

    A task complains so that its exception was not taken, a coroutine that it was not awaited, a socket that it was
    not closed. What was there before is frozen: to look through all of it takes longer than most behaviours.
    """
    gc.freeze()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
            gc.collect()
    finally:
        gc.unfreeze()
    complaints += [warning.message for warning in caught if issubclass(warning.category, _LEAKS)]


async def _leaving_no_task(main: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(PATIENCE):
        await main
    left_behind = asyncio.all_tasks() - {asyncio.current_task()}
    if left_behind:
        pytest.fail(f"it left behind: {left_behind}")
