"""Much at a time: memory stays bounded, whoever floods and reads nothing, and two full ends never wait for ever."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest

from ampkit import (
    Command,
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    LocalProtocolError,
    NotSent,
    Options,
    Peer,
    RemoteError,
    Service,
    connect,
    encode_box,
    serve,
)
from ampkit.testing import fake_peer, peer_pair, served_pair
from tests.asyncio.office import Ask, Content, Note, Office, Raise, Reverse, SlowNote, Sum, Total, Wait, Zeros
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import turns

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
virtual = pytest.mark.asyncio(loop_factories=["virtual"])

MakeAddress: TypeAlias = Callable[[str], str]

MEGABYTE = 1 << 20


def ask(tag: int, command: bytes, **box: bytes) -> bytes:
    """Encode an ask."""
    return encode_box({b"_ask": b"%x" % tag, b"_command": command, **{k.encode(): v for k, v in box.items()}})


# One end floods, and reads nothing

# What is sent 200,000 times, and how many megabytes the server may grow meanwhile.
ASKS: dict[str, tuple[bytes, float]] = {
    "plain responders": (ask(1, b"Sum", a=b"13", b=b"81"), 2),
    "coroutine responders": (ask(1, b"Zeros", size=b"100"), 4),
    "responders that never end": (ask(1, b"Wait", number=b"1"), 4),
    "large answers": (ask(1, b"Reverse", data=bytes(60_000)), 2),
    "large answers of coroutines": (ask(1, b"Zeros", size=b"60000"), 66),  # the answers of all that may run
    "unknown commands": (ask(1, b"Nonsense"), 2),
    "malformed asks": (ask(1, b"Sum", a=b"x"), 2),
    "failing responders": (ask(1, b"Raise", name=b"undeclared", later=b"False"), 2),
    "failing coroutines": (ask(1, b"Raise", name=b"undeclared", later=b"True"), 4),
    "long tags": (encode_box({b"_ask": b"x" * 60_000, b"_command": b"Sum", b"a": b"1", b"b": b"2"}), 2),
}
# The same, where nothing has to be answered: all is read.
OTHERS: dict[str, tuple[bytes, float]] = {
    "told commands that never end": (encode_box({b"_command": b"Wait", b"number": b"1"}), 4),
    "unknown told commands": (encode_box({b"_command": b"Nonsense"}), 1),
    "answers to nothing": (encode_box({b"_answer": b"7", b"total": b"1"}), 1),
    "half a box": (b"\0\4_ask\xff\xff" + b"x" * 65_535, 2),
}


@pytest.mark.parametrize(("box", "megabytes"), ASKS.values(), ids=ASKS)
async def test_a_client_that_asks_and_never_reads(box: bytes, megabytes: float, make_address: MakeAddress) -> None:
    """The server stops reading before it has grown; another client is answered as ever."""
    await _flood(box, 200_000, megabytes, make_address("unix"))


@pytest.mark.parametrize("transport", ["tcp", "memory"])
async def test_a_client_that_asks_and_never_reads_elsewhere(transport: str, make_address: MakeAddress) -> None:
    """So it is over other transports."""
    await _flood(ASKS["large answers"][0], 1000, 2, make_address(transport))


@pytest.mark.parametrize(("box", "megabytes"), OTHERS.values(), ids=OTHERS)
async def test_a_client_that_sends_much_else(box: bytes, megabytes: float, make_address: MakeAddress) -> None:
    """The server drops it, or stops reading, before it has grown; another client is answered as ever."""
    await _flood(box, 10_000, megabytes, make_address("unix"))


async def _flood(box: bytes, count: int, megabytes: float, address: str) -> None:
    options = Options(close_timeout=0.1)
    async with serve(Office(), address, options=options) as server, await RawEnd.connect(server.addresses[0]) as client:
        client.transport.pause_reading()
        at_once = max(1, 60_000 // len(box))
        piece = box * at_once
        tracemalloc.start()
        try:
            for _ in range(count // at_once):
                if client.lost.done() or not await _taken(client, piece):
                    break
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak - client.transport.get_write_buffer_size() < megabytes * MEGABYTE
        async with connect(server.addresses[0]) as peer:
            assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        await server.close(grace=0)


async def _taken(client: RawEnd, data: bytes) -> bool:
    """Write; return false if nothing is taken any more."""
    client.transport.write(data)
    left, turns_idle = len(data), 0
    while left and turns_idle < 100:
        await asyncio.sleep(0)
        before, left = left, client.transport.get_write_buffer_size()
        turns_idle = turns_idle + 1 if left == before else 0
    return not left


async def test_a_server_whose_client_never_reads() -> None:
    """Calls, tells and answers wait for room: what is held stays near `max_buffered_bytes`, but for refusals."""
    async with fake_peer(Office(), limits=Limits(max_buffered_bytes=10_000)) as (peer, fake):
        fake.stop_reading()
        work: list[asyncio.Task[Any]] = [asyncio.create_task(peer.call(Reverse(data=bytes(1000)))) for _ in range(1000)]
        work += [asyncio.create_task(peer.tell(Note(text="x" * 1000))) for _ in range(1000)]
        for _ in range(1000):
            fake.ask(b"Zeros", {b"size": b"1000"})
        await turns(50)
        assert peer.channel.buffered() < 22_000 + 1000 * 90
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def test_asks_wait_for_their_turn() -> None:
    """While `max_running_asks` responders run, further asks wait, and begin in their order."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=3)) as (_, fake):
        for number in range(10):
            fake.ask(b"Wait", {b"number": b"%d" % number})
        for number in range(10):
            assert await office.started.get() == number
            if number >= 2:
                await turns()
                assert office.started.empty()
                office.gates[number - 2].set()
                assert (await fake.next_box())[b"total"] == b"%d" % (number - 2)


