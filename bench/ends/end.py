"""What all ends share: the command line, the load of an asyncio client, the measuring; knows no library.

`python -m bench.ends.NAME serve ADDRESS RESPONDER` prints `READY` and the pids whose CPU counts, and answers until
SIGTERM. RESPONDER is `plain` or `coroutine`; most have one kind only. `python -m bench.ends.NAME call ADDRESS` reads a
job and prints a sample, both as JSON. ADDRESS is a path where nothing is yet: a unix socket will be there, or a file
that says where to connect.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any, TypeAlias

from bench.job import Job, Sample, cpu_seconds, resident_bytes

Ask: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Makes one call, and raises if the answer is wrong."""

Load: TypeAlias = Callable[[int, list[float] | None], Awaitable[None]]
"""Makes so many calls, and appends the seconds of each to the list, if there is one."""

LATENCIES = 1_000
"""At least so many calls are timed one by one, so that ten of them are beyond the 99th percentile."""


def ready(*more_pids: int) -> None:
    """Say that the server listens, and which processes it is besides this one."""
    print("READY", os.getpid(), *more_pids, flush=True)


def by_tasks(asks: Sequence[Ask]) -> Load:
    """One task for each of `asks`, that awaits one call after another."""

    async def load(count: int, latencies: list[float] | None) -> None:
        rounds = range(count // len(asks))

        async def one_after_another(ask: Ask) -> None:
            for _ in rounds:
                await ask()

        async def timed(ask: Ask, latencies: list[float]) -> None:
            for _ in rounds:
                began = time.perf_counter()
                await ask()
                latencies.append(time.perf_counter() - began)

        await asyncio.gather(*(one_after_another(a) if latencies is None else timed(a, latencies) for a in asks))

    return load


async def measure(load: Load, address: str, job: Job) -> None:
    """Warm up, then print what the calls of the job cost; after that time some one by one, which costs too."""
    with ExitStack() as idle:
        for _ in range(job.idle):
            connection = idle.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(address)
        await load(job.count // 4 // job.outstanding * job.outstanding or job.outstanding, None)
        pids = (*job.pids, os.getpid())
        began, both, server = time.perf_counter(), cpu_seconds(pids), cpu_seconds(job.pids)
        await load(job.count, None)
        ended, both_ended, server_ended = time.perf_counter(), cpu_seconds(pids), cpu_seconds(job.pids)
        latencies: list[float] = []
        await load(-(-max(job.count // 4, LATENCIES) // job.outstanding) * job.outstanding, latencies)
        latencies.sort()
        sample: Sample = {
            "cost": (both_ended - both) / job.count * 1e6,
            "server": (server_ended - server) / job.count * 1e6,
            "rate": job.count / (ended - began),
            "p50": latencies[len(latencies) // 2] * 1e6,
            "p99": latencies[int(len(latencies) * 0.99)] * 1e6,
            "resident": resident_bytes(job.pids) / 1e6,
        }
        print(json.dumps(sample), flush=True)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop that the runner wants here."""
    if os.environ.get("BENCH_LOOP") != "uvloop":
        return None
    import uvloop  # noqa: PLC0415  (a process loads what it measures)

    return uvloop.new_event_loop


def main(
    serve: Callable[[str, str], Coroutine[Any, Any, None]],
    connect: Callable[[str, Job], AbstractAsyncContextManager[Load]],
) -> None:
    """Be one end. `serve` is given ADDRESS and RESPONDER, and calls `ready`."""

    async def call(address: str, job: Job) -> None:
        async with connect(address, job) as load:
            await measure(load, address, job)

    role, address, *words = sys.argv[1:]
    work = serve(address, words[0]) if role == "serve" else call(address, Job.from_json(sys.stdin.readline()))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work)
