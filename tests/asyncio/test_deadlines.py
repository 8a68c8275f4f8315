"""Time limits that travel with asks, and cancellation that does: what the responder sees, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from ampkit import (
    Command,
    DeadlineExceeded,
    Limits,
    Options,
    Peer,
    RemoteError,
    Response,
    Service,
    connect,
    deadline,
    serve,
)
from ampkit.testing import fake_peer, peer_pair
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.turning import turns

virtual = pytest.mark.asyncio(loop_factories=["virtual"])


class Left(Response):
    """Seconds."""

    seconds: float | None = None


class Look(Command[Left]):
    """How long is this ask waited for?"""


class LookLater(Command[Left]):
    """The same, in a coroutine."""


class LookThere(Command[Left]):
    """How long is an ask of the responder's own waited for?"""

    own: float | None = None


class Sleep(Command[None]):
    """Take so many seconds, and note how that ended."""

    seconds: float
    stubborn: bool = False


class Watch(Service):
    """Tells how long it is waited for."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    @Look.responder
    def look(self, _: Look) -> Left:
        """Look at once."""
        return left()

    @LookLater.responder
    async def look_later(self, _: LookLater) -> Left:
        """Look after a second."""
        await asyncio.sleep(1)
        return left()

    @LookThere.responder
    async def look_there(self, command: LookThere, peer: Peer) -> Left:
        """Ask back."""
        return await peer.call(Look(), timeout=command.own)

    @Sleep.responder
    async def sleep(self, command: Sleep) -> None:
        """Sleep, and note the end; a stubborn one takes a second more when it is cancelled."""
        try:
            await asyncio.sleep(command.seconds)
            self.ended.append("slept")
        except asyncio.CancelledError:
            if command.stubborn:
                await asyncio.sleep(1)
            self.ended.append("cancelled")
            raise


def left() -> Left:
    """Return the seconds that are left."""
    due = deadline()
    return Left(seconds=None if due is None else round(due - asyncio.get_running_loop().time(), 1))


@asynccontextmanager
async def watched(limits: Limits = Limits()) -> AsyncGenerator[tuple[Peer, Watch], None]:  # noqa: B008 - frozen
    """Join a client to a watch; both ends have one."""
    watch = Watch()
    async with peer_pair(Watch(), watch, limits=limits) as (client, _):
        yield client, watch


# What travels


@virtual
async def test_an_ask_says_how_long_it_is_waited_for() -> None:
    """The key `_timeout` has the milliseconds that are left; without a limit there is none."""
    async with fake_peer() as (peer, fake):
        calls = [asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=timeout)) for timeout in (2, 0.25, None)]
        calls.append(asyncio.create_task(peer.call_many([Sum(a=1, b=2)], timeout=2)))  # type: ignore[arg-type]
        calls.append(asyncio.create_task(peer.call_raw(b"Sum", timeout=2)))  # type: ignore[arg-type]
        for timeout in (b"2000", b"250", None, b"2000", b"2000"):
            ask = await fake.next_ask()
            assert ask.box.get(b"_timeout") == timeout
            fake.answer(ask.tag, {b"total": b"3"})
        await asyncio.gather(*calls)


@virtual
async def test_a_call_that_waited_for_room_has_less_time_left() -> None:
    """What travels is what is left when the ask is sent."""
    async with fake_peer(limits=Limits(max_waiting_bytes=60)) as (peer, fake):
        first = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        second = asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=60))
        await asyncio.sleep(40)
        fake.answer(ask.tag, {b"total": b"3"})
        ask = await fake.next_ask()
        assert ask.box[b"_timeout"] == b"20000"
        fake.answer(ask.tag, {b"total": b"3"})
        assert await first == await second == Total(total=3)


async def test_without_extensions_nothing_travels() -> None:
    """`Options(extensions=False)` sends neither time limits nor cancellations."""
    async with fake_peer(options=Options(extensions=False)) as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=2))
        assert b"_timeout" not in (await fake.next_ask()).box
        call.cancel()
        await asyncio.wait([call])
        following = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        assert ask.command == b"Sum"
        fake.answer(ask.tag, {b"total": b"3"})
        await following


# What the responder sees


@virtual
@pytest.mark.parametrize(("timeout", "seconds"), [(60, 60), (None, None)])
async def test_a_responder_sees_its_deadline(timeout: float | None, seconds: float | None) -> None:
    """`deadline()` is the loop's time until which the caller waits, in plain responders and coroutines alike."""
    async with watched() as (client, _):
        assert (await client.call(Look(), timeout=timeout)).seconds == seconds
        later = (await client.call(LookLater(), timeout=timeout)).seconds
        assert later == (seconds and seconds - 1)
    assert deadline() is None


