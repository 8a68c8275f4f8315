"""A peer that comes back: when it connects, what becomes of its calls meanwhile, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path

import pytest

import ampkit
from ampkit import (
    Backoff,
    Child,
    ChildExited,
    Command,
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    Hooks,
    LocalProtocolError,
    NotSent,
    Options,
    Peer,
    Pool,
    Presence,
    ReconnectingPeer,
    RemoteError,
    Response,
    Server,
    Service,
)
from ampkit.asyncio import client, reconnect, tries
from tests.asyncio.office import Note, Office, Raise, Reverse, Sum, Total, Wait
from tests.asyncio.turning import turns, until

virtual = pytest.mark.asyncio(loop_factories=["virtual"])

where: ContextVar[str] = ContextVar("where", default="nowhere")

HOME = "memory://home"
AT_ONCE = Backoff(first=0, longest=0)


class Count(Response):
    """How often something ran."""

    count: int


class Get(Command[Count], idempotent=True):
    """Run, and hang up the first times."""

    hang_ups: int


class Append(Command[Count]):
    """The same, but it must not run twice."""

    hang_ups: int


class Busy(Command[Count]):
    """Refuse as BUSY the first times."""

    refusals: int


class Shaky(Service):
    """Loses connections, and counts what it was asked."""

    def __init__(self) -> None:
        self.count = 0

    @Get.responder
    @Append.responder
    async def run(self, command: Get | Append, peer: Peer) -> Count:
        """Run, and perhaps hang up."""
        self.count += 1
        if self.count <= command.hang_ups:
            await peer.close()
        return Count(count=self.count)

    @Busy.responder
    def refuse(self, command: Busy) -> Count:
        """Run, or refuse."""
        self.count += 1
        if self.count <= command.refusals:
            raise RemoteError("BUSY", "come again")
        return Count(count=self.count)


@asynccontextmanager
async def coming_back(
    service: Service, *, backoff: Backoff = AT_ONCE, options: Options | None = None
) -> AsyncGenerator[tuple[ReconnectingPeer, Server]]:
    """Serve, and connect with a peer that comes back."""
    async with (
        ampkit.serve(service, HOME) as server,
        ampkit.connect(HOME, reconnect=backoff, options=options or Options()) as peer,
    ):
        yield peer, server


@pytest.fixture
def worst_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait be as long as it may be."""
    for module in (reconnect, tries):
        monkeypatch.setattr(module.random, "random", lambda: 1.0)


async def hang_up(server: Server) -> None:
    """Close all connections from the serving end, and let the other ends notice."""
    for peer in server.peers:
        await peer.close()
    await turns()


# It comes back


@virtual
async def test_it_is_called_like_any_peer() -> None:
    """Every way to call."""
    office = Office()
    async with coming_back(office) as (peer, _):
        assert await peer.call(Sum(a=1, b=2), timeout=1) == Total(total=3)
        assert await peer.call_many([Sum(a=1, b=2), Sum(a=3, b=4)]) == [Total(total=3), Total(total=7)]
        assert await peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}) == {b"total": b"3"}
        await peer.tell(Note(text="x"))
        await peer.tell_raw(b"Note", {b"text": b"y"})
        assert [await office.notes.get() for _ in range(2)] == ["x", "y"]
        with pytest.raises(KeyError):
            await peer.call(Raise(name="declared"))
        results = await peer.call_many([Raise(name="declared"), Raise(name="remote")], return_exceptions=True)
        assert [type(result) for result in results] == [KeyError, RemoteError]
        with pytest.raises(LocalProtocolError):
            await peer.call_many([Sum(a="x", b=1)])  # type: ignore[arg-type]


