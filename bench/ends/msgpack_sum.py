"""MessagePack-RPC on a unix socket: the package msgpack, and what the protocol's specification adds, on asyncio.

No implementation of it for asyncio is maintained. An ask is [0, number, method, parameters], an answer
[1, number, error, result]; messages stand one behind the other.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, cast

import msgpack

from bench.ends.end import Load, by_tasks, main, ready
from bench.job import Job

ASK, ANSWER = 0, 1


class Messages(asyncio.Protocol):
    """One end of a connection."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.unpacker = msgpack.Unpacker()
        self.pack = msgpack.Packer().pack

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's

    def data_received(self, data: bytes) -> None:
        self.unpacker.feed(data)
        for message in self.unpacker:
            self.received(*message)

    def received(self, kind: int, number: int, third: Any, fourth: Any) -> None:
        """Deal with one message."""
        raise NotImplementedError


class Server(Messages):
    """Answers asks for sums."""

    def received(self, kind: int, number: int, third: Any, fourth: Any) -> None:
        if kind == ASK and third == "sum":
            self.transport.write(self.pack([ANSWER, number, None, sum(fourth)]))
        else:
            self.transport.write(self.pack([ANSWER, number, "no such method", None]))


class Client(Messages):
    """Asks, and remembers who waits for which answer."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.loop = asyncio.get_running_loop()

    def call(self, method: str, *parameters: Any) -> asyncio.Future[Any]:
        """Ask; the future has the result, or an exception."""
        number = next(self.numbers)
        self.waiting[number] = answer = self.loop.create_future()
        self.transport.write(self.pack([ASK, number, method, parameters]))
        return answer

    def received(self, kind: int, number: int, third: Any, fourth: Any) -> None:
        answer = self.waiting.pop(number)
        if kind == ANSWER and third is None:
            answer.set_result(fourth)
        else:
            answer.set_exception(RuntimeError(str(third)))


async def serve(address: str, _: str) -> None:
    """Answer until SIGTERM."""
    await asyncio.get_running_loop().create_unix_server(Server, address)
    ready()
    await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect once."""
    transport, client = await asyncio.get_running_loop().create_unix_connection(Client, address)

    async def ask() -> None:
        total = await client.call("sum", 13, 81)
        if total != 94:
            raise ValueError(total)

    yield by_tasks([ask] * job.outstanding)
    transport.close()


if __name__ == "__main__":
    main(serve, connect)
