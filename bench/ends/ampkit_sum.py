"""ampkit on a unix socket, on the loop that the runner wants."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import ampkit
from ampkit import Peer, Service
from bench.ends.ampkit_commands import Content, Echo, Sum, Total
from bench.ends.end import Ask, Load, by_tasks, main, ready
from bench.job import Job


class Calculator(Service):
    """What the server answers."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)

    @Echo.responder
    def echo(self, command: Echo) -> Content:
        """Send it back."""
        return Content(data=command.data)


class CoroutineCalculator(Service):
    """The same with a coroutine."""

    @Sum.responder
    async def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)


async def serve(address: str, responder: str) -> None:
    """Answer until SIGTERM."""
    service = CoroutineCalculator() if responder == "coroutine" else Calculator()
    async with ampkit.serve(service, f"unix://{address}"):
        ready()
        await asyncio.get_running_loop().create_future()


def asker(peer: Peer, size: int) -> Ask:
    """What makes one call."""
    call = peer.call
    data = bytes(size)

    async def sum_() -> None:
        reply = await call(Sum(a=13, b=81))
        if reply.total != 94:
            raise ValueError(reply)

    async def echo() -> None:
        reply = await call(Echo(data=data))
        if len(reply.data) != size:
            raise ValueError(reply)

    return echo if size else sum_


def many(peer: Peer, outstanding: int) -> Load:
    """Calls that are awaited at once, with `call_many`; each takes as long as all of them."""

    async def load(count: int, latencies: list[float] | None) -> None:
        for _ in range(count // outstanding):
            began = asyncio.get_running_loop().time()
            for reply in await peer.call_many([Sum(a=13, b=81) for _ in range(outstanding)]):
                if reply.total != 94:
                    raise ValueError(reply)
            if latencies is not None:
                latencies += [asyncio.get_running_loop().time() - began] * outstanding

    return load


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect as often as the job says."""
    async with AsyncExitStack() as stack:
        connections = range(job.connections)
        peers = [await stack.enter_async_context(ampkit.connect(f"unix://{address}")) for _ in connections]
        if job.style == "many":
            yield many(peers[0], job.outstanding)
        else:
            yield by_tasks([asker(peer, job.size) for peer in peers for _ in range(job.outstanding)])


if __name__ == "__main__":
    main(serve, connect)