@virtual
async def test_another_connection_follows_the_one_that_was_lost() -> None:
    """To the same address, with the next server there; whoever watches sees it go and come."""
    seen: list[Presence] = []

    async def watch(peer: ReconnectingPeer) -> None:
        seen.extend([presence async for presence in peer.changes()])

    async with ampkit.serve(Office(), HOME) as server:
        peer = await ampkit.connect(HOME, reconnect=Backoff())
        watching = asyncio.create_task(watch(peer))
        first = peer.peer
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    await peer.wait_for(Presence.WAITING)
    assert (peer.peer, peer.presence) == (None, Presence.WAITING)
    assert isinstance(peer.end_reason, ConnectionLost)
    await asyncio.sleep(3600)
    async with ampkit.serve(Office(), HOME) as server:
        await peer.wait_for(Presence.CONNECTED)
        assert asyncio.get_running_loop().time() <= 3600 + Backoff().longest
        assert peer.peer is not first
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        assert len(server.peers) == 1
        await peer.close()
        await watching
    assert seen == [Presence.CONNECTED, Presence.WAITING, Presence.CONNECTED, Presence.CLOSED]


@virtual
async def test_its_service_serves_on_each_connection() -> None:
    """The serving end calls back over the second one as over the first."""
    async with ampkit.serve(None, HOME) as server, ampkit.connect(HOME, Office(), reconnect=AT_ONCE) as peer:
        for _ in range(2):
            await until(lambda: len(server.peers) == 1)
            (other,) = server.peers
            assert await other.call(Sum(a=1, b=2)) == Total(total=3)
            await hang_up(server)
            await peer.wait_for(Presence.CONNECTED)


@virtual
@pytest.mark.usefixtures("worst_chance")
async def test_the_waits_grow_as_backoff_says() -> None:
    """Also if the server accepts and hangs up at once; a connection that lasted begins a new row."""
    times: list[float] = []
    loop = asyncio.get_running_loop()

    class Slam(Hooks):
        """Hangs up on the first four, then on one that was steady."""

        def opened(self, peer: Peer) -> None:
            times.append(loop.time())
            if len(times) <= 4:
                raise ConnectionLost("not you")
            if len(times) == 5:
                loop.call_later(100, peer.channel.fail, ConnectionLost("enough"))

    backoff = Backoff(first=1, factor=2, longest=5, steady=10)
    options = Options(hooks=(Slam(),))
    async with ampkit.serve(None, HOME, options=options), ampkit.connect(HOME, reconnect=backoff):
        await asyncio.sleep(1000)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == [2, 4, 5, 5, 101]


@virtual
async def test_connections_are_made_in_no_context_of_whoever_began() -> None:
    """The next one may come when that has long ended."""
    seen: list[str] = []

    class Look(Hooks):
        """Looks at the context."""

        def opened(self, peer: Peer) -> None:
            seen.append(where.get() if peer.state is ampkit.State.OPEN else "?")

    token = where.set("here")
    async with coming_back(Office(), options=Options(hooks=(Look(),))) as (peer, server):
        await hang_up(server)
        await peer.wait_for(Presence.CONNECTED)
    where.reset(token)
    assert seen == ["nowhere", "nowhere"]


@virtual
async def test_a_watcher_that_is_slow_sees_how_it_is_now() -> None:
    """What has come and gone meanwhile is left out."""
    async with coming_back(Office()) as (peer, server):
        changes = peer.changes()
        assert await anext(changes) is Presence.CONNECTED
        await hang_up(server)
        await peer.wait_for(Presence.CONNECTED)
        pending = asyncio.ensure_future(anext(changes))
        await turns()
        assert not pending.done()
        await peer.close()
        assert await pending is Presence.CLOSED
        assert [presence async for presence in changes] == []


# What becomes of calls


@virtual
async def test_a_call_waits_for_the_connection() -> None:
    """And is made once there is one."""
    async with ampkit.serve(Office(), HOME) as server:
        peer = await ampkit.connect(HOME, reconnect=Backoff())
        await server.close()
        office = Office()
        one = asyncio.ensure_future(peer.call(Sum(a=1, b=2), timeout=60))
        many = asyncio.ensure_future(peer.call_many([Reverse(data=b"ab"), Reverse(data=b"cd")]))
        told = asyncio.ensure_future(peer.tell(Note(text="late")))
        await asyncio.sleep(10)
        assert [one.done(), many.done(), told.done()] == [False, False, False]
        async with ampkit.serve(office, HOME):
            assert await one == Total(total=3)
            assert [content.data for content in await many] == [b"ba", b"dc"]
            assert await office.notes.get() == "late"
            await told
            await peer.close()


