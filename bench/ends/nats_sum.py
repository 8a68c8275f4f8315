"""NATS over TCP, JSON in its messages: both ends talk to a broker, `nats-server`, whose CPU counts as the server's."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import nats

from bench.ends.end import Load, by_tasks, main, ready
from bench.job import Job

PATIENCE_S = 10


async def respond(message: Any) -> None:
    """Add."""
    numbers = json.loads(message.data)
    await message.respond(json.dumps({"total": numbers["a"] + numbers["b"]}).encode())


@contextmanager
def broker(address: Path) -> Generator[tuple[str, int]]:
    """The URL and pid of a broker; the URL is written to `address` too."""
    folder = address.parent
    command = [
        "nats-server",
        "--addr",
        "127.0.0.1",
        "--port",
        "-1",
        "--ports_file_dir",
        str(folder),
        "--log",
        os.devnull,
    ]
    with subprocess.Popen(command) as process:
        try:
            began = time.monotonic()
            while not (text := "".join(file.read_text() for file in folder.glob("*.ports"))):
                if time.monotonic() - began > PATIENCE_S:
                    raise RuntimeError("nats-server does not listen")
                time.sleep(0.01)
            url: str = json.loads(text)["nats"][0]
            address.write_text(url)
            yield url, process.pid
        finally:
            process.terminate()


async def serve(address: str, _: str) -> None:
    """Start a broker and answer until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    with broker(Path(address)) as (url, pid):
        connection = await nats.connect(url)
        await connection.subscribe("sum", cb=respond)
        await connection.flush()
        ready(pid)
        await stopped.wait()
        await connection.close()


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Connect once, to the broker."""
    connection = await nats.connect(Path(address).read_text())  # noqa: ASYNC240  (nothing else runs yet)

    async def ask() -> None:
        message = await connection.request("sum", json.dumps({"a": 13, "b": 81}).encode(), timeout=30)
        if json.loads(message.data)["total"] != 94:
            raise ValueError(message.data)

    yield by_tasks([ask] * job.outstanding)
    await connection.close()


if __name__ == "__main__":
    main(serve, connect)
