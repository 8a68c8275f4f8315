"""One worker process, as the process sees it that started it: its start, its orders, its end; restarts none."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final, Self, cast

import ampkit
from ampkit.asyncio.client import connect
from ampkit.asyncio.job import Job
from ampkit.asyncio.orders import CONTROL, Begin, CannotBegin, Close
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.watching import watch
from ampkit.errors import AmpError, ChildExited, ConnectionFailed, LocalProtocolError

_BEGIN: Final = (
    "import sys; sys.path.append(sys.argv[2]); from ampkit.asyncio.worker import main; main(int(sys.argv[1]))"
)
"""What a worker runs. Its `sys.path` may not lead to ampkit until it has that of the process that started it."""

_HURRY: Final = 1.0
"""Seconds that it has to end itself when nobody wants to wait: responders may have something to put in order."""

_EXIT_PATIENCE: Final = 5.0
"""Seconds from the end of a worker's server to the end of the process: it may have threads and files to close."""


_STOP: Final = (signal.SIGINT, signal.SIGTERM)


def check_hiring() -> None:
    """Raise LocalProtocolError where worker processes cannot be had."""
    if _BEGIN in sys.orig_argv:
        raise LocalProtocolError(
            "a worker process starts no others. It has imported the file of the program, to find the service there: "
            'what starts the program belongs below `if __name__ == "__main__":`'
        )
    if sys.platform == "win32" or getattr(sys, "frozen", False) or not sys.executable:
        raise LocalProtocolError("worker processes need a Python that can be started, and sockets that they inherit")


class Hired:
    """A worker. It has ended, one way or the other, when `exited` is done."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        loop = asyncio.get_running_loop()
        self.pid = process.pid
        self.exited: asyncio.Future[int] = loop.create_future()
        """Its status, or the number of the signal that ended it, negative. Wait for it with `asyncio.wait`."""
        self._process = process
        self._peer: Peer | None = None
        watch(loop, process, lambda: self.exited.set_result(process.returncode))

    @classmethod
    async def start(cls, job: Job) -> Self:
        """Start a process; returns when it accepts connections.

        Raises ConnectionFailed, with the traceback of the other process as a note, if that cannot be; it has ended
        then, as it has when this is cancelled.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                hired = cls(_spawn(job, theirs.fileno()))
            except OSError as error:
                ours.close()
                raise ConnectionFailed(f"cannot start a worker process: {error}") from error
        try:
            await hired._instruct(job, ours)
        except BaseException:
            await hired.end(0)
            raise
        return hired

    async def _instruct(self, job: Job, ours: socket.socket) -> None:
        ours.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_sendall(ours, job.to_bytes())
            self._peer = await connect(ours, options=CONTROL)
            await self._peer.call(Begin())
        except CannotBegin as error:
            reason, _, lines = str(error).partition("\n")
            failure = ConnectionFailed(f"a worker process cannot begin: {reason}")
            failure.add_note(lines)
            raise failure from None
        except OSError as error:  # as ConnectionLost is
            await self.end(_EXIT_PATIENCE)
            raise ConnectionFailed(f"a worker process {self.how_it_ended} before it could begin") from error
        finally:
            if self._peer is None:
                ours.close()

    @property
    def how_it_ended(self) -> str:
        """What `exited` says, in words that follow its name."""
        return str(ChildExited(self.exited.result())).removeprefix("the child process ")

    async def close(self, grace: float, timeout: float) -> None:
        """Let it close its server, within `timeout` seconds, and wait until it has exited. Cancelled, it is killed."""
        try:
            if self._peer is not None:
                with contextlib.suppress(AmpError):
                    await self._peer.call(Close(grace=grace), timeout=timeout)
        except asyncio.CancelledError:
            await self.end(_HURRY)
            raise
        await self.end(_EXIT_PATIENCE)

    async def end(self, patience: float) -> None:
        """Tell it that there is nothing more to do, and kill it if it has not exited so many seconds later."""
        try:
            if self._peer is not None:
                await self._peer.close()
            await asyncio.wait([self.exited], timeout=patience)
        finally:
            await self._kill()

    async def _kill(self) -> None:
        """Return when the process has exited. That takes no time once it is killed, so it is waited for in any case."""
        if not self.exited.done():
            self._process.kill()
        cancellation: asyncio.CancelledError | None = None
        while not self.exited.done():
            try:
                await asyncio.wait([self.exited])
            except asyncio.CancelledError as error:
                cancellation = error
        if cancellation is not None:
            raise cancellation


def _spawn(job: Job, control: int) -> subprocess.Popen[bytes]:
    """Start a process. It gets no signals until it knows what to do with them."""
    flags = cast("list[str]", subprocess._args_from_interpreter_flags())  # type: ignore[attr-defined]  # -W, -O ...
    folder = str(Path(ampkit.__file__).parents[1])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    try:
        return subprocess.Popen(  # noqa: S603 - it is this very program
            [sys.executable, *flags, "-P", "-c", _BEGIN, str(control), folder],
            stdin=subprocess.DEVNULL,
            pass_fds=[control, *(handed.number for handed in job.sockets)],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
