"""A server: its services, its connections, and how it closes without losing an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from ampkit import (
    ConnectionFailed,
    ConnectionLost,
    NotSent,
    Options,
    Peer,
    RemoteError,
    Server,
    Service,
    UnhandledCommand,
    connect,
    encode_box,
    serve,
)
from ampkit.asyncio.opening import Opening
from ampkit.core.states import State
from ampkit.schema.responders import Services
from ampkit.testing import fake_peer
from tests.asyncio.office import Ask, HangUp, Office, Stubborn, Sum, Total, Wait
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import turns, until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
virtual = pytest.mark.asyncio(loop_factories=["virtual"])

# Closing


@both_loops
async def test_running_responders_end_and_new_asks_are_refused(address: str) -> None:
    """Closing delivers the answers of what runs, on every connection, and refuses what comes meanwhile as BUSY."""
    office = Office()
    async with serve(office, address) as server:
        clients = [await connect(server.addresses[0]) for _ in range(3)]
        calls = [asyncio.create_task(client.call(Wait(number=1))) for client in clients]
        for _ in calls:
            await office.started.get()
        close = asyncio.create_task(server.close(grace=60))
        await until(lambda: all(peer.state is State.CLOSING for peer in server.peers))
        for client in clients:
            with pytest.raises((RemoteError, NotSent), match=r"BUSY|begins nothing new"):
                await client.call(Sum(a=1, b=2))
        with pytest.raises(ConnectionFailed):
            await connect(server.addresses[0])
        assert not close.done()
        office.gates[1].set()
        assert await asyncio.gather(*calls) == [Total(total=1)] * 3
        await close
        for client in clients:
            await client.wait_closed()
        await server.wait_closed()
        assert not server.peers
        assert not office.cancelled


@virtual
async def test_what_does_not_end_in_time_is_cancelled() -> None:
    """The default grace is `close_timeout`."""
    office = Office()
    async with serve(office, "memory://it", options=Options(close_timeout=7)) as server, connect("memory://it") as peer:
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        await server.close()
        assert asyncio.get_running_loop().time() == 7
        with pytest.raises(ConnectionLost):
            await call
        assert office.cancelled == [1]


@virtual
async def test_a_responder_that_ignores_its_cancellation_does_not_hold_the_server_up_for_ever() -> None:
    """After grace and `close_timeout` the server is closed, whatever runs."""
    office = Office()
    async with serve(office, "memory://it", options=Options(close_timeout=7)) as server, connect("memory://it") as peer:
        call = asyncio.create_task(peer.call(Stubborn(number=1)))
        await office.started.get()
        await server.close(grace=20)
        assert asyncio.get_running_loop().time() == 27
        office.gates[1].set()
        with pytest.raises(ConnectionLost):
            await call


@virtual
async def test_close_without_grace() -> None:
    """What runs is cancelled at once."""
    office = Office()
    async with serve(office, "memory://it") as server, connect("memory://it") as peer:
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        await server.close(grace=0)
        assert asyncio.get_running_loop().time() == 0
        with pytest.raises(ConnectionLost):
            await call


@virtual
async def test_close_together() -> None:
    """Several closes at once all return when the server is closed; the shortest grace counts."""
    office = Office()
    async with serve(office, "memory://it") as server, connect("memory://it") as peer:
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        await asyncio.gather(server.close(grace=60), server.close(grace=10), server.wait_closed())
        assert asyncio.get_running_loop().time() == 10
        with pytest.raises(ConnectionLost):
            await call
        await server.close()


@virtual
async def test_a_close_that_is_cancelled_closes_at_once() -> None:
    """Whoever loses patience leaves no open connection."""
    office = Office()
    async with serve(office, "memory://it") as server, connect("memory://it") as peer:
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await server.close(grace=3600)
        with pytest.raises(ConnectionLost):
            await call
        assert asyncio.get_running_loop().time() == 10
        await server.wait_closed()
        assert office.cancelled == [1]


@both_loops
@pytest.mark.parametrize("turn", range(1, 7))
async def test_a_close_that_is_cancelled_in_any_turn(turn: int, address: str) -> None:
    """All connections are closed all the same, and the address is free."""
    office = Office()
    async with serve(office, address) as server:
        peer = await connect(server.addresses[0])
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        close = asyncio.create_task(server.close(grace=60))
        await turns(turn)
        close.cancel()
        with pytest.raises(asyncio.CancelledError):
            await close
        with pytest.raises(ConnectionLost):
            await call
        await server.wait_closed()
        with pytest.raises(ConnectionFailed):
            await connect(server.addresses[0])


async def test_a_server_that_cannot_have_all_its_addresses() -> None:
    """It has none: who has connected to the first one already is sent away, and the name is free."""
    async with serve(Office(), "memory://taken"):
        opening = asyncio.ensure_future(
            _opened(serve(Office(), "memory://free", "tcp://127.0.0.1:0", "memory://taken"))
        )
        await turns(1)
        async with connect("memory://free") as peer:
            with pytest.raises(ConnectionFailed, match="memory://taken"):
                await opening
            await peer.wait_closed()
        with pytest.raises(ConnectionFailed):
            await connect("memory://free")


async def _opened(opening: Opening[Server]) -> Server:
    return await opening


@virtual
@pytest.mark.parametrize("grace", [0, 60])
async def test_a_responder_closes_its_server(grace: float) -> None:
    """It is neither waited for nor cancelled; responders of other connections are."""
    office, other_office = Office(), Office()
    closed = asyncio.Event()

    class Stop(Service):
        @HangUp.responder
        async def hang_up(self, command: HangUp) -> None:
            await server.close(command.grace)
            closed.set()

    async with serve([Stop(), OnlyWait(other_office)], "memory://it") as server:
        async with connect("memory://it") as one, connect("memory://it") as another:
            waiting = asyncio.create_task(another.call(Wait(number=1)))
            await other_office.started.get()
            with pytest.raises(ConnectionLost):
                await one.call(HangUp(grace=grace))
            with pytest.raises(ConnectionLost):
                await waiting
        await closed.wait()
        assert asyncio.get_running_loop().time() == grace
    assert not office.cancelled
    assert other_office.cancelled == [1]


class OnlyWait(Service):
    """One command of the office."""

    def __init__(self, office: Office) -> None:
        self.office = office

    @Wait.responder
    async def wait(self, command: Wait) -> Total:
        """Wait."""
        return await self.office.wait(command)


async def test_responders_may_call_their_callers_while_the_server_closes() -> None:
    """What is under way in both directions ends well."""
    async with serve(Office(), "memory://it") as server, connect("memory://it", Office()) as peer:
        calls = [asyncio.create_task(peer.call(Ask(depth=depth))) for depth in range(0, 20, 2)]
        await turns(3)
        close = asyncio.create_task(server.close(grace=60))
        for depth, reply in zip(range(0, 20, 2), await asyncio.gather(*calls, return_exceptions=True), strict=True):
            assert reply == Total(total=depth) or "BUSY" in str(reply) or isinstance(reply, RemoteError)
        await close


@both_loops
async def test_the_address_is_free_again(address: str) -> None:
    """As soon as `close` has returned, the same address can be served again."""
    async with serve(Office(), address) as first:
        again = first.addresses[0]
        async with connect(again) as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
            await first.close()
            async with serve(Office(), again) as second, connect(second.addresses[0]) as other:
                assert await other.call(Sum(a=1, b=2)) == Total(total=3)


@both_loops
async def test_connections_that_come_while_it_closes(address: str) -> None:
    """Whenever a connection comes, it is served, refused, or closed; it never hangs, and nothing is left."""
    for turns_before in range(8):
        async with serve(Office(), address) as server:
            opening = asyncio.create_task(_open(server.addresses[0]))
            await turns(turns_before)
        async with asyncio.timeout(5):
            peer = await opening
            if peer is not None:
                await peer.wait_closed()
        assert not server.peers


async def _open(address: str) -> Peer | None:
    try:
        return await connect(address)
    except ConnectionFailed:
        return None


# Services


async def test_a_service_is_shared() -> None:
    """One instance serves all connections."""
    office = Office()
    async with serve(office, "memory://it"), connect("memory://it") as one, connect("memory://it") as another:
        calls = [asyncio.create_task(peer.call(Wait(number=1))) for peer in (one, another)]
        for _ in calls:
            await office.started.get()
        office.gates[1].set()
        await asyncio.gather(*calls)


class Counter(Service):
    """One for each connection."""

    def __init__(self, step: int = 1) -> None:
        self.total = 0
        self.step = step

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add to what there was."""
        self.total += (command.a + command.b) * self.step
        return Total(total=self.total)


