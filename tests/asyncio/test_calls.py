"""A call that is cancelled, or whose time runs out, at any moment: it ends alone, and nothing of it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from ampkit import (
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    LocalProtocolError,
    Options,
    Peer,
    RemoteProtocolError,
    UnknownRemoteError,
    encode_box,
)
from ampkit.core.events import AskReceived
from ampkit.testing import FakePeer, fake_peer, peer_pair
from tests.asyncio.office import Content, Note, Office, Reverse, Sum, Total, Wait
from tests.asyncio.turning import fire_timers, timers, turns

Call: TypeAlias = Callable[[Peer], Coroutine[Any, Any, Any]]

virtual = pytest.mark.asyncio(loop_factories=["virtual"])

SMALL = Limits(max_buffered_bytes=1000)
LARGE = Reverse(data=bytes(2000))


async def fill(peer: Peer, fake: FakePeer) -> asyncio.Task[Content]:
    """Make a peer wait for room: the other end does not take the large ask of the task that is returned."""
    fake.stop_reading()
    large = asyncio.create_task(peer.call(LARGE))
    await turns()
    return large


async def finish(large: asyncio.Task[Content], fake: FakePeer) -> None:
    """Take the large ask and answer it."""
    fake.start_reading()
    fake.answer((await fake.next_ask()).tag, {b"data": b""})
    await large


async def cancelled(fake: FakePeer, ask: AskReceived) -> None:
    """Receive that nobody waits for an ask any more, as a peer does that knows nothing of that."""
    notice = await fake.next_ask()
    assert (notice.command, notice.box) == (b"_cancel", {b"tag": ask.tag})
    fake.refuse(notice.tag, b"UNHANDLED")
    await turns()


# Cancelled


async def test_a_call_is_cancelled_while_it_waits_for_the_answer() -> None:
    """It ends with CancelledError, and the late answer is dropped: the next call gets its own."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        first = await fake.next_ask()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await cancelled(fake, first)
        following = asyncio.create_task(peer.call(Sum(a=3, b=4)))
        second = await fake.next_ask()
        assert second.tag != first.tag
        fake.answer(first.tag, {b"total": b"3"})
        fake.answer(second.tag, {b"total": b"7"})
        assert await following == Total(total=7)


async def test_a_call_is_cancelled_while_it_waits_for_room() -> None:
    """Nothing of it is ever sent."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await turns()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await finish(large, fake)
        last = asyncio.create_task(peer.call(Sum(a=3, b=4)))
        ask = await fake.next_ask()
        assert ask.box == {b"a": b"3", b"b": b"4"}
        fake.answer(ask.tag, {b"total": b"7"})
        assert await last == Total(total=7)


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_call_is_cancelled_in_the_turn_of_its_answer(cancelled_first: bool) -> None:
    """Whichever comes first, it ends with CancelledError, and the connection goes on."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        loop = asyncio.get_running_loop()
        answer = encode_box({b"_answer": ask.tag or b"", b"total": b"3"})
        if cancelled_first:
            loop.call_soon(call.cancel)
        loop.call_soon(peer.channel.data_received, answer)
        if not cancelled_first:
            loop.call_soon(call.cancel)
        with pytest.raises(asyncio.CancelledError):
            await call
        if cancelled_first and peer.channel.connection.pending:
            await cancelled(fake, ask)
        await _answers(peer, fake)


async def test_a_call_that_waits_for_room_is_cancelled_in_the_turn_in_which_there_is_room() -> None:
    """It ends with CancelledError; it was sent as soon as there was room, so the other end is told; others go on."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        other = asyncio.create_task(peer.call(Sum(a=3, b=4)))
        await turns()
        peer.channel.resume_writing()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await finish(large, fake)
        asks = [await fake.next_ask() for _ in range(2)]
        assert [ask.box for ask in asks] == [{b"a": b"1", b"b": b"2"}, {b"a": b"3", b"b": b"4"}]
        await cancelled(fake, asks[0])
        fake.answer(asks[1].tag, {b"total": b"7"})
        assert await other == Total(total=7)


async def test_call_many_is_cancelled() -> None:
    """All its asks are given up, whatever was answered."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call_many([Sum(a=1, b=2), Sum(a=3, b=4)]))
        asks = [await fake.next_ask(), await fake.next_ask()]
        fake.answer(asks[0].tag, {b"total": b"3"})
        await turns()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await cancelled(fake, asks[1])
        fake.answer(asks[1].tag, {b"total": b"7"})
        await _answers(peer, fake)