@virtual
@pytest.mark.parametrize(
    ("timeout", "own", "seconds"), [(60, None, 60), (60, 5, 5), (5, 60, 5), (None, 60, 60), (None, None, None)]
)
async def test_calls_of_a_responder_inherit_its_deadline(
    timeout: float | None, own: float | None, seconds: float | None
) -> None:
    """They end at their own time or the responder's, whichever is first."""
    async with watched() as (client, _):
        assert (await client.call(LookThere(own=own), timeout=timeout)).seconds == seconds


@virtual
async def test_a_connection_that_a_responder_makes_does_not_inherit() -> None:
    """What is asked on it later has the time that its own caller gives."""

    class Opener(Service):
        @Sleep.responder
        async def open(self, _: Sleep) -> None:
            opened.append(await connect("memory://watch", Watch()))

    opened: list[Peer] = []
    async with serve(Watch(), "memory://watch") as server, peer_pair(None, Opener()) as (client, _):
        await client.call(Sleep(seconds=0), timeout=5)
        (other,) = server.peers
        assert (await other.call(Look())).seconds is None
        assert (await other.call(LookLater())).seconds is None
        await opened[0].close()


# What happens when the time is over


@virtual
async def test_a_responder_is_cancelled_at_its_deadline() -> None:
    """Its caller sees DeadlineExceeded at the same time, at most 50 ms late."""
    async with watched() as (client, watch):
        with pytest.raises(DeadlineExceeded):
            await client.call(Sleep(seconds=60), timeout=5)
        assert 5 <= asyncio.get_running_loop().time() <= 5.05
        await asyncio.sleep(0.05)
        assert watch.ended == ["cancelled"]


@virtual
async def test_the_refusal_at_the_deadline() -> None:
    """It has the code DEADLINE_EXCEEDED, which is a DeadlineExceeded at an end that waits for longer."""
    watch = Watch()
    async with fake_peer(watch) as (peer, fake):
        tag = fake.ask(b"Sleep", {b"seconds": b"60", b"_timeout": b"5000"})
        box = await fake.next_box()
        assert (box[b"_error"], box[b"_error_code"]) == (tag, b"DEADLINE_EXCEEDED")
        assert watch.ended == ["cancelled"]
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        fake.refuse((await fake.next_ask()).tag, b"DEADLINE_EXCEEDED", b"the time for this ask is over\x1b")
        with pytest.raises(DeadlineExceeded, match="no answer to Sum"):
            await call


@virtual
async def test_an_ask_whose_time_is_over_is_not_begun() -> None:
    """Neither with no time at all, nor if it has waited too long for its turn."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1)) as (_, fake):
        fake.ask(b"Sum", {b"a": b"1", b"b": b"2", b"_timeout": b"0"})
        assert (await fake.next_box())[b"_error_code"] == b"DEADLINE_EXCEEDED"
        first = fake.ask(b"Wait", {b"number": b"1"})
        fake.ask(b"Wait", {b"number": b"2", b"_timeout": b"1000"})
        await asyncio.sleep(2)
        office.gates[1].set()
        assert (await fake.next_box())[b"_answer"] == first
        assert (await fake.next_box())[b"_error_code"] == b"DEADLINE_EXCEEDED"
        assert await office.started.get() == 1
        assert office.started.empty()


@pytest.mark.parametrize("timeout", [b"", b"-1", b"1.5", b" 1", b"1" * 13, b"\x1b"])
@pytest.mark.parametrize("running", [0, 1])
async def test_a_time_limit_that_is_none(timeout: bytes, running: int) -> None:
    """Such an ask is refused as MALFORMED, be it at once or in the line, and the connection goes on."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1)) as (_, fake):
        for _ in range(running):
            fake.ask(b"Wait", {b"number": b"1"})
            await office.started.get()
        fake.ask(b"Sum", {b"a": b"1", b"b": b"2", b"_timeout": timeout})
        box = await fake.next_box()
        assert box[b"_error_code"] == b"MALFORMED"
        assert b"_timeout" in box[b"_error_description"]
        assert b"\x1b" not in box[b"_error_description"]


@virtual
async def test_a_call_without_time_is_not_sent() -> None:
    """It raises DeadlineExceeded at once."""
    async with fake_peer() as (peer, fake):
        for call in (peer.call(Sum(a=1, b=2), timeout=0), peer.call_many([Sum(a=1, b=2)], timeout=-1)):
            with pytest.raises(DeadlineExceeded):
                await call
        following = asyncio.create_task(peer.call(Sum(a=3, b=4)))
        ask = await fake.next_ask()
        assert ask.tag == b"1"
        fake.answer(ask.tag, {b"total": b"7"})
        await following


