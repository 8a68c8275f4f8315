"""The end of a connection, by whichever end and at whichever moment: all calls and responders end, nothing is left."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ampkit import ConnectionLost, Limits, Options, Peer, RemoteError, RemoteProtocolError, Service, connect, serve
from ampkit.core.states import State
from ampkit.testing import fake_peer, peer_pair, served_pair
from tests.asyncio.office import Ask, HangUp, Office, Sum, Total, Wait
from tests.asyncio.raw import RawEnd
from tests.asyncio.test_calls import fill, finish
from tests.asyncio.turning import turns, until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
virtual = pytest.mark.asyncio(loop_factories=["virtual"])

ENDS: dict[str, Callable[[Peer, Peer], Awaitable[None] | None]] = {
    "the calling end closes": lambda client, _: client.close(),
    "the called end closes": lambda _, server: server.close(),
    "the calling end breaks": lambda client, _: client.channel.transport.abort(),  # type: ignore[union-attr]
    "the called end breaks": lambda _, server: server.channel.transport.abort(),  # type: ignore[union-attr]
}
how = pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)


@both_loops
@how
async def test_the_end_of_all_that_is_under_way(
    how: Callable[[Peer, Peer], Awaitable[None] | None], address: str
) -> None:
    """Calls in both directions raise ConnectionLost, responders at both ends are cancelled, both ends are closed."""
    offices = Office(), Office()
    async with served_pair(address, *offices) as (client, server):
        calls: list[asyncio.Future[Any]] = []
        for peer in (client, server):
            calls += [asyncio.create_task(peer.call(Wait(number=1))) for _ in range(3)]
            calls += [asyncio.create_task(peer.call_many([Wait(number=1)] * 3))]
        for office in offices:
            for _ in range(6):
                await office.started.get()
        ending = how(client, server)
        if ending is not None:
            await ending
        for peer in (client, server):
            await peer.wait_closed()
            assert peer.state is State.CLOSED
            assert isinstance(peer.end_reason, ConnectionLost)
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ConnectionLost)
            assert isinstance(error.__cause__, ConnectionLost)
            assert "no answer to Wait from" in str(error)
    assert [office.cancelled for office in offices] == [[1] * 6, [1] * 6]


@both_loops
async def test_leaving_the_block_closes(address: str) -> None:
    """`async with connect` closes the connection, also when the block raises, and the server sees that."""
    async with serve(None, address) as server:
        opening = connect(server.addresses[0])
        peer = await opening.__aenter__()
        await until(lambda: server.peers)
        (other,) = server.peers
        await opening.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
        assert peer.state is State.CLOSED
        await other.wait_closed()
        assert not server.peers


async def test_close_twice_and_together() -> None:
    """Every `close` returns when the connection is closed, and so does a later one."""
    async with peer_pair(Office(), Office()) as (client, server):
        calls = [asyncio.create_task(client.call(Sum(a=1, b=2))) for _ in range(3)]
        await asyncio.gather(*(peer.close(grace) for grace in (0, 1, 5) for peer in (client, server)))
        await client.close()
        await client.close(grace=1)
        await asyncio.gather(*calls, return_exceptions=True)


# With grace


@both_loops
@pytest.mark.parametrize("closing", [0, 1], ids=["the calling end", "the called end"])
async def test_what_is_under_way_may_end(closing: int, address: str) -> None:
    """With a grace, calls and responders end as if nothing were; what comes meanwhile is refused as BUSY."""
    office = Office()
    async with served_pair(address, Office(), office) as ends:
        call = asyncio.create_task(ends[0].call(Wait(number=1)))
        await office.started.get()
        close = asyncio.create_task(ends[closing].close(grace=60))
        await until(lambda: ends[closing].state is not State.OPEN)
        assert ends[closing].state is State.CLOSING
        with pytest.raises(RemoteError, match="BUSY"):
            await ends[1 - closing].call(Sum(a=1, b=2))
        assert not close.done()
        office.gates[1].set()
        assert await call == Total(total=1)
        await close
        await ends[1 - closing].wait_closed()


async def test_a_responder_may_call_while_its_connection_closes() -> None:
    """What is under way may need the other end to end well: asks of the closing end still go through."""
    office = Office()
    asked = asyncio.Event()

    class Curious(Service):
        @Wait.responder
        async def wait(self, command: Wait, peer: Peer) -> Total:
            asked.set()
            await office.gates[0].wait()
            return await peer.call(Sum(a=command.number, b=1))

    async with peer_pair(Office(), Curious()) as (client, server):
        call = asyncio.create_task(client.call(Wait(number=1)))
        await asked.wait()
        close = asyncio.create_task(server.close(grace=60))
        await asyncio.sleep(0)
        assert server.state is State.CLOSING
        office.gates[0].set()
        assert await call == Total(total=2)
        await close


async def test_a_call_that_waits_for_room_is_under_way() -> None:
    """With a grace it still gets its room, and its answer."""
    async with fake_peer(limits=Limits(max_buffered_bytes=1000)) as (peer, fake):
        large = await fill(peer, fake)
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await asyncio.sleep(0)
        close = asyncio.create_task(peer.close(grace=60))
        await asyncio.sleep(0)
        await finish(large, fake)
        notice, ask = await fake.next_ask(), await fake.next_ask()
        assert (notice.command, ask.command) == (b"_drain", b"Sum")
        fake.answer(notice.tag)
        fake.answer(ask.tag, {b"total": b"3"})
        assert await call == Total(total=3)
        await close


@virtual
async def test_the_grace_is_over() -> None:
    """Then what still runs is cancelled, and what still waits raises ConnectionLost."""
    office = Office()
    async with peer_pair(None, office) as (client, server):
        call = asyncio.create_task(client.call(Wait(number=1)))
        await office.started.get()
        await server.close(grace=60)
        assert asyncio.get_running_loop().time() == 60
        with pytest.raises(ConnectionLost):
            await call
        assert office.cancelled == [1]


@virtual
async def test_a_close_with_less_grace_goes_first() -> None:
    """Of several closes under way the one that is over first ends the connection, and all return."""
    office = Office()
    async with peer_pair(None, office) as (client, server):
        call = asyncio.create_task(client.call(Wait(number=1)))
        await office.started.get()
        await asyncio.gather(server.close(grace=60), server.close(grace=10), server.close(grace=3600))
        assert asyncio.get_running_loop().time() == 10
        with pytest.raises(ConnectionLost):
            await call


@virtual
async def test_a_close_that_is_cancelled_closes_at_once() -> None:
    """Whoever loses patience during the grace leaves no open connection."""
    office = Office()
    async with peer_pair(None, office) as (client, server):
        call = asyncio.create_task(client.call(Wait(number=1)))
        await office.started.get()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await server.close(grace=3600)
        assert asyncio.get_running_loop().time() == 10
        with pytest.raises(ConnectionLost):
            await call
        await client.wait_closed()
        assert server.state is State.CLOSED
        assert office.cancelled == [1]


@both_loops
async def test_answers_are_delivered_though_more_is_asked(address: str) -> None:
    """A graceful close loses no answer that was given, though the other end has not read it and still asks more."""
    office = Office()
    size = 60_000
    ask = b"\0\4_ask\0\3%03d\0\x08_command\0\5Zeros\0\4size\0\5%d\0\0"

    class Flood(RawEnd):
        """Asks more with whatever it receives."""

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.write(ask % (999, size) * 100)

    async with serve(office, address, options=Options(close_timeout=0.2)) as server:
        flood = await Flood.connect(server.addresses[0])
        flood.transport.pause_reading()
        flood.transport.write(b"".join(ask % (number, size) for number in range(100)))
        await until(lambda: any(peer.channel.buffered() > size for peer in server.peers))
        close = asyncio.create_task(server.close(grace=60))
        await asyncio.sleep(0)
        flood.transport.resume_reading()
        await close
        assert await flood.lost is None
    tags = {box.get(b"_answer", box.get(b"_error")) for box in flood.boxes()}
    assert {b"%03d" % number for number in range(100)} <= tags


@virtual
async def test_the_other_end_does_not_take_the_rest() -> None:
    """Bytes that nobody takes hold a close up for `close_timeout` seconds; then they are dropped."""
    async with fake_peer(Office(), options=Options(close_timeout=3)) as (peer, fake):
        fake.stop_reading()
        fake.ask(b"Zeros", {b"size": b"60000"})
        fake.ask(b"Zeros", {b"size": b"60000"})
        await until(lambda: peer.channel.buffered() > 60_000)
        await peer.close()
        assert asyncio.get_running_loop().time() == 3


# From inside


@virtual
@pytest.mark.parametrize("grace", [0.0, 60.0])
async def test_a_responder_closes_its_own_connection(grace: float) -> None:
    """It does not wait for itself, is not cancelled, and goes on behind the close; others are cancelled."""
    office = Office()
    async with peer_pair(None, office) as (client, server):
        call = asyncio.create_task(client.call(HangUp(grace=grace)))
        with pytest.raises(ConnectionLost):
            await call
        await server.wait_closed()
        assert await office.hung_up.get()
        assert asyncio.get_running_loop().time() == 0


@virtual
async def test_two_responders_close_their_connection() -> None:
    """They do not wait for each other either."""
    both, done = asyncio.Barrier(2), asyncio.Barrier(3)

    class Twins(Service):
        @HangUp.responder
        async def hang_up(self, command: HangUp, peer: Peer) -> None:
            await both.wait()
            await peer.close(command.grace)
            await done.wait()

    async with peer_pair(None, Twins()) as (client, server):
        calls = [asyncio.create_task(client.call(HangUp(grace=60))) for _ in range(2)]
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ConnectionLost)
        await server.wait_closed()
        await done.wait()
        assert asyncio.get_running_loop().time() == 0


@virtual
async def test_a_responder_that_closed_is_cancelled_by_the_next_close() -> None:
    """Behind its own close it is a responder like others: the next one cancels it and waits for it."""
    cancelled, closed = asyncio.Event(), asyncio.Event()

    class Restless(Service):
        @HangUp.responder
        async def hang_up(self, command: HangUp, peer: Peer) -> None:
            await peer.close(command.grace)
            closed.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

    async with peer_pair(None, Restless()) as (client, server):
        with pytest.raises(ConnectionLost):
            await client.call(HangUp())
        await closed.wait()
        await server.close()
        assert cancelled.is_set()
        assert asyncio.get_running_loop().time() == 0


async def test_closing_while_responders_call_each_other() -> None:
    """Whatever hangs on whatever in both directions, closing ends it all."""
    office = Office()
    async with peer_pair(Office(), office) as (client, server):
        calls = [asyncio.create_task(peer.call(Ask(depth=50))) for peer in (client, server) for _ in range(10)]
        await turns(10)
        await asyncio.gather(client.close(), server.close())
        for error in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(error, ConnectionLost | RemoteError)


# By the other end


async def test_the_other_end_closes_between_two_boxes() -> None:
    """The reason is a ConnectionLost that says so."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await fake.next_ask()
        fake.close()
        with pytest.raises(ConnectionLost, match=r"no answer to Sum .*: the other end closed the connection") as caught:
            await call
        assert caught.value.__cause__ is peer.end_reason


