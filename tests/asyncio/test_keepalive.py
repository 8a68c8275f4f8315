"""Connections that are dead, idle or stuck in half a box: found in the promised time, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import ConnectionLost, Limits, Options, RemoteProtocolError
from ampkit.testing import FakePeer, fake_peer, peer_pair
from tests.asyncio.office import Note, Office, Reverse, Sum, Total, Wait
from tests.asyncio.turning import timers, turns

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])

PINGS = Options(ping_interval=10, ping_timeout=4)


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


async def answer_pings(fake: FakePeer, count: int, code: bytes | None = None) -> None:
    """Answer so many pings, or refuse them."""
    for _ in range(count):
        ping = await fake.next_ask()
        assert (ping.command, ping.box) == (b"_ping", {})
        if code is None:
            fake.answer(ping.tag)
        else:
            fake.refuse(ping.tag, code)


# Pings


async def test_a_dead_peer_is_found() -> None:
    """Within 1.5 times the interval and the timeout, whenever it died; calls end with what was found."""
    async with fake_peer(options=PINGS) as (peer, fake):
        await asyncio.sleep(3)
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await asyncio.sleep(1)
        fake.send_bytes(b"\0")  # its last sign of life
        died = now()
        fake.stop_reading()
        with pytest.raises(ConnectionLost, match="no sign of life"):
            await call
        assert 10 <= now() - died <= 1.5 * 14


@pytest.mark.parametrize("code", [None, b"UNHANDLED", b"BUSY"])
async def test_any_answer_is_a_sign_of_life(code: bytes | None) -> None:
    """A peer that knows no pings is alive too, and is pinged again."""
    async with fake_peer(options=PINGS) as (peer, fake):
        await answer_pings(fake, 20, code)
        assert now() <= 20 * 15
        assert peer.end_reason is None


async def test_a_peer_that_says_something_is_not_pinged() -> None:
    """Neither one that asks, nor one that sends a large box a bit at a time."""
    async with fake_peer(Office(), options=PINGS) as (_, fake):
        for _ in range(30):
            fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
            assert b"_answer" in await fake.next_box()
            await asyncio.sleep(4)
        fake.send_bytes(b"\0\1k\0\xff")
        for _ in range(9):
            await asyncio.sleep(4)
            fake.send_bytes(b"x")
        assert not fake.has_boxes


async def test_a_peer_that_lives_without_answering() -> None:
    """It gets no ping after another, and is found when it is silent at last."""
    async with fake_peer(Office(), options=PINGS) as (peer, fake):
        pings = 0
        for _ in range(30):
            await asyncio.sleep(12)
            fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
            await turns()
            while fake.has_boxes:
                pings += b"_ask" in await fake.next_box()
        assert pings == 1
        assert peer.end_reason is None
        died = now()
        await peer.wait_closed()
        assert 10 <= now() - died <= 1.5 * 14


async def test_pings_say_how_long_a_round_trip_takes() -> None:
    """`round_trip` has the seconds of the last one."""
    async with fake_peer(options=PINGS) as (peer, fake):
        assert peer.round_trip is None
        ping = await fake.next_ask()
        await asyncio.sleep(0.25)
        fake.answer(ping.tag)
        await turns()
        assert peer.round_trip == pytest.approx(0.25)


@pytest.mark.parametrize("options", [Options(ping_interval=None), Options(extensions=False)])
async def test_without_pings(options: Options) -> None:
    """Nothing is sent, and nobody is dead."""
    async with fake_peer(options=options) as (peer, fake):
        await asyncio.sleep(10_000)
        assert not fake.has_boxes
        assert peer.end_reason is None


async def test_two_of_ours_by_default() -> None:
    """They ping each other, and stay connected."""
    async with peer_pair(None, None) as ends:
        await asyncio.sleep(3600)
        for peer in ends:
            assert peer.end_reason is None
            assert peer.round_trip == 0


async def test_what_this_end_holds_back_is_no_silence() -> None:
    """While reading pauses because too many asks run, nobody is dead."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1, max_waiting_bytes=1), options=PINGS) as (peer, fake):
        for number in range(3):
            fake.ask(b"Wait", {b"number": b"%d" % number})
        await asyncio.sleep(100)
        assert not peer.channel.is_reading
        assert peer.end_reason is None
        for number in range(3):
            assert await office.started.get() == number
            office.gates[number].set()


async def test_a_peer_that_takes_nothing_is_dead() -> None:
    """Also while reading pauses because it does not take its answers."""
    async with fake_peer(Office(), limits=Limits(max_waiting_bytes=1), options=PINGS) as (peer, fake):
        fake.stop_reading()
        for _ in range(4):
            fake.ask(b"Reverse", {b"data": bytes(65_000)})
        await turns()
        assert not peer.channel.is_reading
        await peer.wait_closed()
        assert now() <= 1.5 * 14


async def test_a_closed_connection_leaves_no_timer() -> None:
    """What looks after it ends with it."""
    async with fake_peer(options=PINGS) as (peer, _):
        await asyncio.sleep(1)
        await peer.close()
        assert not timers()


# Half a box


@pytest.mark.parametrize("began", [0.0, 3.0, 5.5])
async def test_half_a_box(began: float) -> None:
    """It ends the connection within the time, however slowly more of it comes."""
    async with fake_peer(limits=Limits(box_timeout=10)) as (peer, fake):
        await asyncio.sleep(began)
        fake.send_bytes(b"\0\1k\xff\xff")
        while not peer.end_reason:
            await asyncio.sleep(0.5)
            fake.send_bytes(b"x")
        assert isinstance(peer.end_reason, RemoteProtocolError)
        assert "box_timeout" in str(peer.end_reason)
        assert 5 <= now() - began <= 10.5


async def test_boxes_that_follow_each_other_in_pieces() -> None:
    """Each has its own time, though there is always half of one."""
    async with fake_peer(Office(), limits=Limits(box_timeout=10)) as (peer, fake):
        fake.send_bytes(b"\0")
        for _ in range(20):
            await asyncio.sleep(4)
            fake.send_bytes(b"\4_ask\0\1x\0\x08_command\0\3Sum\0\1a\0\x011\0\1b\0\x012\0\0\0")
            assert b"_answer" in await fake.next_box()
        assert peer.end_reason is None


# Idle


async def test_an_idle_connection_is_closed() -> None:
    """Pings do not count; the other end sees it closed."""
    async with fake_peer(limits=Limits(idle_timeout=60), options=PINGS) as (peer, fake):
        pings = asyncio.create_task(answer_pings(fake, 1000))
        await peer.wait_closed()
        assert "idle" in str(peer.end_reason)
        assert 60 <= now() <= 90
        with pytest.raises(ConnectionLost):
            await pings


async def test_what_is_not_idle() -> None:
    """Asking, being asked, telling, and waiting for an answer in either direction."""
    office = Office()
    async with peer_pair(office, Office(), limits=Limits(idle_timeout=60)) as (left, right):
        waiting = asyncio.create_task(right.call(Wait(number=1)))
        await asyncio.sleep(1000)
        office.gates[1].set()
        await waiting
        for _ in range(10):
            await asyncio.sleep(50)
            await left.tell(Note(text="x"))
        for _ in range(10):
            await asyncio.sleep(50)
            await right.call(Reverse(data=b"x"))
        assert await left.call(Sum(a=13, b=81)) == Total(total=94)
        await left.wait_closed()
        assert "idle" in str(left.end_reason) or "idle" in str(right.end_reason)
