"""A bad line between two protocols."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import ConnectionLost, Limits, State
from ampkit.asyncio.address import MemoryAddress
from ampkit.testing import Trouble, peer_pair
from ampkit.testing.contract.commands import Content, Desk, Note, Reverse, Sum, Wait

DATA = bytes(range(256)) * 200


class Recorder(asyncio.Protocol):
    """Notes what it receives, and in which turn of the loop."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.pieces: list[bytes] = []
        self.turns = 0
        self.turns_of_pieces: list[int] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._count()

    def _count(self) -> None:
        self.turns += 1
        if not self.lost.done():
            asyncio.get_running_loop().call_soon(self._count)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.turns_of_pieces.append(self.turns)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


async def sent_over(trouble: Trouble, data: bytes) -> Recorder:
    """Send bytes over a line, close, and return who received them."""
    here, there = Recorder(), Recorder()
    trouble.connect_pair(asyncio.get_running_loop(), here, there, MemoryAddress("test"))
    here.transport.write(data)
    here.transport.close()
    await there.lost
    await here.lost
    return there


async def test_bytes_come_in_pieces_and_in_order() -> None:
    """All that was written before the close is received, split, over many turns of the loop."""
    received = await sent_over(Trouble(seed=1), DATA)
    assert b"".join(received.pieces) == DATA
    assert len(received.pieces) > 5
    assert received.turns_of_pieces[-1] > 2 * len(received.pieces)


async def test_a_seed_decides_everything() -> None:
    """The same seed gives the same pieces in the same turns, another one others."""
    runs = [await sent_over(Trouble(seed=seed), DATA) for seed in (1, 1, 2)]
    assert runs[0].pieces == runs[1].pieces
    assert runs[0].turns_of_pieces == runs[1].turns_of_pieces
    assert runs[0].pieces != runs[2].pieces


@pytest.mark.parametrize("cut_after", [1, 100, 10_000])
async def test_a_cut_line_delivers_so_much_and_breaks(cut_after: int) -> None:
    """Exactly so many bytes arrive, then the receiver's connection is broken."""
    received = await sent_over(Trouble(seed=3, cut_after=cut_after), DATA)
    assert b"".join(received.pieces) == DATA[:cut_after]
    assert isinstance(received.lost.result(), ConnectionError)


@pytest.mark.parametrize("seed", range(20))
async def test_calls_survive_a_bad_line(seed: int) -> None:
    """Large and small calls in both directions are answered over any line that is not cut."""
    async with peer_pair(Desk(), Desk(), trouble=Trouble(seed=seed)) as ends:
        calls = [peer.call(Reverse(data=DATA[:size])) for size in (0, 1, 1000) for peer in ends]
        answers = await asyncio.gather(*calls)
    assert answers == [Content(data=DATA[:size][::-1]) for size in (0, 1, 1000) for _ in range(2)]


@pytest.mark.parametrize("seed", range(20))
async def test_every_call_ends_on_a_line_that_is_cut(seed: int) -> None:
    """Calls are answered or raise ConnectionLost, and both ends are closed, wherever the line breaks."""
    async with peer_pair(Desk(), Desk(), trouble=Trouble(seed=seed, cut_after=37 * seed + 1)) as ends:
        answered = [peer.call(Reverse(data=DATA[:400])) for peer in ends]
        waiting = [peer.call(Wait(number=1)) for peer in ends]
        outcomes = await asyncio.gather(*answered, *waiting, return_exceptions=True)
        assert all(isinstance(outcome, Content | ConnectionLost) for outcome in outcomes)
        for peer in ends:
            await peer.wait_closed()
            assert peer.state is State.CLOSED


async def test_a_line_holds_back_the_sender_when_the_receiver_is_slow() -> None:
    """The line holds one delivery at most, not all that is sent."""
    desk = Desk()
    async with peer_pair(
        None, desk, limits=Limits(max_running_asks=1, max_buffered_bytes=5000), trouble=Trouble(seed=5)
    ) as (left, right):
        assert right.channel.transport is not None
        right.channel.transport.pause_reading()
        calls = [asyncio.create_task(left.call(Wait(number=number, load=bytes(5000)))) for number in range(200)]
        for _ in range(5000):
            await asyncio.sleep(0)
        assert left.channel.is_full
        right.channel.transport.resume_reading()
        desk.open_gates(*range(200))
        await asyncio.gather(*calls)


async def test_an_abort_passes_through_the_line() -> None:
    """An end that breaks its connection breaks the other's at once."""
    async with peer_pair(None, Desk(), trouble=Trouble(seed=6)) as (left, right):
        await left.call(Sum(a=1, b=2))
        await left.tell(Note(line="lost"))
        assert left.channel.transport is not None
        left.channel.transport.abort()
        await right.wait_closed()
        assert "broke" in str(right.end_reason)
