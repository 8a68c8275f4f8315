"""An event loop on virtual time."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

import ampkit
from ampkit import DeadlineExceeded, Options
from ampkit.testing import VirtualTimeLoop, fake_peer, peer_pair, virtual_time
from ampkit.testing.contract.commands import Desk, Sum, Total, Wait

HOUR = 3600.0
LATE = 0.05
"""Seconds by which ampkit may miss a deadline."""


def now() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


def test_sleeping_takes_virtual_time_only() -> None:
    """An hour passes at once, and the clock shows exactly an hour."""

    @virtual_time
    async def sleep() -> float:
        await asyncio.sleep(HOUR)
        return now()

    began = time.monotonic()
    assert sleep() == HOUR
    assert time.monotonic() - began < 10


@virtual_time
async def test_the_clock_begins_at_zero() -> None:
    """Times in a test are those since its beginning."""
    assert now() == 0.0


@virtual_time
async def test_timers_come_in_the_order_of_their_times() -> None:
    """Sleepers wake in the order of their times, each at its own."""
    woken: list[tuple[float, float]] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, now()))

    times = [3.0, 0.1, 7200.0, 0.30000000000000004, 50_000.0]
    await asyncio.gather(*(sleep(seconds) for seconds in times))
    assert woken == [(seconds, seconds) for seconds in sorted(times)]


@virtual_time
async def test_time_stands_while_anything_is_ready() -> None:
    """However much is computed and exchanged, no time passes."""
    async with peer_pair(Desk(), Desk()) as (left, right):
        for _ in range(50):
            assert await left.call(Sum(a=1, b=2), timeout=0.001) == Total(total=3)
            assert await right.call(Sum(a=1, b=2), timeout=0.001) == Total(total=3)
    assert now() == 0.0


@virtual_time
async def test_what_a_socket_has_comes_before_the_next_timer() -> None:
    """The clock does not jump while a socket is ready."""
    here, there = socket.socketpair()
    loop = asyncio.get_running_loop()
    with here, there:
        read = asyncio.Event()
        loop.add_reader(here, read.set)
        there.send(b"now")
        async with asyncio.timeout(10):
            await read.wait()
        loop.remove_reader(here)
    assert now() == 0.0


@virtual_time
async def test_a_deadline_comes_in_time() -> None:
    """A call with a timeout of an hour ends after an hour and at most 50 ms, its default one after the default."""
    async with fake_peer(options=Options(timeout=60, ping_interval=None)) as (peer, _):
        with pytest.raises(DeadlineExceeded):
            await peer.call(Sum(a=1, b=2), timeout=HOUR)
        ended = now()
        assert HOUR <= ended <= HOUR + LATE
        with pytest.raises(DeadlineExceeded):
            await peer.call(Sum(a=1, b=2))
        assert ended + 60 <= now() <= ended + 60 + LATE


@virtual_time
async def test_an_answer_before_the_deadline() -> None:
    """An answer that comes a moment before the deadline counts, and later time does not matter to it."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=10))
        ask = await fake.next_ask()
        await asyncio.sleep(9.999)
        fake.answer(ask.tag, {b"total": b"3"})
        await asyncio.sleep(HOUR)
        assert await call == Total(total=3)


@virtual_time
async def test_a_named_address_in_memory() -> None:
    """`memory://` servers close with their grace in virtual time."""
    desk = Desk()
    async with ampkit.serve(desk, "memory://desk") as server, ampkit.connect("memory://desk") as peer:
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await desk.started.get()
        await server.close(grace=100)
        assert 100 <= now() <= 100 + LATE
        with pytest.raises(ampkit.ConnectionLost):
            await call


def test_waiting_for_ever_fails() -> None:
    """A test that nothing can wake fails after a virtual day, which is at once."""

    @virtual_time
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="a virtual day is over"):
        wait()


def test_a_timeout_of_the_test_is_its_own() -> None:
    """A TimeoutError from inside the test stays what it is."""

    @virtual_time
    async def time_out() -> None:
        async with asyncio.timeout(5):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        time_out()


def test_arguments_and_results_pass() -> None:
    """A decorated function takes what the coroutine function takes, returns what it returns, and keeps its name."""

    @virtual_time
    async def add(a: int, *, b: int) -> int:
        """Add."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add.")


def test_without_a_timer_the_loop_waits_for_threads() -> None:
    """What another thread sends is waited for in real time, if no timer is set."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:

        async def wait() -> float:
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(done.set,))
            thread.start()
            await done.wait()
            thread.join()
            return loop.time()

        assert runner.run(wait()) == 0.0
