"""Two asyncio peers joined in memory, or over an address."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ampkit import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    LocalProtocolError,
    Options,
    Peer,
    Service,
    State,
)
from ampkit.testing import Trouble, peer_pair, served_pair
from ampkit.testing.contract.commands import Content, Desk, Reverse, Sum, Total, Wait


async def test_peers_call_each_other() -> None:
    """Each end answers with its own service."""
    async with peer_pair(Desk(), Desk()) as (left, right):
        assert await left.call(Sum(a=1, b=2)) == Total(total=3)
        assert await right.call(Sum(a=3, b=4)) == Total(total=7)


async def test_both_are_closed_at_the_end() -> None:
    """Behind the block both peers are closed and their responders cancelled, whatever happened in it."""
    desk = Desk()
    seen: list[Peer] = []

    async def fail() -> None:
        async with peer_pair(None, desk) as ends, asyncio.TaskGroup() as group:
            seen.extend(ends)
            group.create_task(ends[0].call(Wait(number=1)))
            await desk.started.get()
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await fail()
    assert [peer.state for peer in seen] == [State.CLOSED, State.CLOSED]
    assert desk.cancelled.get_nowait() == 1


class Slow(Service):
    """Responds never, and takes its time to notice that nobody waits."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.has_ended = False

    @Wait.responder
    async def wait(self, command: Wait) -> Total:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            self.has_ended = True
        return Total(total=command.number)


@pytest.mark.parametrize("end", [0, 1], ids=["left", "right"])
async def test_no_responder_runs_any_more_at_the_end(end: int) -> None:
    """The responders of either end have ended behind the block, even if that takes them some time."""
    slow = Slow()
    services = (slow, None) if end == 0 else (None, slow)
    async with peer_pair(*services) as ends:
        call = asyncio.create_task(ends[1 - end].call(Wait(number=1)))
        await slow.started.wait()
    assert slow.has_ended
    with pytest.raises(ConnectionLost):
        await call


async def test_limits_and_options_are_those_of_both_ends() -> None:
    """What is given holds for the left as for the right peer."""
    limits, options = Limits(max_box_bytes=1000), Options(timeout=0.01)
    async with peer_pair(Desk(), Desk(), limits=limits, options=options) as ends:
        for peer in ends:
            with pytest.raises(DeadlineExceeded):
                await peer.call(Wait(number=1))
            with pytest.raises(LocalProtocolError):
                await peer.call(Reverse(data=bytes(1000)))


async def test_a_line_may_be_bad() -> None:
    """With trouble, the same calls have the same answers."""
    async with peer_pair(None, Desk(), trouble=Trouble(seed=1)) as (left, _):
        data = bytes(range(256)) * 100
        assert await left.call(Reverse(data=data)) == Content(data=data[::-1])


async def test_a_pair_over_an_address(tmp_path: Path) -> None:
    """The right peer serves the address and the left one connects to it; both ends call."""
    for address in ("tcp://127.0.0.1:0", f"unix://{tmp_path}/socket", "memory://name"):
        async with served_pair(address, Desk(), Desk()) as (left, right):
            assert left.remote_address.split("//")[0] == address.split("//")[0]
            assert await left.call(Sum(a=1, b=2)) == Total(total=3)
            assert await right.call(Sum(a=3, b=4)) == Total(total=7)
        assert left.state is right.state is State.CLOSED


async def test_an_address_that_cannot_be_served() -> None:
    """The error is the one of `serve`."""
    with pytest.raises(ConnectionFailed):
        async with served_pair("unix:///no/such/directory/socket"):
            raise AssertionError("there is no connection")