# Cancellation


async def test_cancelling_a_call_cancels_the_responder() -> None:
    """It is cancelled within one round trip, and nothing is left in any table."""
    async with watched() as (client, watch):
        call = asyncio.create_task(client.call(Sleep(seconds=60)))
        await turns()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await turns()
        assert watch.ended == ["cancelled"]
        assert not client.channel.connection.pending
        assert (await client.call(Look())).seconds is None


async def test_cancelling_call_many_cancels_all_responders() -> None:
    """Those that have not answered yet."""
    async with watched() as (client, watch):
        call = asyncio.create_task(client.call_many([Sleep(seconds=0), Sleep(seconds=60), Sleep(seconds=60)]))
        await turns()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await turns()
        assert watch.ended == ["slept", "cancelled", "cancelled"]
        assert not client.channel.connection.pending


async def test_the_refusal_of_a_cancelled_ask() -> None:
    """Each ask is answered once: the `_cancel` with an empty box, the cancelled one as CANCELLED."""
    async with fake_peer(Watch()) as (_, fake):
        tag = fake.ask(b"Sleep", {b"seconds": b"60"})
        notice = fake.ask(b"_cancel", {b"tag": tag})
        boxes = [await fake.next_box(), await fake.next_box()]
        assert {b"_answer": notice} in boxes
        assert {
            b"_error": tag,
            b"_error_code": b"CANCELLED",
            b"_error_description": b"the caller waits no more",
        } in boxes


@virtual
async def test_a_cancelled_ask_keeps_its_slot_until_it_has_ended() -> None:
    """A responder that takes its time to clean up is still one of those that run."""
    async with watched(Limits(max_running_asks=1)) as (client, watch):
        call = asyncio.create_task(client.call(Sleep(seconds=60, stubborn=True)))
        await turns()
        call.cancel()
        await asyncio.wait([call])
        await client.call(Look())
        assert asyncio.get_running_loop().time() == 1
        assert watch.ended == ["cancelled"]


async def test_an_ask_that_waits_for_its_turn_is_cancelled() -> None:
    """It is never begun."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1)) as (_, fake):
        first = fake.ask(b"Wait", {b"number": b"1"})
        second = fake.ask(b"Wait", {b"number": b"2"})
        fake.ask(b"_cancel", {b"tag": second})
        await fake.next_box()
        office.gates[1].set()
        assert (await fake.next_box())[b"_answer"] == first
        assert (await fake.next_box())[b"_error_code"] == b"CANCELLED"
        assert await office.started.get() == 1
        assert office.started.empty()


@pytest.mark.parametrize("box", [{}, {b"tag": b"nonsense"}, {b"tag": b""}])
async def test_a_cancel_for_nothing(box: dict[bytes, bytes]) -> None:
    """It is answered and has no effect."""
    async with fake_peer(Watch()) as (_, fake):
        tag = fake.ask(b"_cancel", box)
        assert await fake.next_box() == {b"_answer": tag}


async def test_a_peer_that_cannot_cancel_is_told_no_more() -> None:
    """One `_cancel` that was refused as UNHANDLED is the last one; another refusal says nothing."""
    async with fake_peer() as (peer, fake):
        for code, told in ((b"BUSY", True), (b"UNHANDLED", True), (b"", False), (b"", False)):
            call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
            assert (await fake.next_ask()).command == b"Sum"
            call.cancel()
            await asyncio.wait([call])
            if told:
                notice = await fake.next_ask()
                assert notice.command == b"_cancel"
                fake.refuse(notice.tag, code)
            await turns()
        assert not peer.channel.connection.pending


async def test_a_responder_that_is_cancelled_by_nobody() -> None:
    """One that cancels itself is refused as before: UNKNOWN, because its caller still waits."""

    class Suicidal(Service):
        @Sleep.responder
        async def sleep(self, _: Sleep) -> None:
            raise asyncio.CancelledError

    async with peer_pair(None, Suicidal()) as (client, _):
        with pytest.raises(RemoteError, match="UNKNOWN"):
            await client.call(Sleep(seconds=1))


async def test_two_asks_with_the_same_tag() -> None:
    """Both run and are answered; a `_cancel` means the first."""
    office = Office()
    async with fake_peer(office) as (_, fake):
        for number in (b"1", b"2"):
            fake.send_box({b"_ask": b"x", b"_command": b"Wait", b"number": number})
            await office.started.get()
        notice = fake.ask(b"_cancel", {b"tag": b"x"})
        assert [(await fake.next_box()).get(key) for key in (b"_answer", b"_error_code")] == [notice, b"CANCELLED"]
        office.gates[2].set()
        assert await fake.next_box() == {b"_answer": b"x", b"total": b"2"}