NARROW = Limits(max_running_asks=1, max_waiting_bytes=100)
"""One ask that runs, and two that wait."""


async def test_a_line_ends_although_asks_come() -> None:
    """What had to wait runs before more is read, so that the rest need not be put in line."""
    async with fake_peer(Office(), limits=Limits(max_buffered_bytes=10_000)) as (peer, fake):
        line = peer._answering.line
        fake.stop_reading()
        for _ in range(2_000):
            fake.ask(b"Sum", {b"a": b"1", b"b": b"1"})
        while not line.size:
            await turns(1)
        fake.start_reading()
        while line.size:
            await turns(1)
        assert peer._answering.asked < 1_000
        for _ in range(2_000):
            assert (await fake.next_box())[b"total"] == b"2"
        assert not line.size


async def test_reading_stops_when_the_line_is_full_and_goes_on() -> None:
    """Asks for which there is no place in the line stay unread, in their order."""
    office = Office()
    async with fake_peer(office, limits=NARROW) as (peer, fake):
        for number in range(6):
            fake.ask(b"Wait", {b"number": b"%d" % number})
        await turns()
        assert not peer.channel.is_reading
        for number in range(6):
            assert await office.started.get() == number
            await turns()
            assert office.started.empty()
            office.gates[number].set()
            assert (await fake.next_box())[b"total"] == b"%d" % number
        assert peer.channel.is_reading