class OfPeer(Counter):
    """Knows its connection."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self.peer = peer

    @Wait.responder
    async def wait(self, command: Wait) -> Total:
        """Ask back through the peer that it was made with."""
        return await self.peer.call(Sum(a=command.number, b=1))


FACTORIES: dict[str, Callable[[], Services] | Callable[[Peer], Services]] = {
    "a class": Counter,
    "a class that needs the peer": OfPeer,
    "a function": lambda: Counter(1),
    "a function that needs the peer": lambda peer: [OfPeer(peer)],
    "a function of several": lambda: [Counter(), OnlyWait(Office())],
}


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
async def test_a_factory_makes_one_for_each_connection(
    factory: Callable[[], Services] | Callable[[Peer], Services],
) -> None:
    """A class or a function is called for each connection, with the peer if it needs an argument."""
    async with serve(factory, "memory://it"), connect("memory://it") as one, connect("memory://it") as another:
        assert await one.call(Sum(a=1, b=0)) == Total(total=1)
        assert await one.call(Sum(a=1, b=0)) == Total(total=2)
        assert await another.call(Sum(a=1, b=0)) == Total(total=1)


async def test_a_factory_gets_the_peer_of_its_connection() -> None:
    """It may keep it, and call it."""
    async with serve(OfPeer, "memory://it"), connect("memory://it", Office()) as peer:
        assert await peer.call(Wait(number=4)) == Total(total=5)


class Called(Office):
    """A service that can be called like a function."""

    def __call__(self) -> None:
        """Never."""
        raise AssertionError


async def test_a_service_is_no_factory() -> None:
    """An instance that happens to be callable is a service all the same."""
    async with serve(Called(), "memory://it"), connect("memory://it") as peer:
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


@both_loops
async def test_a_factory_that_fails(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """That connection is closed before anything is read, what was raised is logged; the server goes on."""
    fails = [True, False]

    def make() -> Service:
        if fails.pop(0):
            raise ValueError("no service today")
        return Office()

    async with serve(make, address) as server:
        async with await RawEnd.connect(server.addresses[0]) as raw:
            raw.transport.write(encode_box({b"_ask": b"1", b"_command": b"Sum", b"a": b"1", b"b": b"2"}))
            await raw.lost
            assert not raw.received
        async with connect(server.addresses[0]) as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    (message,) = caplog.messages
    assert "making a service failed" in message
    assert "no service today" in message


async def test_a_factory_turns_somebody_away(caplog: pytest.LogCaptureFixture) -> None:
    """A ConnectionLost from a factory closes the connection, and is not logged as a failure."""

    def make() -> Service:
        raise ConnectionLost("not you")

    async with serve(make, "memory://it"), connect("memory://it") as peer:
        await peer.wait_closed()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_what_cannot_be_served() -> None:
    """Mistakes of the program are told at once, before anything is awaited."""
    with pytest.raises(TypeError, match="two responders for the command Sum"):
        _ = serve([Office(), Counter()], "memory://it")
    with pytest.raises(TypeError, match="expected Service instances"):
        _ = serve([Office], "memory://it")  # type: ignore[list-item]
    with pytest.raises(TypeError, match="at least one address"):
        _ = serve(Office())
    with pytest.raises(TypeError, match="two responders for the command Sum"):
        _ = connect("memory://it", [Office(), Counter()])


async def test_a_server_without_services() -> None:
    """It refuses every command, and can call those who connect."""
    async with serve(None, "memory://it") as server, connect("memory://it", Office()) as peer:
        with pytest.raises(UnhandledCommand):
            await peer.call(Sum(a=1, b=2))
        (other,) = server.peers
        assert await other.call(Sum(a=1, b=2)) == Total(total=3)


async def test_one_opening_may_be_opened_again() -> None:
    """What `serve` and `connect` return is a recipe: each time it is opened, a new server or peer is made."""
    serving, connecting = serve(Office(), "memory://it"), connect("memory://it")
    for _ in range(2):
        async with serving, connecting as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


# Options


@pytest.mark.parametrize(
    "box", [{b"_answer": b"7"}, {b"_error": b"7", b"_error_code": b"X"}, {b"_answer": b"\x1b[31m"}, {b"x": b"y"}]
)
async def test_stray_boxes(box: dict[bytes, bytes]) -> None:
    """They are dropped; with `strict=True` they end the connection with RemoteProtocolError."""
    async with fake_peer(Office()) as (_, fake):
        fake.send_box(box)
        fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
        assert (await fake.next_box())[b"total"] == b"3"
    async with fake_peer(Office(), options=Options(strict=True)) as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await fake.next_ask()
        fake.send_box(box)
        with pytest.raises(ConnectionLost) as caught:
            await call
        assert caught.value.__cause__ is peer.end_reason
        assert type(peer.end_reason).__name__ == "RemoteProtocolError"
        assert str(peer.end_reason).isprintable()


async def test_a_late_answer_is_not_stray() -> None:
    """What answers an ask that was given up is dropped, also with `strict=True`."""
    async with fake_peer(options=Options(strict=True)) as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        call.cancel()
        await asyncio.wait([call])
        assert (await fake.next_ask()).command == b"_cancel"
        fake.answer(ask.tag, {b"total": b"3"})
        call = asyncio.create_task(peer.call(Sum(a=1, b=3)))
        fake.answer((await fake.next_ask()).tag, {b"total": b"4"})
        assert await call == Total(total=4)


async def test_a_program_may_keep_what_it_knows_on_the_peer(address: str) -> None:
    """In attributes of its own, which last as long as the connection."""

    class Counter(Service):
        @Sum.responder
        def sum(self, command: Sum, peer: Peer) -> Total:
            peer.__dict__["asked"] = command.a + peer.__dict__.get("asked", 0)
            return Total(total=peer.__dict__["asked"])

    async with serve(Counter(), address) as server, connect(server.addresses[0]) as peer:
        assert [(await peer.call(Sum(a=number, b=0))).total for number in (1, 2, 3)] == [1, 3, 6]
