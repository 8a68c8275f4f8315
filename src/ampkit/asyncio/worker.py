"""What runs in a worker process: serves what it is told to, until the process that started it says so, or has gone."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from ampkit.asyncio.client import connect
from ampkit.asyncio.job import Job, Work, read_job
from ampkit.asyncio.log import printable_traceback
from ampkit.asyncio.orders import CONTROL, Begin, CannotBegin, Close
from ampkit.asyncio.running import loop_factory
from ampkit.asyncio.server import Server, open_server
from ampkit.schema.responders import Service

_REASON_SHOWN: Final = 20_000
"""Characters of a traceback: less than one value of AMP in any encoding."""

_STOP: Final = (signal.SIGINT, signal.SIGTERM)


def main(number: int) -> None:
    """Serve; `number` is that of the socket to the process that started this one."""
    _heed_no_signal()
    with socket.socket(fileno=number) as control:
        control.set_inheritable(False)
        try:
            job = read_job(control.recv)
        except EOFError:
            return
        for handed in job.sockets:
            os.set_inheritable(handed.number, False)
        threading.Thread(target=_end_without_parent, args=(number, job.patience), daemon=True).start()
        loaded = _load(job)
        with asyncio.Runner(loop_factory=loop_factory() if job.on_uvloop else None) as runner:
            runner.run(_serve(control, job, loaded))


def _heed_no_signal() -> None:
    """Leave Ctrl-C and SIGTERM, which a whole group of processes gets, to the process that started this one.

    They are not ignored, as programs that a service starts would inherit that. They have been held back so far.
    """
    for number in _STOP:
        signal.signal(number, _heed_not)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)


def _heed_not(_number: int, _frame: object) -> None:
    """Do nothing about a signal."""


def _end_without_parent(number: int, patience: float) -> None:
    """End this process when the one that started it has gone, whatever it does then: it may hold a port."""
    poll = select.poll()
    poll.register(number, 0)  # the end of the other one is always told
    poll.poll()
    time.sleep(patience)
    os._exit(1)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What there is to do, and the service that was made for it."""

    work: Work
    service: Any


def _load(job: Job) -> _Loaded | CannotBegin:
    """Import the program's modules; outside of the event loop, as their own `run` then says best what is wrong."""
    try:
        work = job.work.unpack()
        return _Loaded(work, work.load())
    except BaseException as error:  # noqa: BLE001 - a module may exit, and that is a reason like any other
        return _reason(error)


def _reason(error: BaseException) -> CannotBegin:
    text = f"{type(error).__name__}: {error}".replace("\n", " ")
    return CannotBegin(f"{text}\n{printable_traceback(error)}"[:_REASON_SHOWN])


async def _serve(control: socket.socket, job: Job, loaded: _Loaded | CannotBegin) -> None:
    worker = _Worker(job, loaded)
    async with connect(control, worker, options=CONTROL) as peer:
        await peer.wait_closed()
    await worker.end()


class _Worker(Service):
    """Does what it is told."""

    def __init__(self, job: Job, loaded: _Loaded | CannotBegin) -> None:
        self._job = job
        self._loaded = loaded
        self._server: Server | None = None

    @Begin.responder
    async def begin(self, _: Begin) -> None:
        """Listen."""
        if isinstance(self._loaded, CannotBegin):
            raise self._loaded
        work = self._loaded.work
        try:
            self._server = await open_server(
                self._loaded.service, self._job.sockets, tls=work.tls, limits=work.limits, options=work.options
            )
        except Exception as error:
            raise _reason(error) from error

    @Close.responder
    async def close(self, command: Close) -> None:
        """Listen no more, and close all connections."""
        if self._server is not None:
            await self._server.close(command.grace)

    async def end(self) -> None:
        """Close at once, as whoever started this process has gone, unless it is closed already."""
        if self._server is not None:
            await self._server.close(grace=0)