@virtual
@pytest.mark.parametrize("how", ["call", "call_many", "call_raw", "tell"])
async def test_a_call_waits_no_longer_than_it_may(how: str) -> None:
    """Its `timeout`, or the one of `Options`, includes the wait for a connection."""
    ways: dict[str, Callable[[ReconnectingPeer], Awaitable[object]]] = {
        "call": lambda peer: peer.call(Sum(a=1, b=2), timeout=7),
        "call_many": lambda peer: peer.call_many([Sum(a=1, b=2)], timeout=7),
        "call_raw": lambda peer: peer.call_raw(b"Sum", timeout=7),
        "tell": lambda peer: peer.tell(Note(text="x")),
    }
    loop = asyncio.get_running_loop()
    async with coming_back(Office(), backoff=Backoff(), options=Options(timeout=7)) as (peer, server):
        await server.close()
        await turns()
        began = loop.time()
        with pytest.raises(DeadlineExceeded, match=r"^not in time: no connection to memory://home: cannot"):
            await ways[how](peer)
        assert loop.time() == began + 7


@virtual
@pytest.mark.parametrize("how", ["call", "call_many", "tell"])
async def test_a_call_fails_at_once_if_the_program_likes_that_better(how: str) -> None:
    """With `Options.fail_fast`: NotSent, which says why there is no connection."""
    async with coming_back(Office(), backoff=Backoff(), options=Options(fail_fast=True)) as (peer, server):
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        await server.close()
        await turns()
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "call": lambda: peer.call(Sum(a=1, b=2)),
            "call_many": lambda: peer.call_many([Sum(a=1, b=2)]),
            "tell": lambda: peer.tell(Note(text="x")),
        }
        with pytest.raises(NotSent, match="no connection to memory://home") as caught:
            await ways[how]()
        assert isinstance(caught.value.__cause__, ConnectionLost)


@virtual
async def test_an_ask_that_may_run_twice_is_sent_again() -> None:
    """Its answer was lost with the connection; the next connection brings one."""
    shaky = Shaky()
    async with coming_back(shaky) as (peer, _):
        assert await peer.call(Get(hang_ups=2)) == Count(count=3)


@virtual
async def test_any_other_ask_is_not() -> None:
    """The caller is told that the answer was lost, and decides."""
    shaky = Shaky()
    async with coming_back(shaky) as (peer, _):
        with pytest.raises(ConnectionLost) as caught:
            await peer.call(Append(hang_ups=1))
        assert not isinstance(caught.value, NotSent)
        with pytest.raises(ConnectionLost):
            await peer.call_raw(b"Get", {b"hang_ups": b"2"})
        await turns()
        assert shaky.count == 2
        assert await peer.call(Append(hang_ups=0)) == Count(count=3)


@virtual
async def test_of_a_batch_those_are_sent_again_that_may_be() -> None:
    """Each fails or is repeated for itself, and all stand in their order."""
    shaky = Shaky()
    async with coming_back(shaky) as (peer, _):
        batch = [Append(hang_ups=1), Get(hang_ups=1), Append(hang_ups=1), Get(hang_ups=1)]
        results = await peer.call_many(batch, return_exceptions=True)
        assert [type(result) for result in results] == [ConnectionLost, Count, ConnectionLost, Count]
        assert await peer.call_many([]) == []


