"""Both ends of the Sum benchmark on ampkit and the standard asyncio loop; knows no other library.

`serve PATH` answers on a unix socket. `call PATH STYLE COUNT OUTSTANDING` prints the CPU seconds of both processes. In
the style `tasks` each of OUTSTANDING tasks awaits one call after another; in the style `many` they are awaited
at once. COUNT is a multiple of OUTSTANDING.
"""

import asyncio
import sys
import time

import ampkit
from ampkit import Peer, Service
from bench.ends.ampkit_commands import CpuTime, Seconds, Sum, Total


class Calculator(Service):
    """What the server answers."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)

    @CpuTime.responder
    def cpu_time(self, _: CpuTime) -> Seconds:
        """Read the CPU clock."""
        return Seconds(seconds=time.process_time())


async def tasks(peer: Peer, count: int, outstanding: int) -> None:
    """Make `count` calls in `outstanding` tasks."""
    call = peer.call

    async def one_after_another() -> None:
        for _ in range(count // outstanding):
            reply = await call(Sum(a=13, b=81))
            if reply.total != 94:
                raise ValueError(reply)

    await asyncio.gather(*(one_after_another() for _ in range(outstanding)))


async def many(peer: Peer, count: int, outstanding: int) -> None:
    """Make `count` calls, `outstanding` at once."""
    for _ in range(count // outstanding):
        for reply in await peer.call_many([Sum(a=13, b=81) for _ in range(outstanding)]):
            if reply.total != 94:
                raise ValueError(reply)


STYLES = {"tasks": tasks, "many": many}


async def both_clocks(peer: Peer) -> float:
    """The CPU seconds that both processes have used so far."""
    return (await peer.call(CpuTime())).seconds + time.process_time()


async def measure(path: str, style: str, count: int, outstanding: int) -> None:
    """Warm up, then print what `count` calls cost both ends."""
    work = STYLES[style]
    async with ampkit.connect(f"unix://{path}") as peer:
        await work(peer, count // 4, outstanding)
        start = await both_clocks(peer)
        await work(peer, count, outstanding)
        print(await both_clocks(peer) - start, flush=True)


async def serve(path: str) -> None:
    """Listen, say so, and answer until SIGTERM."""
    async with ampkit.serve(Calculator(), f"unix://{path}"):
        print("READY", flush=True)
        await asyncio.get_running_loop().create_future()


def main(role: str, path: str, *numbers: str) -> None:
    """Be one end."""
    asyncio.run(serve(path) if role == "serve" else measure(path, numbers[0], int(numbers[1]), int(numbers[2])))


if __name__ == "__main__":
    main(*sys.argv[1:])
