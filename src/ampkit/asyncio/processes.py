"""A server of several processes: binds the addresses, and keeps workers that accept there; answers nothing itself."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Coroutine, Iterable
from contextvars import Context
from typing import Any, Final, Self, TypeVar

from ampkit.asyncio.address import HandedSocket, MemoryAddress, Place
from ampkit.asyncio.binding import Bindable, Bound, bind, give_up_share
from ampkit.asyncio.hired import Hired, check_hiring
from ampkit.asyncio.job import Job, PackedWork
from ampkit.asyncio.listening import failing_as
from ampkit.asyncio.log import logger
from ampkit.errors import ConnectionFailed, LocalProtocolError
from ampkit.policy.backoff import Backoff
from ampkit.policy.options import DEFAULT_DRAIN_GRACE
from ampkit.wire.text import printable

T = TypeVar("T")

_RESTARTS: Final = Backoff()
"""Between the starts of a worker that does not last. One that has lasted is replaced at once."""


def process_count(processes: int) -> int:
    """Return how many processes are meant; 0 means as many as this one may use cores. Raises ValueError below that."""
    if processes < 0:
        raise ValueError(f"a server has at least one process, not {processes}")
    if processes:
        return processes
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def sharable(places: Iterable[Place]) -> list[Bindable]:
    """Return the addresses. Raises LocalProtocolError if several processes cannot serve them, or cannot be had."""
    shared: list[Bindable] = []
    for place in places:
        if isinstance(place, MemoryAddress):
            raise LocalProtocolError(f"cannot serve {place} with several processes: it is a name within one of them")
        shared.append(place)
    check_hiring()
    return shared


class ProcessServer:
    """Listens on addresses; worker processes answer whoever connects. Made by `serve(..., processes=2)`.

    Each worker has an event loop, a service and connections of its own. One that ends without being told to is
    replaced, and the log says so.
    """

    def __init__(self, count: int, work: PackedWork, close_timeout: float) -> None:
        self._count = count
        self._work = work
        self._close_timeout = close_timeout
        self._patience = 2 * close_timeout + 1
        """Seconds that a worker may take to close when there is no grace, and a little more."""
        self._on_uvloop = type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        self._bound: list[Bound] = []
        self._addresses: list[str] = []
        self._workers: set[Hired] = set()
        self._keepers: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    async def open(self, places: Iterable[Bindable]) -> Self:
        """Listen on all addresses; returns when all workers accept connections.

        Raises ConnectionFailed, and leaves nothing behind, if one of the addresses or workers cannot be had.
        """
        try:
            for place in places:
                with failing_as(place):
                    self._bound += await bind(place, self._count)
            self._addresses = [str(bound.address) for bound in self._bound]
            workers = await self._start_all()
        except BaseException:
            await self.close(grace=0)
            raise
        self._keepers = {_task(self._keep(slot, worker)) for slot, worker in enumerate(workers)}
        return self

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as URLs with the actual ports, in the order they were given."""
        return list(self._addresses)

    @property
    def pids(self) -> list[int]:
        """The workers that run now, by the numbers of their processes."""
        return sorted(worker.pid for worker in self._workers)

    async def close(self, grace: float | None = None) -> None:
        """Stop listening and close all connections of all workers; returns when their processes have exited.

        Asks that run have `grace` seconds (default: `Options.close_timeout`) to end and their answers to leave.
        Cancelling `close` ends the workers within a second.
        """
        seconds = self._close_timeout if grace is None else grace
        self._stop_listening()
        for keeper in self._keepers:
            if not keeper.cancelling():
                keeper.cancel()
        closing = [_task(worker.close(seconds, seconds + self._patience)) for worker in self._workers]
        try:
            outcomes = await asyncio.gather(*self._keepers, *closing, return_exceptions=True)
        finally:
            self._closed.set()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def drain(self, grace: float = DEFAULT_DRAIN_GRACE) -> None:
        """Close without losing a call: `close`, with time enough for what was begun to end; see `Server.drain`."""
        await self.close(grace)

    async def wait_closed(self) -> None:
        """Wait until `close` has done its work: what a program does that only serves."""
        await self._closed.wait()

    async def __aenter__(self) -> Self:
        """Return the server itself; leaving the block closes it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close."""
        await self.close()

    def __repr__(self) -> str:
        return f"<ProcessServer {' '.join(self.addresses)} by {len(self._workers)} processes>"

    # Workers; each has a slot, and with it a share of the connections

    async def _start_all(self) -> list[Hired]:
        try:
            async with asyncio.TaskGroup() as group:
                starts = [group.create_task(self._start(slot), context=Context()) for slot in range(self._count)]
        except ExceptionGroup as failures:
            failure = failures.exceptions[0]
        else:
            return [start.result() for start in starts]
        raise failure

    async def _start(self, slot: int) -> Hired:
        sockets = tuple(HandedSocket(_share(bound, slot).fileno(), bound.address) for bound in self._bound)
        worker = await Hired.start(Job(self._work, sockets, self._on_uvloop, self._patience))
        self._workers.add(worker)
        worker.exited.add_done_callback(lambda _: self._workers.discard(worker))
        return worker

    async def _keep(self, slot: int, worker: Hired) -> None:
        """Replace the worker of a slot whenever it has ended."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            await asyncio.wait([worker.exited])
            failures = _RESTARTS.failures_after(failures, loop.time() - began)
            logger.error("worker process %d %s; another one takes its place", worker.pid, worker.how_it_ended)
            worker, failures = await self._replace(slot, failures)

    async def _replace(self, slot: int, failures: int) -> tuple[Hired, int]:
        """Start a worker, as often as it takes; returns it, and how many failures there were in a row."""
        while True:
            if failures:
                for bound in self._bound:
                    if len(bound.sockets) > 1:
                        give_up_share(_share(bound, slot))
                chance = random.random()  # noqa: S311 - it spreads load and hides nothing
                await asyncio.sleep(_RESTARTS.wait(failures - 1, chance) or 0.0)
            try:
                return await self._start(slot), failures
            except ConnectionFailed as error:
                failures += 1
                logger.error("%s", printable(str(error).encode("utf-8", "backslashreplace"), 500))

    def _stop_listening(self) -> None:
        bounds, self._bound = self._bound, []  # once: the name may be a successor's by the next time
        for bound in bounds:
            bound.close()


def _share(bound: Bound, slot: int) -> socket.socket:
    return bound.sockets[slot % len(bound.sockets)]


def _task(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin something in an empty context: if a responder does, its deadline is not that of the workers."""
    return asyncio.get_running_loop().create_task(work, context=Context())