async def test_answers_are_read_though_asks_wait() -> None:
    """An answer behind an ask that has to wait is not held up by it."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1)) as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        mine = await fake.next_ask()
        fake.ask(b"Wait", {b"number": b"1"})
        fake.ask(b"Wait", {b"number": b"2"})
        await office.started.get()
        fake.answer(mine.tag, {b"total": b"3"})
        assert await call == Total(total=3)
        await turns()
        assert office.started.empty()
        office.gates[1].set()
        assert await office.started.get() == 2


async def test_an_ask_stays_unread_until_we_ask() -> None:
    """What has no place in the line is refused as BUSY as soon as this end waits for an answer, which may be behind."""
    office = Office()
    async with fake_peer(office, limits=NARROW) as (peer, fake):
        for number in range(4):
            fake.ask(b"Wait", {b"number": b"%d" % number})
        await office.started.get()
        await turns()
        assert not peer.channel.is_reading
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        boxes = [await fake.next_box(), await fake.next_box()]
        (mine,) = [box for box in boxes if b"_ask" in box]
        (busy,) = [box for box in boxes if b"_error" in box]
        assert (busy[b"_error"], busy[b"_error_code"]) == (b"fake-4", b"BUSY")
        fake.answer(mine[b"_ask"], {b"total": b"3"})
        assert await call == Total(total=3)


async def test_a_flooding_peer_yields() -> None:
    """Asks that came in one read are begun over several turns of the loop, so that others have theirs in between."""
    async with fake_peer(Office()) as (_, fake):
        fake.send_bytes(b"".join(ask(number, b"Sum", a=b"1", b=b"%d" % number) for number in range(1000)))
        waited = 0
        for number in range(1000):
            waited += not fake.has_boxes
            assert (await fake.next_box())[b"total"] == b"%d" % (number + 1)
        assert waited >= 3


async def test_those_who_waited_for_a_turn_yield_too() -> None:
    """A long line of asks is begun over several turns of the loop, in its order."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1)) as (_, fake):
        fake.ask(b"Wait", {b"number": b"1"})
        await office.started.get()
        for number in range(1000):
            fake.ask(b"Sum", {b"a": b"1", b"b": b"%d" % number})
        await turns(50)
        assert not fake.has_boxes
        office.gates[1].set()
        assert (await fake.next_box())[b"total"] == b"1"
        waited = 0
        for number in range(1000):
            waited += not fake.has_boxes
            assert (await fake.next_box())[b"total"] == b"%d" % (number + 1)
        assert waited >= 3


# Both ends flood


