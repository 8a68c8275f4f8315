"""Pyro5 on a unix socket: a proxy has one call under way, so several outstanding are one batch, answered at once."""

# mypy: allow-untyped-decorators

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import Pyro5.api

from bench.ends.end import Load, main, ready
from bench.job import Job


@Pyro5.api.expose
class Calculator:
    """What the server answers."""

    def sum(self, a: int, b: int) -> int:
        """Add."""
        return a + b


async def serve(address: str, _: str) -> None:
    """Answer until SIGTERM."""
    with Pyro5.api.Daemon(unixsocket=address) as daemon:
        daemon.register(Calculator, "calculator")
        ready()
        daemon.requestLoop()


def check(total: Any) -> None:
    """Raise ValueError if it is wrong."""
    if total != 94:
        raise ValueError(total)


def one_at_a_time(proxy: Any) -> Load:
    """Each call waits for the answer of the last."""

    async def load(count: int, latencies: list[float] | None) -> None:
        for _ in range(count):
            began = time.perf_counter()
            check(proxy.sum(13, 81))
            if latencies is not None:
                latencies.append(time.perf_counter() - began)

    return load


def batches(proxy: Any, outstanding: int) -> Load:
    """Each call takes as long as its batch."""

    async def load(count: int, latencies: list[float] | None) -> None:
        for _ in range(count // outstanding):
            began = time.perf_counter()
            batch = Pyro5.api.BatchProxy(proxy)
            for _ in range(outstanding):
                batch.sum(13, 81)
            for total in batch():
                check(total)
            if latencies is not None:
                latencies += [time.perf_counter() - began] * outstanding

    return load


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect once."""
    with Pyro5.api.Proxy(f"PYRO:calculator@./u:{address}") as proxy:
        yield one_at_a_time(proxy) if job.outstanding == 1 else batches(proxy, job.outstanding)


if __name__ == "__main__":
    main(serve, connect)
