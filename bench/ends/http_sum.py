"""JSON over HTTP on a unix socket, aiohttp at both ends: as many connections as calls outstanding, kept open."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, UnixConnector, web

from bench.ends.end import Load, by_tasks, main, ready
from bench.job import Job


async def respond(request: web.Request) -> web.Response:
    """Add."""
    numbers = await request.json()
    return web.json_response({"total": numbers["a"] + numbers["b"]})


async def serve(address: str, _: str) -> None:
    """Answer until SIGTERM."""
    application = web.Application()
    application.router.add_post("/sum", respond)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, address).start()
    ready()
    await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Open a session."""
    async with ClientSession("http://localhost", connector=UnixConnector(address, limit=job.outstanding)) as session:

        async def ask() -> None:
            async with session.post("/sum", json={"a": 13, "b": 81}) as response:
                reply = await response.json()
            if reply["total"] != 94:
                raise ValueError(reply)

        yield by_tasks([ask] * job.outstanding)


if __name__ == "__main__":
    main(serve, connect)
