"""Closing without losing a call: peers are told, what was begun ends, and what was not may be sent elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import ConnectionLost, Limits, NotSent, Options, connect, serve
from ampkit.policy.backoff import Backoff
from ampkit.testing import fake_peer, peer_pair
from tests.asyncio.office import Office, Sum, Total, Wait
from tests.asyncio.turning import turns

virtual = pytest.mark.asyncio(loop_factories=["virtual"])


@virtual
async def test_peers_are_told_and_what_runs_ends() -> None:
    """`_drain` is sent first; what runs is answered; what was asked since is refused as BUSY, then all is closed."""
    office = Office()
    async with fake_peer(office) as (peer, fake):
        running = fake.ask(b"Wait", {b"number": b"1"})
        await office.started.get()
        closing = asyncio.create_task(peer.close(grace=30))
        notice = await fake.next_ask()
        assert (notice.command, notice.box) == (b"_drain", {})
        late = fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
        busy = await fake.next_box()
        assert (busy[b"_error"], busy[b"_error_code"]) == (late, b"BUSY")
        fake.answer(notice.tag)
        office.gates[1].set()
        assert await fake.next_box() == {b"_answer": running, b"total": b"1"}
        await closing
        assert asyncio.get_running_loop().time() == 0


@virtual
@pytest.mark.parametrize("code", [b"UNHANDLED", None])
async def test_a_peer_that_knows_nothing_of_it(code: bytes | None) -> None:
    """A refusal will do; one that does not answer is waited for as long as `close_timeout` says."""
    async with fake_peer() as (peer, fake):
        closing = asyncio.create_task(peer.close(grace=30))
        notice = await fake.next_ask()
        if code is not None:
            fake.refuse(notice.tag, code)
        await closing
        assert asyncio.get_running_loop().time() == (0 if code else 5)


async def test_without_extensions_nobody_is_told() -> None:
    """`Options(extensions=False)` closes in peace all the same."""
    async with fake_peer(options=Options(extensions=False)) as (peer, fake):
        await peer.close(grace=30)
        await fake.wait_closed()
        assert not fake.has_boxes


async def test_who_was_told_asks_nothing_more() -> None:
    """Calls raise NotSent, also those that have waited for their turn to be sent; what is under way ends."""
    async with fake_peer(limits=Limits(max_waiting_bytes=60)) as (peer, fake):
        first = asyncio.create_task(peer.call(Sum(a=13, b=81)))
        second = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        draining = [peer.is_draining]
        notice = fake.ask(b"_drain")
        assert await fake.next_box() == {b"_answer": notice}
        assert [*draining, peer.is_draining] == [False, True]
        with pytest.raises(NotSent, match="begins nothing new"):
            await second
        for call in (peer.call(Sum(a=1, b=2)), peer.call_many([Sum(a=1, b=2)]), peer.call_raw(b"Sum")):
            with pytest.raises(NotSent):
                await call
        fake.answer(ask.tag, {b"total": b"94"})
        assert await first == Total(total=94)
        fake.close()
        await peer.wait_closed()
        with pytest.raises(ConnectionLost, match="ended"):
            await peer.call(Sum(a=1, b=2))


async def test_a_server_drains_without_losing_a_call(address: str) -> None:
    """Calls that were accepted are answered; all others say that they were not begun."""
    office = Office()
    async with serve(office, address) as server, connect(server.addresses[0]) as client:
        accepted = [asyncio.create_task(client.call(Wait(number=number))) for number in range(10)]
        for _ in accepted:
            await office.started.get()
        draining = asyncio.create_task(server.drain())
        others = []
        while not client.is_draining:
            others.append(asyncio.create_task(client.call(Sum(a=1, b=2))))
            await turns(1)
        with pytest.raises(NotSent):
            await client.call(Sum(a=1, b=2))
        for gate in office.gates.values():
            gate.set()
        assert [reply.total for reply in await asyncio.gather(*accepted)] == list(range(10))
        for outcome in await asyncio.gather(*others, return_exceptions=True):
            begun = not isinstance(outcome, NotSent) and str(outcome) != "BUSY: this end is closing the connection"
            assert not begun or outcome == Total(total=3)
        await draining
        await client.wait_closed()


@virtual
async def test_a_peer_that_comes_back_asks_the_next_server() -> None:
    """A call made while the old connection drains waits for the new one."""
    office = Office()
    first = await serve(office, "memory://office")
    async with connect("memory://office", reconnect=Backoff()) as client:
        running = asyncio.create_task(client.call(Wait(number=1)))
        await office.started.get()
        draining = asyncio.create_task(first.drain())
        await turns()
        async with serve(Office(), "memory://office"):
            call = asyncio.create_task(client.call(Sum(a=13, b=81)))
            await turns()
            assert not call.done()
            office.gates[1].set()
            assert await running == Total(total=1)
            assert await call == Total(total=94)
            await draining


async def test_both_ends_close_in_peace_at_a_time() -> None:
    """Neither waits for the other's answer for ever."""
    async with peer_pair(Office(), Office()) as (left, right):
        await asyncio.gather(left.close(grace=30), right.close(grace=30))
