"""How a process's exit becomes a call in the event loop, the same on every loop; starts and ends no process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Callable


def watch(loop: asyncio.AbstractEventLoop, process: subprocess.Popen[bytes], exited: Callable[[], object]) -> None:
    """Call `exited` in the loop once, when the process has exited and its `returncode` is set."""
    try:
        number = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # neither macOS nor old Linux has it
        threading.Thread(target=_wait, args=(loop, process, exited), daemon=True).start()
        return

    def ready() -> None:
        loop.remove_reader(number)
        os.close(number)
        process.wait()  # it has exited, so this takes no time
        exited()

    loop.add_reader(number, ready)


def _wait(loop: asyncio.AbstractEventLoop, process: subprocess.Popen[bytes], exited: Callable[[], object]) -> None:
    """Wait in a thread of its own."""
    process.wait()
    with contextlib.suppress(RuntimeError):  # the loop may be closed by now
        loop.call_soon_threadsafe(exited)