class Echoing(Office):
    """An office that counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    @Note.responder
    def note(self, command: Note) -> None:
        """Count."""
        self.told += len(command.text)


SMALL: dict[str, Limits] = {
    "one ask at a time": Limits(max_running_asks=1),
    "small buffers": Limits(max_buffered_bytes=500, max_box_bytes=3000),
    "everything small": Limits(max_running_asks=1, max_buffered_bytes=500, max_box_bytes=3000),
    "the defaults": Limits(),
}


@both_loops
@pytest.mark.parametrize("limits", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("command", [Sum(a=13, b=81), Zeros(size=2000), Reverse(data=bytes(1000))])
async def test_both_ends_flood_each_other(limits: Limits, command: Command[Total | Content], address: str) -> None:
    """1,000 calls at a time in both directions are all answered: none is refused, and nobody waits for ever."""
    async with served_pair(address, Office(), Office(), limits=limits) as (client, server):
        calls = [asyncio.create_task(peer.call(command)) for _ in range(1000) for peer in (client, server)]
        for result in await asyncio.gather(*calls):
            assert isinstance(result, Total | Content)
        for peer in (client, server):
            assert not peer.channel.connection.pending
            assert await peer.call(Sum(a=13, b=81)) == Total(total=94)


NARROW_WAY = Limits(max_running_asks=1, max_waiting_bytes=100, max_buffered_bytes=1_000)
"""One ask that runs and two that wait; whatever is written fills the way out."""

ASKING: dict[str, Callable[[Peer], Coroutine[Any, Any, object]]] = {
    "call": lambda peer: peer.call(Sum(a=1, b=2)),
    "call_many": lambda peer: peer.call_many([Sum(a=1, b=2)]),
    "call_raw": lambda peer: peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}),
}


class Slow(Service):
    """Asks back, and then waits."""

    def __init__(self, asking: Callable[[Peer], Coroutine[Any, Any, object]]) -> None:
        self.asking = asking
        self.gate = asyncio.Event()

    @Ask.responder
    async def ask(self, command: Ask, peer: Peer) -> Total:
        await self.asking(peer)
        await self.gate.wait()
        return Total(total=command.depth)

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return Total(total=command.a + command.b)


@virtual
@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING)
async def test_asks_have_no_turn_while_all_that_runs_waits_for_whoever_asks(
    asking: Callable[[Peer], Coroutine[Any, Any, object]],
) -> None:
    """They are refused as BUSY, as the other end may wait for them before it answers; and after that they wait."""
    slow = Slow(asking)
    async with fake_peer(slow, limits=Limits(max_running_asks=1)) as (peer, fake):
        beside = asyncio.create_task(peer.call(Sum(a=0, b=0)))
        other = await fake.next_ask()
        first = fake.ask(b"Ask", {b"depth": b"7"})
        inner = await fake.next_ask()
        refused = fake.ask(b"Sum", {b"a": b"1", b"b": b"1"})
        busy = await fake.next_box()
        assert (busy[b"_error"], busy[b"_error_code"]) == (refused, b"BUSY")
        fake.answer(inner.tag, {b"total": b"3"})
        await turns()
        waiting = fake.ask(b"Sum", {b"a": b"2", b"b": b"2"})
        await turns()
        assert not fake.has_boxes
        slow.gate.set()
        assert [(await fake.next_box())[b"_answer"] for _ in range(2)] == [first, waiting]
        fake.answer(other.tag, {b"total": b"0"})
        assert await beside == Total(total=0)


@virtual
async def test_a_call_that_has_got_its_credit_waits_for_room() -> None:
    """It is not sent to an end that takes nothing, because another call was given up."""
    async with fake_peer(limits=Limits(max_waiting_bytes=3_000, max_buffered_bytes=1_000)) as (peer, fake):
        fake.stop_reading()
        calls = [asyncio.create_task(peer.call(Reverse(data=bytes(2_000)))) for _ in range(2)]
        await turns()
        calls[0].cancel()
        await turns()
        assert peer.channel.buffered() < 2_500
        fake.start_reading()
        ask, _, other = [await fake.next_ask() for _ in range(3)]
        assert (ask.command, other.command) == (b"Reverse", b"Reverse")
        fake.answer(other.tag, {b"data": b"1"})
        assert await calls[1] == Content(data=b"1")


@virtual
@pytest.mark.parametrize("waits_for", ["credit", "room"])
async def test_what_still_waits_at_the_end_was_not_sent(waits_for: str) -> None:
    """Its caller knows that it may be repeated."""
    limits = Limits(max_waiting_bytes=2_050) if waits_for == "credit" else Limits(max_buffered_bytes=1_000)
    async with fake_peer(limits=limits) as (peer, fake):
        fake.stop_reading()
        first = asyncio.create_task(peer.call(Reverse(data=bytes(2_000))))
        await turns()
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await turns()
        assert peer.channel.hindered == 1
        fake.abort()
        ended = await asyncio.gather(first, call, return_exceptions=True)
        assert [type(error) for error in ended] == [ConnectionLost, NotSent]


@virtual
async def test_a_call_that_waits_for_room_lets_reading_go_on() -> None:
    """The other end may take nothing before its own asks are read, be it to be refused."""
    async with fake_peer(Office(), limits=NARROW_WAY) as (peer, fake):
        fake.stop_reading()
        await peer.tell(Note(text="x" * 2_000))
        for number in range(6):
            fake.ask(b"Wait", {b"number": b"%d" % number})
        await turns()
        seen = [peer.channel.is_reading]
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await turns()
        seen.append(peer.channel.is_reading)
        assert seen == [False, True]
        call.cancel()


LITTLE = Limits(max_waiting_bytes=100)
"""One or two asks wait for an answer at a time."""


class Asker(Service):
    """Asks back, many at once."""

    @Ask.responder
    async def ask(self, command: Ask, peer: Peer) -> Total:
        """Return how many levels there were below."""
        if not command.depth:
            return Total(total=0)
        answers = await peer.call_many([Ask(depth=command.depth - 1)] * 3)
        return Total(total=1 + max(answer.total for answer in answers))


@both_loops
@pytest.mark.parametrize("service", [Office, Asker])
async def test_calls_do_not_wait_for_those_that_wait_for_them(service: type[Service], address: str) -> None:
    """What a responder asks the end that has asked it is sent, though all that may wait for answers waits for it."""
    async with served_pair(address, service(), service(), limits=LITTLE) as (client, server):
        calls = [peer.call(Ask(depth=3), timeout=20) for _ in range(10) for peer in (client, server)]
        assert await asyncio.gather(*calls) == [Total(total=3)] * 20
        for peer in (client, server):
            assert (peer.calls.credit.taken, peer.channel.connection.pending) == (0, {})


@virtual
@pytest.mark.parametrize("limits", [LITTLE, Limits(max_buffered_bytes=1_000)], ids=["credit", "room"])
@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_calls_that_wait_no_more_leave_nothing(limits: Limits, is_cancelled: bool) -> None:
    """Whatever they waited for, and whatever ends them: nothing is kept of them, and those behind them go on."""
    async with fake_peer(limits=limits) as (peer, fake):
        channel, credit = peer.channel, peer.calls.credit
        fake.stop_reading()
        first = asyncio.create_task(peer.call(Reverse(data=bytes(2_000))))
        await turns()
        before = asyncio.create_task(peer.call(Sum(a=0, b=0)))
        await turns()
        waiting = [asyncio.create_task(peer.call(Sum(a=1, b=1), timeout=5)) for _ in range(3)]
        last = asyncio.create_task(peer.call(Sum(a=2, b=2)))
        await turns()
        assert channel.hindered == 5
        if is_cancelled:
            for call in waiting:
                call.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(error) for error in ended} == {asyncio.CancelledError if is_cancelled else DeadlineExceeded}
        assert channel.hindered == 2
        assert len(credit._line or ()) + len(channel._room or ()) == 2
        fake.start_reading()
        fake.answer((await fake.next_ask()).tag, {b"data": b""})
        asks = [await fake.next_ask() for _ in range(2)]
        assert [ask.box for ask in asks] == [{b"a": b"0", b"b": b"0"}, {b"a": b"2", b"b": b"2"}]
        for ask in asks:
            fake.answer(ask.tag, {b"total": b"4"})
        assert [await before, await last] == [Total(total=4)] * 2
        await first
        assert (channel.hindered, credit.taken) == (0, 0)


@virtual
async def test_what_a_responder_leaves_behind_waits_as_all_do() -> None:
    """When the responder has ended, nobody waits for what it has begun."""

    class Leaving(Service):
        @Sum.responder
        async def sum(self, command: Sum, peer: Peer) -> Total:
            left.append(asyncio.create_task(self._later(peer)))
            return Total(total=command.a)

        async def _later(self, peer: Peer) -> Total:
            await asyncio.sleep(1)
            return await peer.call(Sum(a=5, b=5))

    left: list[asyncio.Task[Total]] = []
    async with fake_peer(Leaving(), limits=LITTLE) as (peer, fake):
        first = [asyncio.create_task(peer.call(Sum(a=number, b=1))) for number in range(2)]
        asks = [await fake.next_ask() for _ in first]
        fake.ask(b"Sum", {b"a": b"1", b"b": b"1"})
        assert (await fake.next_box())[b"total"] == b"1"
        await asyncio.sleep(2)
        assert peer.channel.connection.asked == len(first)
        fake.answer(asks[0].tag, {b"total": b"1"})
        late = await fake.next_ask()
        assert late.box == {b"a": b"5", b"b": b"5"}
        for tag in (asks[1].tag, late.tag):
            fake.answer(tag, {b"total": b"10"})
        assert await asyncio.gather(*first, *left) == [Total(total=1), Total(total=10), Total(total=10)]


@virtual
async def test_a_responder_asks_as_much_as_may_wait_once_more() -> None:
    """Beyond what all may ask on a connection, each has as much for itself, and no more."""

    class Asking(Service):
        @Sum.responder
        async def sum(self, command: Sum, peer: Peer) -> Total:
            answers = await asyncio.gather(*(peer.call(Sum(a=number, b=2)) for number in range(command.a)))
            return Total(total=sum(answer.total for answer in answers))

    async with fake_peer(Asking(), limits=LITTLE) as (peer, fake):
        first = [asyncio.create_task(peer.call(Sum(a=number, b=1))) for number in range(3)]
        asks = [await fake.next_ask() for _ in range(2)]
        fake.ask(b"Sum", {b"a": b"5", b"b": b"1"})
        asks += [await fake.next_ask() for _ in range(2)]
        await asyncio.sleep(1)
        assert [ask.box[b"b"] for ask in asks] == [b"1", b"1", b"2", b"2"]
        assert peer.channel.connection.asked == len(asks)
        for number in range(3):
            fake.answer(asks[2 + number].tag, {b"total": b"1"})
            asks.append(await fake.next_ask())
        for ask in asks[5:]:
            fake.answer(ask.tag, {b"total": b"1"})
        assert (await fake.next_box())[b"total"] == b"5"
        for ask in asks[:2]:
            fake.answer(ask.tag, {b"total": b"10"})
        fake.answer((await fake.next_ask()).tag, {b"total": b"10"})
        assert await asyncio.gather(*first) == [Total(total=10)] * 3


async def test_what_a_responder_asks_an_end_that_drains_is_not_sent() -> None:
    """It begins nothing new, whoever waits."""
    office = Office()
    async with served_pair("memory://test", office, Office()) as (client, server):
        waiting = asyncio.create_task(server.call(Wait(number=7)))
        assert await office.started.get() == 7
        server.calls.drain()
        with pytest.raises(RemoteError, match="UNKNOWN"):
            await client.call(Ask(depth=1))
        with pytest.raises(NotSent):
            await server.call(Sum(a=1, b=2))
        assert server.channel.hindered == 0
        office.gates[7].set()
        assert await waiting == Total(total=7)


@both_loops
@pytest.mark.parametrize("kind", [Note, SlowNote])
async def test_both_ends_tell_each_other_much(kind: type[Note], address: str) -> None:
    """8 MB of told commands in both directions at a time: all arrive, as telling needs no answer to be read."""
    offices = Echoing(), Echoing()
    async with served_pair(address, *offices) as (client, server):

        async def tell(peer: Peer) -> None:
            for _ in range(250):
                await peer.tell(kind(text="x" * 32_768))

        async with asyncio.timeout(10):
            await asyncio.gather(tell(client), tell(server))
            await asyncio.gather(client.call(Sum(a=1, b=2)), server.call(Sum(a=1, b=2)))
            if kind is Note:
                assert [office.told for office in offices] == [250 * 32_768] * 2
            else:
                assert [office.notes.qsize() for office in offices] == [250, 250]


@virtual
async def test_full_ends_whose_calls_have_given_up() -> None:
    """Ends that are full of asks which nobody waits for any more go on as soon as one of them calls again."""
    limits = Limits(max_buffered_bytes=500, max_box_bytes=3000)
    async with peer_pair(Office(), Office(), limits=limits) as ends:
        for peer in ends:
            assert peer.channel.transport
            peer.channel.transport.pause_reading()
        calls = [
            asyncio.create_task(peer.call(Reverse(data=bytes(1000)), timeout=1)) for _ in range(50) for peer in ends
        ]
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, DeadlineExceeded)
        for peer in ends:
            assert peer.channel.transport
            peer.channel.transport.resume_reading()
        for peer in ends:
            assert await peer.call(Sum(a=13, b=81), timeout=60) == Total(total=94)


# call_many


async def test_call_many_keeps_the_order(address: str) -> None:
    """Responses stand where their commands stood, whatever was answered first; more than a buffer's worth."""
    office = Office()
    async with served_pair(address, None, office) as (client, _):
        task = asyncio.create_task(client.call_many([Wait(number=1), Sum(a=1, b=1), Wait(number=3), Sum(a=2, b=2)]))
        await office.started.get()
        await office.started.get()
        office.gates[3].set()
        await turns()
        office.gates[1].set()
        assert [reply.total for reply in await task] == [1, 2, 3, 4]
        many = await client.call_many(Reverse(data=b"%d" % number * 1000) for number in range(1000))
        assert [reply.data for reply in many] == [(b"%d" % number * 1000)[::-1] for number in range(1000)]
        assert await client.call_many([]) == []


