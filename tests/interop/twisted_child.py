"""Starts genuine Twisted peers as child processes and talks to them in lines; knows no ampkit."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.interop.values import to_plain

ROOT = Path(__file__).parents[2]
LONGEST_LINE = 10_000_000


def command_line(role: str, address: str) -> list[str]:
    """What starts a peer with the Twisted of this Python."""
    return [sys.executable, "-m", "tests.interop.twisted_peer", role, address]


@contextmanager
def twisted_server(address: str, log: Path) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """A Twisted server and the address that it listens on; its standard error goes to `log`.

    Raises RuntimeError, with what it said, when it does not start: Twisted must be there.
    """
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command_line("serve", address),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield listening_address(process, log), process
        finally:
            process.terminate()


def listening_address(process: subprocess.Popen[str], log: Path) -> str:
    """Wait for the READY line."""
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("READY "):
        process.wait()
        raise RuntimeError(f"the Twisted server did not start: {log.read_text()}")
    return line.split()[1]


class TwistedClient:
    """A connected Twisted client that makes calls on demand."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def next_line(self) -> Any:
        """The next outcome, or why the connection ended."""
        assert self.process.stdout is not None
        return json.loads(await self.process.stdout.readline())

    def start(self, command: str, **arguments: Any) -> None:
        """Make a call, whose number is one more than the last one's; the first is 0."""
        assert self.process.stdin is not None
        plain = {name: to_plain(value) for name, value in arguments.items()}
        self.process.stdin.write(json.dumps({"command": command, "arguments": plain}).encode() + b"\n")

    async def call(self, command: str, **arguments: Any) -> Any:
        """Make a call while no other is under way; returns its outcome."""
        self.start(command, **arguments)
        return await self.next_outcome()

    async def next_outcome(self) -> Any:
        """The outcome of whichever call ends next, without its number."""
        line = await self.next_line()
        del line["call"]
        return line


@asynccontextmanager
async def twisted_client(address: str, log: Path) -> AsyncGenerator[TwistedClient]:
    """A Twisted client that has connected to `address`; its standard error goes to `log`."""
    with log.open("w") as errors:
        process = await asyncio.create_subprocess_exec(
            *command_line("connect", address),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_LINE,
        )
    try:
        assert process.stdout is not None
        ready = await process.stdout.readline()
        assert ready.startswith(b"READY "), f"the Twisted client did not start; see {log}"
        yield TwistedClient(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