# Out of time

CALLS: dict[str, Call] = {
    "call": lambda peer: peer.call(Sum(a=1, b=2), timeout=60),
    "call_raw": lambda peer: peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}, timeout=60),
    "call_many": lambda peer: peer.call_many([Sum(a=1, b=2)], timeout=60),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@virtual
@calls
async def test_a_call_runs_out_of_time(call: Call) -> None:
    """DeadlineExceeded comes when the time is over, at most 50 ms late; a late answer is dropped."""
    async with fake_peer() as (peer, fake):
        task = asyncio.create_task(call(peer))
        ask = await fake.next_ask()
        with pytest.raises(DeadlineExceeded, match="Sum"):
            await task
        assert 60 <= asyncio.get_running_loop().time() <= 60.05
        fake.answer(ask.tag, {b"total": b"3"})
        await _answers(peer, fake)


@virtual
@calls
async def test_a_call_runs_out_of_time_while_it_waits_for_room(
    call: Call,
) -> None:
    """The time counts from the beginning, and nothing of it is ever sent."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        with pytest.raises(DeadlineExceeded):
            await call(peer)
        assert 60 <= asyncio.get_running_loop().time() <= 60.05
        await finish(large, fake)
        await _answers(peer, fake)


@virtual
@calls
async def test_the_time_counts_on_when_there_is_room(call: Call) -> None:
    """A call that waited 40 s for room has 20 s of its 60 left for the answer."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        task = asyncio.create_task(call(peer))
        await asyncio.sleep(40)
        await finish(large, fake)
        with pytest.raises(DeadlineExceeded):
            await task
        assert 60 <= asyncio.get_running_loop().time() <= 60.05


@virtual
@calls
async def test_time_and_the_wait_for_room_end_in_one_turn(call: Call) -> None:
    """A call whose room and whose end come at once does not wait for ever."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        task = asyncio.create_task(call(peer))
        await turns()
        peer.channel.resume_writing()
        fire_timers()
        with pytest.raises(DeadlineExceeded):
            await task
        await finish(large, fake)


@virtual
async def test_time_runs_out_in_the_turn_of_the_answer() -> None:
    """The answer that came first is returned."""
    async with fake_peer() as (peer, fake):
        task = asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=60))
        ask = await fake.next_ask()
        peer.channel.data_received(encode_box({b"_answer": ask.tag or b"", b"total": b"3"}))
        fire_timers()
        assert await task == Total(total=3)


@virtual
async def test_the_default_timeout_is_an_option() -> None:
    """A call without a timeout has that of the options; None waits for as long as it takes."""
    async with fake_peer(options=Options(timeout=5, ping_interval=None)) as (peer, fake):
        patient = asyncio.create_task(peer.call(Sum(a=3, b=4), timeout=None))
        ask = await fake.next_ask()
        with pytest.raises(DeadlineExceeded):
            await peer.call(Sum(a=1, b=2))
        assert 5 <= asyncio.get_running_loop().time() <= 5.05
        await asyncio.sleep(3600)
        fake.answer(ask.tag, {b"total": b"7"})
        assert await patient == Total(total=7)


@virtual
async def test_a_command_without_an_answer_has_its_time_too() -> None:
    """A call of it that finds no room in time raises DeadlineExceeded, and is never sent."""
    async with fake_peer(limits=SMALL) as (peer, fake):
        large = await fill(peer, fake)
        with pytest.raises(DeadlineExceeded):
            await peer.call(Note(text="too late"), timeout=60)
        assert 60 <= asyncio.get_running_loop().time() <= 60.05
        await finish(large, fake)
        await peer.call(Note(text="in time"), timeout=60)
        assert (await fake.next_ask()).box == {b"text": b"in time"}


@virtual
async def test_many_timeouts_at_once() -> None:
    """Each call ends with its own, the shortest first, whatever was asked before."""
    async with fake_peer() as (peer, _):
        ended: list[float] = []

        async def one(seconds: float) -> None:
            with pytest.raises(DeadlineExceeded):
                await peer.call(Sum(a=1, b=2), timeout=seconds)
            assert seconds <= asyncio.get_running_loop().time() <= seconds + 0.05
            ended.append(seconds)

        wanted = [30, 0.1, 7, 0, 7, 1.004, 3600, 1.006, -1]
        await asyncio.gather(*(one(max(seconds, 0)) for seconds in wanted))
        assert ended == sorted(ended)


@virtual
async def test_a_call_that_ends_leaves_no_timer() -> None:
    """What a call's timeout needs is given back at its end: soon after, nothing of it is left in the loop."""
    async with peer_pair(None, Office(), limits=Limits(box_timeout=None), options=Options(ping_interval=None)) as (
        client,
        _,
    ):
        for _ in range(100):
            await client.call(Sum(a=1, b=2), timeout=3600)
        await asyncio.sleep(0.1)
        assert len(timers()) <= 1


