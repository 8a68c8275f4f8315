"""The programs of the demo as child processes that say something, line by line; knows not what they say."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import IO, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 10.0
"""Seconds for a line or an end; nothing in the demo takes two."""


class StoryBroken(Exception):
    """Something did not happen as it was told; `lines` is what the program complained of."""

    def __init__(self, text: str, lines: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.lines = lines


class Child:
    """A running program of the demo."""

    def __init__(self, name: str, process: Process, errors: IO[bytes]) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._errors = errors

    async def next_line(self) -> str:
        """Return the next line that it prints. Raises StoryBroken if none comes."""
        assert self._process.stdout is not None  # noqa: S101 - narrows the type: it is a pipe
        line = await self._patiently(self._process.stdout.readline())
        if not line:
            raise self._broken("ended too early")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    async def wait_ended(self) -> None:
        """Wait until it has ended. Raises StoryBroken if it does not, or failed."""
        if await self._patiently(self._process.wait()):
            raise self._broken(f"ended with exit code {self._process.returncode}")

    async def end(self) -> None:
        """End it, if it still runs."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), PATIENCE)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _patiently(self, awaitable: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(awaitable, PATIENCE)
        except TimeoutError:
            raise self._broken(f"did nothing for {PATIENCE:.0f} s") from None

    def _broken(self, what: str) -> StoryBroken:
        self._errors.seek(0)
        return StoryBroken(f"the {self.name} {what}", self._errors.read().decode("utf-8", "replace").splitlines())


@asynccontextmanager
async def child(name: str, *program: str) -> AsyncGenerator[Child]:
    """Run `python -m program`; it ends with the block at the latest."""
    # -P: what lies in the current directory must not stand in for a module; -u: each line comes when it is printed.
    command = [sys.executable, "-P", "-u", "-m", *program]
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=errors)
        started = Child(name, process, errors)
        try:
            yield started
        finally:
            await started.end()
