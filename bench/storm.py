"""Calls in bad weather: slow readers, broken connections, cancelled and late calls, in virtual time, from one seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from ampkit import AmpError, Command, Limits, Options, Peer, Response, Service
from ampkit.testing import VirtualTimeLoop, peer_pair

CALLS_A_CONNECTION = 200
CALLERS = 20


class Content(Response):
    """Some bytes."""

    data: bytes


class Work(Command[Content], errors={KeyError: "KEY"}):
    """Take some time, ask back so often, then answer with so many bytes, or fail."""

    seconds: float
    depth: int
    size: int
    fails: bool


class Quick(Command[Content]):
    """Answer at once."""

    size: int


class Worker(Service):
    """Does what it is asked, at both ends."""

    @Work.responder
    async def work(self, command: Work, peer: Peer) -> Content:
        """Work."""
        if command.seconds:
            await asyncio.sleep(command.seconds)
        if command.depth:
            await peer.call(Work(seconds=0, depth=command.depth - 1, size=command.size, fails=command.fails))
        if command.fails:
            raise KeyError(command.size)
        return Content(data=bytes(command.size))

    @Quick.responder
    def quick(self, command: Quick) -> Content:
        """Answer."""
        return Content(data=bytes(command.size))


def weather(seed: int, calls: int) -> Counter[str]:
    """Make so many calls, or a few more, and return how many ended in which way.

    Raises AssertionError if one has not ended after a virtual day, or has left something in a table.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_weather(random.Random(seed), calls))


async def _weather(rng: random.Random, calls: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    while outcomes.total() < calls:
        await _connection(rng, outcomes)
    return outcomes


async def _connection(rng: random.Random, outcomes: Counter[str]) -> None:
    limits = Limits(
        max_running_asks=rng.choice([1, 4, 1024]),
        max_waiting_bytes=rng.choice([1, 2_000, 524_288]),
        max_buffered_bytes=rng.choice([1_000, 65_536]),
    )
    async with peer_pair(Worker(), Worker(), limits=limits, options=Options(timeout=3600)) as ends:
        chaos = asyncio.create_task(_chaos(rng, ends))
        try:
            async with asyncio.timeout(86_400):
                await asyncio.gather(*(_caller(rng, ends[number % 2], outcomes) for number in range(CALLERS)))
        except TimeoutError:
            raise AssertionError("a call has not ended within a day") from None
        finally:
            chaos.cancel()
            await asyncio.wait([chaos])
        for peer in ends:
            _resume(peer)
            await peer.close()
            _check_tables(peer)


async def _caller(rng: random.Random, peer: Peer, outcomes: Counter[str]) -> None:
    for _ in range(CALLS_A_CONNECTION // CALLERS):
        if peer.end_reason is not None:
            return
        call = asyncio.create_task(_call(rng, peer))
        if rng.random() < 0.2:
            await asyncio.sleep(rng.choice([0, 0.001, 0.1, 1]))
            call.cancel()
        await asyncio.wait([call])
        outcomes["cancelled" if call.cancelled() else call.result()] += 1


async def _call(rng: random.Random, peer: Peer) -> str:
    size = rng.choice([0, 10, 5_000, 60_000])
    command = (
        Quick(size=size)
        if rng.random() < 0.5
        else Work(seconds=rng.choice([0, 0, 0.01, 5]), depth=rng.randrange(4), size=size, fails=rng.random() < 0.1)
    )
    try:
        await peer.call(command, timeout=rng.choice([None, 60, 0.05]))
    except (AmpError, KeyError) as error:
        return type(error).__name__
    return "answered"


async def _chaos(rng: random.Random, ends: tuple[Peer, Peer]) -> None:
    while True:
        await asyncio.sleep(rng.expovariate(2))
        peer = rng.choice(ends)
        transport = peer.channel.transport
        if transport is None or transport.is_closing():
            return
        kind = rng.random()
        if kind < 0.02:
            transport.abort()
        elif kind < 0.5:
            transport.pause_reading()
        else:
            _resume(peer)


def _resume(peer: Peer) -> None:
    transport = peer.channel.transport
    if transport is not None and not transport.is_closing() and peer.channel.is_reading:
        transport.resume_reading()


def _check_tables(peer: Peer) -> None:
    left = {
        "calls": peer.channel.connection.pending,
        "responders": peer.closing.running_responder(),
        "waiting": peer.channel.waiting_for_room(),
    }
    if any(left.values()):
        raise AssertionError(f"left behind: {left}")
