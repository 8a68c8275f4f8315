"""Many connections that are looked at in a few timers."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import ConnectionLost, Limits, Options, connect, serve
from ampkit.asyncio.rota import Rota
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.turning import timers, turns

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])


class Looker:
    """Notes when it looked."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def look(self) -> None:
        """Note it."""
        self.times.append(asyncio.get_running_loop().time())


async def test_who_looks_at_the_same_time_shares_a_timer() -> None:
    """Each looks once, not before its time, and a thirty-second part of the usual time late at most."""
    rota, began = Rota(32.0, 64.0), asyncio.get_running_loop().time()
    lookers = [Looker() for _ in range(100)]
    for number, looker in enumerate(lookers):
        rota.add(looker, 32 + number / 100)
    assert len(timers()) <= 2
    await asyncio.sleep(100)
    for number, looker in enumerate(lookers):
        (time,) = looker.times
        assert 0 <= time - began - 32 - number / 100 <= 1
    assert not timers()


async def test_who_is_removed_does_not_look() -> None:
    """The others do; a timer that nobody needs is gone at once."""
    rota, gone, here = Rota(32.0, 64.0), Looker(), Looker()
    numbers = [rota.add(looker, 10) for looker in (gone, here)]
    rota.remove(gone, numbers[0])
    assert len(timers()) == 1
    await asyncio.sleep(20)
    assert (gone.times, len(here.times)) == ([], 1)
    rota.remove(here, numbers[1])
    rota.remove(gone, rota.add(gone, 10))
    assert not timers()


async def test_a_server_looks_at_all_its_connections() -> None:
    """Those that say nothing are closed in time, and those that do are not; then there is no timer left."""
    limits, options = Limits(idle_timeout=60), Options(ping_interval=None)
    async with serve(Office(), "memory://rota", limits=limits, options=options) as server:
        peers = [await connect("memory://rota", options=options) for _ in range(20)]
        await turns()
        assert len(timers()) <= 2 + len(peers)  # those that have connected have each their own
        for _ in range(10):
            await asyncio.sleep(50)
            assert await peers[0].call(Sum(a=13, b=81)) == Total(total=94)
        assert len(server.peers) == 1
        for peer in peers[1:]:
            assert isinstance(peer.end_reason, ConnectionLost)
        await peers[0].close()
        await turns()
    assert not timers()