async def test_call_many_with_errors() -> None:
    """All are awaited, then the first error in the order of asking is raised; or errors stand in the list."""
    office = Office()
    async with peer_pair(None, office) as (client, _):
        commands: list[Command[Total | None]] = [
            Sum(a=1, b=1),
            Raise(name="declared", later=True),
            Raise(name="undeclared"),
            Sum(a=2, b=2),
        ]
        with pytest.raises(KeyError):
            await client.call_many(commands)
        results = await client.call_many(commands, return_exceptions=True)
        assert results[0] == Total(total=2)
        assert isinstance(results[1], KeyError)
        assert isinstance(results[2], RemoteError)
        assert results[3] == Total(total=4)


async def test_call_many_that_cannot_be_encoded() -> None:
    """Nothing is sent, if it is one of the commands; a box above the limit fails alone, with the same error."""
    async with fake_peer(limits=Limits(max_box_bytes=1000)) as (peer, fake):
        for wrong in (Sum(a="x", b=1), Note(text="no answer")):  # type: ignore[arg-type]
            with pytest.raises(LocalProtocolError):
                await peer.call_many([Sum(a=1, b=2), wrong])
        task = asyncio.create_task(
            peer.call_many([Reverse(data=b""), Reverse(data=bytes(1000)), Reverse(data=b"")], return_exceptions=True)
        )
        for _ in range(2):
            fake.answer((await fake.next_ask()).tag, {b"data": b"x"})
        first, second, third = await task
        assert (first, third) == (Content(data=b"x"), Content(data=b"x"))
        assert isinstance(second, LocalProtocolError)