@virtual
@pytest.mark.parametrize("many", [False, True])
async def test_an_ask_that_kills_every_connection_ends(many: bool) -> None:
    """After `Options.tries` in all, and the peer lives on."""
    shaky = Shaky()
    async with coming_back(shaky, options=Options(tries=4)) as (peer, _):
        with pytest.raises(ConnectionLost):
            await (peer.call_many([Get(hang_ups=9)]) if many else peer.call(Get(hang_ups=9)))
        assert shaky.count == 4
        await peer.wait_for(Presence.CONNECTED)


@virtual
@pytest.mark.usefixtures("worst_chance")
@pytest.mark.parametrize("many", [False, True])
async def test_a_busy_refusal_is_repeated_after_a_pause(many: bool) -> None:
    """Whatever the command, because it was not begun; but not for ever, and not longer than there is time."""
    loop = asyncio.get_running_loop()

    async def ask(peer: ReconnectingPeer, refusals: int, seconds: float | None = None) -> int:
        command = Busy(refusals=refusals)
        if many:
            return (await peer.call_many([command], timeout=seconds))[0].count
        return (await peer.call(command, timeout=seconds)).count

    async with coming_back(shaky := Shaky()) as (peer, _):
        assert await ask(peer, refusals=2) == 3
        assert loop.time() == pytest.approx(0.05 + 0.1)
        with pytest.raises(RemoteError, match="BUSY"):
            await ask(peer, refusals=9)
        assert shaky.count == 6
        with pytest.raises(RemoteError, match="BUSY"):
            await ask(peer, refusals=9, seconds=0.01)
        assert shaky.count == 7


@virtual
async def test_a_call_on_a_connection_that_has_just_ended_is_repeated_on_the_next() -> None:
    """Between the end of a connection and the notice of it."""
    async with coming_back(Office()) as (peer, _):
        assert peer.peer is not None
        peer.peer.channel.fail(ConnectionLost("cut"))
        assert peer.presence is Presence.CONNECTED
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


@virtual
async def test_a_server_that_drains_is_left_at_once() -> None:
    """Calls go over a connection to its successor while what it has begun comes to its end; none is lost."""
    old, new = Office(), Office()
    async with coming_back(old) as (peer, server):
        under_way = asyncio.create_task(peer.call(Wait(number=1)))
        await old.started.get()
        draining = asyncio.create_task(server.drain(grace=1000))
        await peer.wait_for(Presence.WAITING)
        async with ampkit.serve(new, HOME):
            later = asyncio.create_task(peer.call(Wait(number=2), timeout=5))
            await new.started.get()
            assert not under_way.done()
            new.gates[2].set()
            old.gates[1].set()
            assert (await later, await under_way) == (Total(total=2), Total(total=1))
            await draining
            assert asyncio.get_running_loop().time() < 5
            assert peer.presence is Presence.CONNECTED
            await turns()
            assert not peer._leaving
            await peer.close()


@virtual
async def test_closing_closes_what_is_left_too() -> None:
    """With the same grace for what is under way there."""
    old = Office()
    async with coming_back(old, backoff=Backoff()) as (peer, server):
        calls = [asyncio.create_task(peer.call(Wait(number=number))) for number in (1, 2)]
        await until(lambda: old.started.qsize() == 2)
        draining = asyncio.create_task(server.drain(grace=1000))
        await peer.wait_for(Presence.WAITING)
        closing = asyncio.create_task(peer.close(grace=10))
        await asyncio.sleep(1)
        old.gates[1].set()
        assert await calls[0] == Total(total=1)
        await closing
        await turns()
        assert calls[1].done()
        with pytest.raises(ConnectionLost):
            await calls[1]
        await draining


@virtual
@pytest.mark.parametrize("kind", ["one", "pool"])
async def test_a_call_in_the_moment_of_the_drain_goes_to_the_next_connection(kind: str) -> None:
    """It is not even tried on the old one."""
    options = Options(tries=1)
    server = await ampkit.serve(Office(), HOME)
    remote: ReconnectingPeer | Pool
    if kind == "one":
        remote = member = await ampkit.connect(HOME, reconnect=Backoff(), options=options)
    else:
        remote = await ampkit.connect_pool(HOME, options=options)
        (member,) = remote.members
    assert member.peer is not None
    notice, calls = member.peer.on_draining, list[asyncio.Task[Total]]()

    def call_and_notice() -> None:
        calls.append(asyncio.create_task(remote.call(Sum(a=1, b=2))))
        notice()

    member.peer.on_draining = call_and_notice
    await server.drain()
    async with ampkit.serve(Office(), HOME):
        assert await calls[0] == Total(total=3)
        await remote.close()


