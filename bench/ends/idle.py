"""A server and many idle connections to it in one process: `python -m bench.ends.idle bare|ampkit COUNT`.

Prints the bytes that Python's allocators have for each connection, and how much the process has grown for each. Both
include the connecting socket, which is the same for all. The transports are asyncio's own for TCP.
"""

import asyncio
import gc
import json
import os
import socket
import sys
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager

import ampkit
from bench.ends.ampkit_sum import Calculator
from bench.job import Sample, resident_bytes

WARM_UP = 50


@asynccontextmanager
async def listening(library: str) -> AsyncGenerator[tuple[str, int]]:
    """Host and port of a server."""
    if library == "bare":
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()
        server.close()
    else:
        async with ampkit.serve(Calculator(), "tcp://127.0.0.1:0") as amp:
            host, _, port = amp.addresses[0].removeprefix("tcp://").rpartition(":")
            yield host, int(port)


async def open_more(connections: ExitStack, place: tuple[str, int], count: int) -> None:
    """Connect so often; each is accepted before the next."""
    for _ in range(count):
        connections.enter_context(socket.create_connection(place))
        for _ in range(4):  # turns of the loop: the listener is ready, it accepts, the transport begins
            await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    gc.collect()


async def main(library: str, count: int) -> None:
    """Measure and print."""
    with ExitStack() as connections:
        async with listening(library) as place:
            await open_more(connections, place, WARM_UP)
            resident = resident_bytes([os.getpid()])
            await open_more(connections, place, count)
            grown = (resident_bytes([os.getpid()]) - resident) / count
            tracemalloc.start(1)
            await open_more(connections, place, count)
            traced = tracemalloc.get_traced_memory()[0] / count
            tracemalloc.stop()
            sample: Sample = {"cost": traced, "grown": grown}
            print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
