"""A real peer and a scripted other end."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import ConnectionLost, Limits, LocalProtocolError, RemoteError, RemoteProtocolError, State
from ampkit.core.events import AskReceived
from ampkit.testing import FakePeer, fake_peer
from ampkit.testing.contract.commands import Desk, Note, Reverse, Sum, Total, Wait

SUM = {b"a": b"13", b"b": b"81"}


async def test_the_fake_answers_what_it_is_asked() -> None:
    """The test reads the ask, and answers it as it likes."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=13, b=81)))
        ask = await fake.next_ask()
        assert ask == AskReceived(b"1", b"Sum", SUM)
        fake.answer(ask.tag, {b"total": b"94"})
        assert await call == Total(total=94)


async def test_the_fake_refuses_what_it_is_asked() -> None:
    """A refusal has its code and description."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=13, b=81)))
        fake.refuse((await fake.next_ask()).tag, b"TEAPOT", b"short and stout")
        with pytest.raises(RemoteError) as caught:
            await call
        assert (caught.value.code, caught.value.description) == ("TEAPOT", "short and stout")


async def test_the_fake_asks() -> None:
    """The peer under test answers with its service; each ask has a tag of its own."""
    async with fake_peer(Desk()) as (_, fake):
        tags = [fake.ask(b"Sum", SUM), fake.ask(b"Nobody")]
        assert tags == [b"fake-1", b"fake-2"]
        assert await fake.next_box() == {b"_answer": b"fake-1", b"total": b"94"}
        refusal = await fake.next_box()
        assert refusal.pop(b"_error_description").startswith(b"Unhandled")
        assert refusal == {b"_error": b"fake-2", b"_error_code": b"UNHANDLED"}


async def test_the_fake_tells_and_is_told() -> None:
    """Commands without a tag go both ways; what wants no answer cannot be answered."""
    desk = Desk()
    async with fake_peer(desk) as (peer, fake):
        fake.tell(b"Note", {b"line": b"hello"})
        await peer.tell(Note(line="you too"))
        told = await fake.next_ask()
        assert told == AskReceived(None, b"Note", {b"line": b"you too"})
        assert desk.notes == ["hello"]
        with pytest.raises(AssertionError, match="no answer is wanted"):
            fake.answer(told.tag)
        with pytest.raises(AssertionError, match="no answer is wanted"):
            fake.refuse(told.tag, b"NO")


async def test_another_box_is_not_an_ask() -> None:
    """Where an ask was expected, the error shows what came."""
    async with fake_peer(Desk()) as (_, fake):
        fake.ask(b"Sum", SUM)
        with pytest.raises(AssertionError, match="_answer: fake-1\ntotal: 94"):
            await fake.next_ask()


async def test_boxes_wait_until_they_are_taken() -> None:
    """Nothing is lost if the test looks later, not even behind the end."""
    async with fake_peer() as (peer, fake):
        for line in ("one", "two"):
            await peer.tell(Note(line=line))
        await peer.close()
        await fake.wait_closed()
        assert [(await fake.next_ask()).box[b"line"] for _ in range(2)] == [b"one", b"two"]
        with pytest.raises(ConnectionLost, match="was closed"):
            await fake.next_box()


async def test_waiting_for_a_box_ends_with_the_connection() -> None:
    """A test does not hang on a peer that has gone."""
    async with fake_peer() as (peer, fake):
        box = asyncio.create_task(fake.next_box())
        await asyncio.sleep(0)
        await peer.close()
        with pytest.raises(ConnectionLost):
            await box


async def test_bytes_that_are_no_box() -> None:
    """The fake sends what no proper peer would; what is no box has to be bytes."""
    async with fake_peer() as (peer, fake):
        with pytest.raises(LocalProtocolError):
            fake.send_box({})
        fake.send_bytes(b"\xff\xff")
        await fake.wait_closed()
        assert isinstance(peer.end_reason, RemoteProtocolError)
        with pytest.raises(ConnectionLost, match="was broken"):
            await fake.next_box()


async def test_a_fake_that_does_not_read() -> None:
    """What the peer sends piles up on its side, so that its callers wait, until the fake reads again."""
    async with fake_peer(limits=Limits(max_buffered_bytes=1000)) as (peer, fake):
        fake.stop_reading()
        calls = [asyncio.create_task(peer.call(Reverse(data=bytes(10_000)))) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert 1000 < peer.channel.buffered() < 100_000
        fake.start_reading()
        for _ in calls:
            fake.answer((await fake.next_ask()).tag, {b"data": b"x"})
        assert [(await call).data for call in calls] == [b"x"] * 20


async def test_a_fake_that_does_not_read_is_closed_at_the_end() -> None:
    """The end of the block does not wait for a fake that was left unreading."""
    async with asyncio.timeout(1), fake_peer() as (peer, fake):
        fake.stop_reading()
        await peer.tell(Note(line="unread"))
    assert peer.state is State.CLOSED


async def test_the_fake_closes() -> None:
    """The peer under test first gets what was sent, and then the end."""
    desk = Desk()
    async with fake_peer(desk) as (peer, fake):
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await fake.next_ask()
        fake.tell(b"Note", {b"line": b"last words"})
        fake.close()
        with pytest.raises(ConnectionLost, match="the other end closed"):
            await call
        assert desk.notes == ["last words"]


async def test_the_fake_crashes() -> None:
    """An abort is a broken connection to the peer under test."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await fake.next_ask()
        fake.abort()
        with pytest.raises(ConnectionLost, match="broke"):
            await call
        fake.send_bytes(b"nobody hears it")


async def test_several_wait_for_boxes() -> None:
    """Two tasks of a test that wait for a box each get one."""
    async with fake_peer() as (peer, fake):
        boxes = [asyncio.create_task(_line(fake)) for _ in range(2)]
        await asyncio.sleep(0)
        for line in ("one", "two"):
            await peer.tell(Note(line=line))
        assert sorted(await asyncio.gather(*boxes)) == [b"one", b"two"]


async def _line(fake: FakePeer) -> bytes:
    return (await fake.next_ask()).box[b"line"]