# The end


@virtual
@pytest.mark.usefixtures("worst_chance")
async def test_connecting_is_given_up_when_backoff_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """The error of the last attempt is raised; the log has one line for the row, and one for its end."""
    with pytest.raises(ConnectionFailed, match="nobody serves it"):
        await ampkit.connect(HOME, reconnect=Backoff(first=1, attempts=4))
    assert asyncio.get_running_loop().time() == 2 + 4 + 8
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == ["cannot", "gave"]


@virtual
async def test_after_too_many_failures_it_is_closed() -> None:
    """For good: waiting calls and all later ones raise NotSent."""
    async with ampkit.serve(Office(), HOME) as server:
        peer = await ampkit.connect(HOME, reconnect=Backoff(attempts=3))
        await server.close()
        waiting = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await peer.wait_closed()
        assert peer.presence is Presence.CLOSED
        for call in (waiting, peer.call(Sum(a=1, b=2)), peer.call_many([Sum(a=1, b=2)])):
            with pytest.raises(NotSent, match=r"no connection to memory://home: .*nobody serves it"):
                await call
        with pytest.raises(ConnectionFailed):
            await peer.wait_for(Presence.CONNECTED)
        await peer.wait_for(Presence.CLOSED)
        assert [presence async for presence in peer.changes()] == [Presence.CLOSED]
        await peer.close()


@virtual
async def test_closing_while_there_is_no_connection() -> None:
    """Ends the attempts, and the calls that wait."""
    async with ampkit.serve(Office(), HOME) as server:
        peer = await ampkit.connect(HOME, reconnect=Backoff())
        await server.close()
        waiting = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await asyncio.sleep(1)
    async with peer:
        pass
    with pytest.raises(NotSent):
        await waiting
    assert repr(peer) == "<ReconnectingPeer memory://home closed>"
    await peer.wait_closed()


@virtual
async def test_closing_lets_calls_end_if_there_is_time() -> None:
    """As `Peer.close` does; and no connection follows."""
    office = Office()
    async with coming_back(office) as (peer, server):
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        closing = asyncio.create_task(peer.close(grace=5))
        await asyncio.sleep(1)
        with pytest.raises(NotSent, match="it was closed"):
            await peer.call(Sum(a=1, b=2))
        office.gates[1].set()
        assert await call == Total(total=1)
        await closing
        await asyncio.sleep(100)
        assert not server.peers


@virtual
@pytest.mark.parametrize("turns_before", [1, 2, 3])
async def test_cancelling_close_closes_at_once(turns_before: int) -> None:
    """Whenever it is cancelled, there is no connection left."""
    office = Office()
    async with coming_back(office) as (peer, server):
        call = asyncio.create_task(peer.call(Wait(number=1)))
        await office.started.get()
        closing = asyncio.create_task(peer.close(grace=1000))
        await turns(turns_before)
        closing.cancel()
        with pytest.raises(ConnectionLost):
            await call
        with pytest.raises(asyncio.CancelledError):
            await closing
        await asyncio.sleep(1)
        assert not server.peers
        assert peer.presence is Presence.CLOSED


class Closer(Service):
    """Closes what the test gives it, from within a responder."""

    def __init__(self) -> None:
        self.remote: ReconnectingPeer | Pool | None = None
        self.is_done = False

    @Note.responder
    async def close(self, _: Note) -> None:
        """Close."""
        assert self.remote is not None
        await self.remote.close(grace=10)
        self.is_done = True