async def test_the_other_end_closes_inside_a_box() -> None:
    """The reason is a RemoteProtocolError that says where."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await fake.next_ask()
        fake.send_bytes(b"\0\7_answer\0\1")
        fake.close()
        with pytest.raises(ConnectionLost, match="11 bytes into a box") as caught:
            await call
        assert isinstance(caught.value.__cause__, RemoteProtocolError)
        assert peer.end_reason is caught.value.__cause__


async def test_the_connection_is_reset() -> None:
    """The reason is a ConnectionLost with the error of the system in it."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await fake.next_ask()
        fake.abort()
        with pytest.raises(ConnectionLost, match="aborted"):
            await call
        assert isinstance(peer.end_reason, ConnectionLost)
        assert isinstance(peer.end_reason.__cause__, ConnectionResetError)


async def test_the_answer_comes_with_the_end() -> None:
    """What was received before the end counts, though both come in one turn."""
    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        fake.answer((await fake.next_ask()).tag, {b"total": b"3"})
        fake.close()
        assert await call == Total(total=3)


# What is left


@both_loops
async def test_a_closed_peer_is_freed(address: str) -> None:
    """When the program has no reference to a closed peer, nothing else has: no cycle waits for the collector."""
    office = Office()
    async with serve(office, address) as server:
        peer = await connect(server.addresses[0], Office())
        await peer.call(Sum(a=1, b=2))
        (other,) = server.peers
        await other.call(Ask(depth=2))
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        gc.collect()
        gc.disable()
        try:
            await peer.close()
            await other.wait_closed()
            assert isinstance((await asyncio.gather(call, return_exceptions=True))[0], ConnectionLost)
            left = [weakref.ref(thing) for thing in (peer, other, peer.channel, other.channel)]
            del peer, other, call
            await turns()
            assert [ref() for ref in left] == [None] * 4
        finally:
            gc.enable()


@both_loops
async def test_a_closed_peer_still_says_who_it_was(address: str) -> None:
    """Its addresses outlive the connection, for the log of a program."""
    async with served_pair(address, None, None) as (client, server):
        before = [client.remote_address, client.local_address, server.remote_address, server.local_address]
        assert repr(client) == f"<Peer {client.remote_address} open>"
        await client.close()
        await server.wait_closed()
        assert [client.remote_address, client.local_address, server.remote_address, server.local_address] == before
        assert repr(client) == f"<Peer {client.remote_address} closed>"
