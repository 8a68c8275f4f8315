"""This process's own standard input and output as a transport, and out of everyone else's way; knows no box."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from typing import BinaryIO, Final

from ampkit.asyncio.pipes import PipeTransport
from ampkit.errors import ConnectionFailed

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2


class StdioAddress:
    """The standard input and output of this process."""

    def __str__(self) -> str:
        return "stdio:"


STDIO: Final = StdioAddress()


async def connect_stdio(loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
    """Connect a protocol to whoever started this process.

    Raises ConnectionFailed, and changes nothing, unless both are pipes or sockets.
    """
    for number in (_INPUT, _OUTPUT):
        if not _is_pipe(number):
            raise ConnectionFailed(
                "cannot connect to stdio: standard input and output must be pipes or sockets, as they are in a child "
                "process that `connect('exec:...')` starts"
            )
    read_from, write_to = _take()
    await PipeTransport(loop, protocol).open(read_from, write_to)


def _is_pipe(number: int) -> bool:
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _take() -> tuple[BinaryIO, BinaryIO]:
    """Return both under other numbers, and leave in their place what does no harm.

    What the program prints goes to standard error from now on; what it reads there is nothing.
    """
    ours = [os.dup(_INPUT), os.dup(_OUTPUT)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, _INPUT)
    os.dup2(nowhere, _OUTPUT)
    if sys.__stderr__ is not None:  # it may have been started without
        os.dup2(_ERRORS, _OUTPUT)
    os.close(nowhere)
    return os.fdopen(ours[0], "rb", buffering=0), os.fdopen(ours[1], "wb", buffering=0)
