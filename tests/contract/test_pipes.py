"""The contract over pipes: those of this process, and those of a child process; on both event loops."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import BinaryIO

import uvloop

from ampkit import Child, Limits, Peer, connect
from ampkit.asyncio.pipes import PipeTransport
from ampkit.policy.options import DEFAULT_OPTIONS
from ampkit.schema.responders import Services
from ampkit.testing.contract import PeerContract
from ampkit.testing.pipe import make_peer

Pair = AbstractAsyncContextManager[tuple[Peer, Peer]]

RELAY = """\
import os, sys
read_from, write_to = map(int, sys.argv[1:])
os.dup2(*((read_from, 0) if os.fork() else (write_to, 1)))
os.close(read_from)
os.close(write_to)
os.execvp("cat", ["cat"])
"""
"""What makes a child's standard input and output the two pipes whose numbers it is given."""


def new_pipe() -> tuple[BinaryIO, BinaryIO]:
    """Return the end to read from, and the end to write to."""
    read_from, write_to = os.pipe()
    return os.fdopen(read_from, "rb", buffering=0), os.fdopen(write_to, "wb", buffering=0)


async def open_peer(read_from: BinaryIO, write_to: BinaryIO, service: Services, limits: Limits) -> Peer:
    """Return a peer on two pipes."""
    peer = make_peer(service, limits, DEFAULT_OPTIONS)
    await PipeTransport(asyncio.get_running_loop(), peer.channel).open(read_from, write_to)
    return peer


@asynccontextmanager
async def joined_by_pipes(
    left_service: Services, right_service: Services, limits: Limits
) -> AsyncGenerator[tuple[Peer, Peer]]:
    """Join two peers by two pipes."""
    (left_in, right_out), (right_in, left_out) = new_pipe(), new_pipe()
    async with (
        await open_peer(left_in, left_out, left_service, limits) as left,
        await open_peer(right_in, right_out, right_service, limits) as right,
    ):
        yield left, right


@asynccontextmanager
async def joined_by_child(
    left_service: Services, right_service: Services, limits: Limits
) -> AsyncGenerator[tuple[Peer, Peer]]:
    """Join two peers by a child process: the left one has it on its standard input and output."""
    (child_in, right_out), (right_in, child_out) = new_pipe(), new_pipe()
    with child_in, child_out:
        numbers = child_in.fileno(), child_out.fileno()
        arguments = [sys.executable, "-I", "-S", "-c", RELAY, *map(str, numbers)]
        left = await connect(Child(*arguments, pass_fds=numbers), left_service, limits=limits)
    async with left, await open_peer(right_in, right_out, right_service, limits) as right:
        yield left, right


class TestPipes(PeerContract):
    """Two pipes, as standard input and output are."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return joined_by_pipes(left_service, right_service, limits)


class TestExec(PeerContract):
    """A child process."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return joined_by_child(left_service, right_service, limits)


class OnUvloop(PeerContract):
    """The same on the other event loop."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()


class TestPipesOnUvloop(OnUvloop, TestPipes):
    """Two pipes on uvloop."""


class TestExecOnUvloop(OnUvloop, TestExec):
    """A child process on uvloop."""