# Other ends of a call


async def test_an_answer_that_is_not_what_the_command_declares() -> None:
    """It ends that call alone, with RemoteProtocolError."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        fake.answer((await fake.next_ask()).tag, {b"total": b"three"})
        with pytest.raises(RemoteProtocolError, match="three"):
            await call
        await _answers(peer, fake)


async def test_a_refusal_without_a_code() -> None:
    """It ends that call alone, with RemoteProtocolError."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        fake.send_box({b"_error": (await fake.next_ask()).tag or b""})
        with pytest.raises(RemoteProtocolError, match="_error_code"):
            await call
        await _answers(peer, fake)


async def test_answers_out_of_order() -> None:
    """Each call gets the answer to its own ask."""
    async with fake_peer() as (peer, fake):
        tasks = [asyncio.create_task(peer.call(Sum(a=number, b=0))) for number in range(50)]
        asks = [await fake.next_ask() for _ in tasks]
        for ask in reversed(asks):
            fake.answer(ask.tag, {b"total": ask.box[b"a"]})
        assert [reply.total for reply in await asyncio.gather(*tasks)] == list(range(50))


async def test_an_error_says_which_call_and_which_peer() -> None:
    """A note on the exception names the command and the other end."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        fake.refuse((await fake.next_ask()).tag, b"UNKNOWN", b"Unknown Error")
        with pytest.raises(UnknownRemoteError) as caught:
            await call
        assert caught.value.__notes__ == ["This is the answer to Sum from memory://test."]


async def test_a_command_that_cannot_be_encoded() -> None:
    """Its call raises LocalProtocolError before anything is sent, and the connection goes on."""
    async with fake_peer() as (peer, fake):
        with pytest.raises(LocalProtocolError, match=r"Reverse\.data"):
            await peer.call(Reverse(data=bytes(65_536)))
        with pytest.raises(LocalProtocolError):
            await peer.tell(Reverse(data=bytes(65_536)))
        with pytest.raises(LocalProtocolError, match="_ask"):
            await peer.call_raw(b"Sum", {b"_ask": b"1"})
        await _answers(peer, fake)


async def test_a_call_after_the_end() -> None:
    """It raises ConnectionLost at once, with the reason of the end as its cause."""
    async with fake_peer() as (peer, fake):
        fake.close()
        await peer.wait_closed()
        for call in (peer.call(Sum(a=1, b=2)), peer.call_raw(b"Sum"), peer.tell(Sum(a=1, b=2))):
            with pytest.raises(ConnectionLost) as caught:
                await call
            assert caught.value.__cause__ is peer.end_reason
        assert isinstance(peer.end_reason, ConnectionLost)


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
@pytest.mark.parametrize("count", [1000, 10_000])
async def test_many_outstanding_calls(count: int) -> None:
    """They all wait at a time, and each gets its own answer."""
    office = Office()
    async with peer_pair(None, office, limits=Limits(max_running_asks=count)) as (client, _):
        tasks = [asyncio.create_task(client.call(Wait(number=number))) for number in range(count)]
        for _ in tasks:
            await office.started.get()
        for gate in office.gates.values():
            gate.set()
        assert [reply.total for reply in await asyncio.gather(*tasks)] == list(range(count))


async def _answers(peer: Peer, fake: FakePeer) -> None:
    """Check that the connection is as good as new: nothing is pending, and the next ask is answered."""
    assert not peer.channel.connection.pending
    task = asyncio.create_task(peer.call(Sum(a=13, b=81)))
    ask = await fake.next_ask()
    assert ask.box == {b"a": b"13", b"b": b"81"}
    fake.answer(ask.tag, {b"total": b"94"})
    assert await task == Total(total=94)