@virtual
async def test_call_many_runs_out_of_time() -> None:
    """What was answered in time is there, with `return_exceptions=True`; the others are DeadlineExceeded."""
    async with fake_peer() as (peer, fake):
        task = asyncio.create_task(peer.call_many([Sum(a=1, b=2)] * 3, timeout=9, return_exceptions=True))
        asks = [await fake.next_ask() for _ in range(3)]
        fake.answer(asks[1].tag, {b"total": b"3"})
        first, second, third = await task
        assert second == Total(total=3)
        assert isinstance(first, DeadlineExceeded)
        assert isinstance(third, DeadlineExceeded)
        fake.answer(asks[0].tag, {b"total": b"3"})
        assert not peer.channel.connection.pending


async def test_call_many_loses_its_connection() -> None:
    """Each that was not answered is ConnectionLost with the same cause, sent or not."""
    async with fake_peer(limits=Limits(max_buffered_bytes=1000)) as (peer, fake):
        task = asyncio.create_task(peer.call_many([Reverse(data=bytes(100))] * 100, return_exceptions=True))
        ask = await fake.next_ask()
        fake.answer(ask.tag, {b"data": b"x"})
        fake.stop_reading()
        await turns()
        fake.abort()
        results = await task
        assert results[0] == Content(data=b"x")
        for result in results[1:]:
            assert isinstance(result, ConnectionLost)
            assert result.__cause__ is peer.end_reason


async def test_ten_thousand_in_one_call_many(address: str) -> None:
    """They are one await, and as many answers."""
    async with served_pair(address, None, Office()) as (client, _):
        replies = await client.call_many(Sum(a=number, b=1) for number in range(10_000))
        assert [reply.total for reply in replies] == list(range(1, 10_001))