@virtual
@pytest.mark.parametrize("kind", ["one", "pool"])
async def test_a_responder_may_close_what_it_serves(kind: str) -> None:
    """It is neither cancelled nor waited for."""
    closer = Closer()
    async with ampkit.serve(None, HOME) as server:
        if kind == "one":
            closer.remote = await ampkit.connect(HOME, closer, reconnect=Backoff())
        else:
            closer.remote = await ampkit.connect_pool(HOME, service=closer)
        (other,) = server.peers
        await other.tell(Note(text="x"))
        await closer.remote.wait_closed()
        await until(lambda: closer.is_done)
        assert asyncio.get_running_loop().time() < 1


@virtual
async def test_what_is_cancelled_while_it_connects_leaves_nothing() -> None:
    """No task, no attempt."""
    connecting = asyncio.ensure_future(_connect_for_ever())
    await asyncio.sleep(10)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def _connect_for_ever() -> None:
    async with ampkit.connect(HOME, reconnect=Backoff()):
        raise AssertionError("there is no server")


@virtual
async def test_a_failure_of_any_kind_is_followed_by_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is missing today may be there tomorrow."""
    real, attempts = client._connect, iter([OSError("no such file"), ValueError("odd")])

    async def fail_first(*args: object) -> Peer:
        for error in attempts:
            raise error
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "_connect", fail_first)
    async with coming_back(Office()) as (peer, _):
        assert str(peer.end_reason) == "cannot connect to memory://home: odd"
        assert isinstance(peer.end_reason, ConnectionFailed)
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


# Over sockets


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
@pytest.mark.parametrize("transport", ["tcp", "unix"])
async def test_a_server_is_restarted(transport: str, make_address: Callable[[str], str]) -> None:
    """Calls go on over the new one, those that were under way are repeated or fail, as their commands say."""
    office, shaky = Office(), Shaky()
    server = await ampkit.serve([office, shaky], make_address(transport))
    (address,) = server.addresses
    async with ampkit.connect(address, reconnect=Backoff(first=0.01, longest=0.05)) as peer:
        for _ in range(3):
            under_way = asyncio.create_task(peer.call(Wait(number=1), timeout=20))
            await office.started.get()
            await server.close(grace=0)
            with pytest.raises(ConnectionLost):
                await under_way
            waiting = asyncio.create_task(peer.call(Get(hang_ups=0), timeout=20))
            server = await ampkit.serve([office, shaky], address)
            assert (await waiting).count > 0
        await server.close()


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_a_child_process_that_dies_is_started_again() -> None:
    """What it was running is lost; the next call is answered by the next process."""
    child = Child(sys.executable, "-m", "tests.asyncio.worker", "worker", cwd=Path(__file__).parents[2])
    async with ampkit.connect(child, reconnect=Backoff(first=0.01, longest=0.05)) as peer:
        with pytest.raises(ConnectionLost):
            await peer.call(Raise(name="killed"))
        assert await peer.call(Sum(a=1, b=2), timeout=20) == Total(total=3)
        assert isinstance(peer.end_reason, ChildExited)


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_many_calls_while_connections_break(make_address: Callable[[str], str]) -> None:
    """Every call ends, and those that may be repeated all succeed."""
    dice = random.Random(7)
    async with (
        ampkit.serve(Shaky(), make_address("tcp")) as server,
        ampkit.connect(server.addresses[0], reconnect=AT_ONCE, options=Options(timeout=20, tries=50)) as peer,
    ):

        async def caller() -> int:
            done = 0
            for _ in range(100):
                done += (await peer.call(Get(hang_ups=0))).count > 0
            return done

        calls = [asyncio.create_task(caller()) for _ in range(20)]
        while not all(call.done() for call in calls):
            await asyncio.sleep(dice.random() / 100)
            for other in server.peers:
                other.channel.fail(ConnectionLost("cut"))
        assert sum(await asyncio.gather(*calls)) == 2000
        await peer.wait_for(Presence.CONNECTED)
        assert peer.peer is not None
        assert not peer.peer._connection.pending
