"""A child process as a transport: starts it, passes on its errors, and ends it; knows no box."""

from __future__ import annotations

import asyncio
import subprocess
from typing import BinaryIO, Final, cast

from ampkit.asyncio.child import Child
from ampkit.asyncio.lines import Lines
from ampkit.asyncio.log import logger
from ampkit.asyncio.pipes import PipeTransport
from ampkit.asyncio.watching import watch
from ampkit.errors import ChildExited

_OUTPUT_PATIENCE: Final = 1.0
"""Seconds that the output of a process which has exited is read; others, which it has started, may hold it open."""


class ChildTransport(PipeTransport):
    """The standard input and output of a child process.

    `close` ends its input, and is done when the process has exited: a child that speaks AMP does so then. `abort`
    sends it SIGTERM, and SIGKILL after `kill_after` seconds. The protocol hears of the end when the process has
    exited, with a ChildExited unless its status is 0. Raises OSError if the child cannot be started.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, child: Child, kill_after: float
    ) -> None:
        self._process = process = _spawn(child)
        super().__init__(loop, protocol, {"pid": process.pid})
        self._child = child
        self._kill_after = kill_after
        self._is_open = False
        self._has_exited = False
        self._is_told_to_exit = False
        self._errors: asyncio.BaseTransport | None = None

    async def start(self) -> None:
        """Begin."""
        process = self._process
        watch(self.loop, process, self._exited)
        try:
            await self.open(cast(BinaryIO, process.stdout), cast(BinaryIO, process.stdin))
        except OSError:
            process.kill()
            raise

    async def _open(self, read_from: BinaryIO, write_to: BinaryIO) -> None:
        lines = Lines(self._child.on_stderr or self._log_line, self._errors_ended)
        self._errors, _ = await self.loop.connect_read_pipe(lambda: lines, self._process.stderr)
        await super()._open(read_from, write_to)
        self._is_open = True
        self._ended()

    def _log_line(self, line: str) -> None:
        logger.warning("child %d: %s", self._process.pid, line)

    # The end

    def abort(self) -> None:
        """Close the pipes at once, and end the process."""
        super().abort()
        if not self._has_exited and not self._is_told_to_exit:
            self._is_told_to_exit = True
            self._process.terminate()
            self._later(self._kill_after, self._process.kill)

    def _exited(self) -> None:
        """Read what the process has left behind, for a while."""
        self._has_exited = True
        self._allow_input(_OUTPUT_PATIENCE)
        self._ended()

    def _errors_ended(self) -> None:
        self._errors = None
        self._ended()

    def _input_ended(self) -> None:
        """The child has closed its output. It is about to exit, and then its status says more than this."""
        self._is_closing = True
        self.write_eof()
        if not self._has_exited and not self._is_told_to_exit:
            self._later(self._kill_after, self.abort)

    def _ended(self) -> None:
        if not (self._is_open and self._has_exited) or self._reader is not None:
            return
        self._stop_writing()
        if self._writer is None and self._errors is None:
            status = self._process.returncode
            self._lose(ChildExited(status) if status else None)

    def _stop_reading(self) -> None:
        super()._stop_reading()
        if self._has_exited and self._errors is not None:
            self._errors.close()


def _spawn(child: Child) -> subprocess.Popen[bytes]:
    # The event loops' own ways to start processes differ in what the child inherits, and in who waits for it.
    return subprocess.Popen(  # noqa: S603 - to run what the program says is what this is for
        child.arguments,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=child.cwd,
        env=child.env,
        pass_fds=child.pass_fds,
    )
