"""RPyC on a unix socket: a thread for the connection; several calls outstanding are asynchronous results."""

# mypy: allow-subclassing-any

import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import rpyc
from rpyc.utils.factory import unix_connect
from rpyc.utils.server import ThreadedServer

from bench.ends.end import Load, main, ready
from bench.job import Job


class Calculator(rpyc.Service):
    """What the server answers."""

    def exposed_sum(self, a: int, b: int) -> int:
        """Add."""
        return a + b


async def serve(address: str, _: str) -> None:
    """Answer until SIGTERM."""
    server = ThreadedServer(Calculator, socket_path=address)
    server.listener.listen(server.backlog)  # as `start` will, which does not say when
    ready()
    server.start()


def check(total: Any) -> None:
    """Raise ValueError if it is wrong."""
    if total != 94:
        raise ValueError(total)


def one_at_a_time(add: Any) -> Load:
    """Each call waits for the answer of the last."""

    async def load(count: int, latencies: list[float] | None) -> None:
        for _ in range(count):
            began = time.perf_counter()
            check(add(13, 81))
            if latencies is not None:
                latencies.append(time.perf_counter() - began)

    return load


def pipeline(add: Any, outstanding: int) -> Load:
    """Whenever the oldest call is answered, another one is made."""
    add_soon = rpyc.async_(add)

    async def load(count: int, latencies: list[float] | None) -> None:
        waiting: deque[tuple[Any, float]] = deque()
        for asked in range(count + outstanding):
            if asked >= outstanding:
                result, began = waiting.popleft()
                check(result.value)
                if latencies is not None:
                    latencies.append(time.perf_counter() - began)
            if asked < count:
                began = time.perf_counter()
                waiting.append((add_soon(13, 81), began))

    return load


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect once."""
    connection = unix_connect(address)
    add = connection.root.sum
    yield one_at_a_time(add) if job.outstanding == 1 else pipeline(add, job.outstanding)
    connection.close()


if __name__ == "__main__":
    main(serve, connect)
