"""As many bytes as AMP needs, echoed by bare protocols on a unix socket: the floor of what runs on the loop."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from bench.codec.streams import box, sum_ask
from bench.ends.end import Load, main, ready
from bench.job import Job

MESSAGE = box(sum_ask(1))


class Echo(asyncio.Protocol):
    """The server."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Caller(asyncio.Protocol):
    """The client: whatever has come back, as much goes out again."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.half = 0
        self.unasked = self.unanswered = 0
        self.latencies: list[float] | None = None
        self.began: deque[float] = deque()
        self.done: asyncio.Future[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's

    def load(self, outstanding: int) -> Load:
        """What keeps so many messages under way."""

        def load(count: int, latencies: list[float] | None) -> asyncio.Future[None]:
            self.unasked = self.unanswered = count
            self.latencies = latencies
            self.done = asyncio.get_running_loop().create_future()
            self.ask(outstanding)
            return self.done

        return load

    def ask(self, count: int) -> None:
        """Send so many messages."""
        if self.latencies is not None:
            self.began.extend([time.perf_counter()] * count)
        self.unasked -= count
        self.transport.write(MESSAGE * count)

    def data_received(self, data: bytes) -> None:
        answers, self.half = divmod(self.half + len(data), len(MESSAGE))
        self.unanswered -= answers
        if self.latencies is not None:
            now = time.perf_counter()
            self.latencies += [now - self.began.popleft() for _ in range(answers)]
        if self.unasked:
            self.ask(min(answers, self.unasked))
        elif not self.unanswered:
            self.done.set_result(None)


async def serve(address: str, _: str) -> None:
    """Echo until SIGTERM."""
    await asyncio.get_running_loop().create_unix_server(Echo, address)
    ready()
    await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect once."""
    transport, protocol = await asyncio.get_running_loop().create_unix_connection(Caller, address)
    yield protocol.load(job.outstanding)
    transport.close()


if __name__ == "__main__":
    main(serve, connect)
