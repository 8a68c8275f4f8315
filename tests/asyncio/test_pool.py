"""Several connections as one remote: who is asked, who is left out, who returns, and the end of all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

import ampkit
from ampkit import (
    Backoff,
    Balance,
    Command,
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    Hooks,
    LocalProtocolError,
    NotSent,
    Options,
    Pool,
    Presence,
    RemoteError,
    Response,
    Server,
    Service,
)
from ampkit.asyncio import pool as pool_module
from ampkit.asyncio import reconnect
from ampkit.hooks import Call
from tests.asyncio.office import Note, Office, Raise, Sum, Total, Wait
from tests.asyncio.turning import turns, until

virtual = pytest.mark.asyncio(loop_factories=["virtual"])

SOON = Backoff(first=0.01, longest=0.05)
QUIET = Balance(failures=3, check_every=1e6)
"""Nobody is checked unless it was ejected."""


class Who(Response):
    """The name of a member."""

    name: str


class AskWho(Command[Who], idempotent=True):
    """Say who you are, in whichever way you are in the mood for."""


class AskWhoOnce(AskWho, idempotent=False):
    """The same, but never twice."""


class Worker(Service):
    """Answers, refuses, keeps silent, or hangs up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mood = "well"
        self.count = 0
        self.awake = asyncio.Event()

    @AskWho.responder
    @AskWhoOnce.responder
    async def answer(self, _: AskWho, peer: ampkit.Peer) -> Who:
        """Do as the mood is."""
        self.count += 1
        if self.mood == "busy":
            raise RemoteError("BUSY", "later")
        if self.mood == "silent":
            await self.awake.wait()
        if self.mood == "dying":
            await peer.close()
        return Who(name=self.name)


@dataclass
class Team:
    """A pool, its servers and what answers there."""

    pool: Pool
    servers: list[Server]
    workers: list[Worker]
    addresses: list[str] = field(default_factory=list[str])

    def counts(self) -> list[int]:
        """Return how often each was asked, and begin anew."""
        counts = [worker.count for worker in self.workers]
        for worker in self.workers:
            worker.count = 0
        return counts

    async def ask(self, times: int) -> Counter[str]:
        """Ask one after another, and count the names."""
        return Counter([(await self.pool.call(AskWho())).name for _ in range(times)])


@asynccontextmanager
async def team(
    size: int, *, connections: int = 1, balance: Balance = QUIET, options: Options | None = None
) -> AsyncGenerator[Team]:
    """Start some servers and a pool of connections to them, all of which are there."""
    async with AsyncExitStack() as stack:
        workers = [Worker(chr(ord("a") + i)) for i in range(size)]
        addresses = [f"memory://{worker.name}" for worker in workers]
        servers = [
            await stack.enter_async_context(ampkit.serve([worker, Office()], address))
            for worker, address in zip(workers, addresses, strict=True)
        ]
        pool = await stack.enter_async_context(
            ampkit.connect_pool(
                *addresses,
                connections=connections,
                reconnect=SOON,
                balance=balance,
                options=options or Options(),
            )
        )
        for member in pool.members:
            await member.wait_for(Presence.CONNECTED)
        yield Team(pool, servers, workers, addresses)


@pytest.fixture
def worst_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait be nearly as long as it may be."""
    for module in (reconnect, pool_module):
        monkeypatch.setattr(module.random, "random", lambda: 0.999)


# Who is asked


@virtual
async def test_it_is_called_like_any_peer() -> None:
    """Every way to call."""
    async with team(2) as it:
        assert await it.pool.call(Sum(a=1, b=2), timeout=1) == Total(total=3)
        assert await it.pool.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}) == {b"total": b"3"}
        totals = await it.pool.call_many([Sum(a=i, b=0) for i in range(7)])
        assert [total.total for total in totals] == list(range(7))
        await it.pool.tell(Note(text="x"))
        await it.pool.tell_raw(b"Note", {b"text": b"y"})
        with pytest.raises(KeyError):
            await it.pool.call(Raise(name="declared"))
        assert repr(it.pool) == "<Pool of 2, 2 connected, 0 ejected>"


@virtual
async def test_calls_are_spread() -> None:
    """Over all addresses and all connections to each."""
    async with team(3, connections=2) as it:
        assert len(it.pool.members) == 6
        assert [member.address for member in it.pool.members[:3]] == ["memory://a", "memory://a", "memory://b"]
        names = await it.ask(600)
        assert all(120 < names[worker.name] < 280 for worker in it.workers)


@virtual
async def test_whoever_has_much_to_do_is_asked_less() -> None:
    """A member that keeps silent has its asks under way, and the others get what comes."""
    async with team(2) as it:
        it.workers[0].mood = "silent"
        calls = [asyncio.create_task(it.pool.call(AskWho())) for _ in range(50)]
        await until(lambda: it.pool._members[1].health.load == 0 and it.pool._members[0].health.load > 1)
        assert set(await it.ask(50)) == {"b"}
        it.workers[0].awake.set()
        await asyncio.gather(*calls)


@virtual
async def test_a_batch_is_asked_in_parts() -> None:
    """Of about the same size, and the answers stand in their order; nothing is sent if one cannot be."""
    async with team(3) as it:
        names = Counter(who.name for who in await it.pool.call_many([AskWho()] * 30))
        assert names == {"a": 10, "b": 10, "c": 10}
        it.counts()
        with pytest.raises(LocalProtocolError):
            await it.pool.call_many([AskWho(), AskWho(), Sum(a="x", b=1)])  # type: ignore[arg-type]
        await turns()
        assert it.counts() == [0, 0, 0]


@virtual
async def test_every_member_can_be_asked() -> None:
    """With an outcome for each, in the order of the members, be it an error; who is not there is not waited for."""
    async with team(4) as it:
        it.workers[1].mood = "busy"
        it.workers[2].mood = "silent"
        await it.servers[3].close()
        await turns()
        outcomes = await it.pool.call_all(AskWho(), timeout=5)
        assert outcomes[0] == Who(name="a")
        assert [type(outcome) for outcome in outcomes[1:]] == [RemoteError, DeadlineExceeded, NotSent]
        assert str(outcomes[3]).startswith("no connection to memory://d: ")
        it.workers[2].awake.set()
        assert all(member.health.load == 0 for member in it.pool._members)


@virtual
async def test_the_service_of_a_pool_serves_on_all_connections() -> None:
    """Each server calls back."""
    async with (
        ampkit.serve(None, "memory://x") as first,
        ampkit.serve(None, "memory://y") as second,
        ampkit.connect_pool("memory://x", "memory://y", service=Office(), connections=2) as pool,
    ):
        await asyncio.gather(*(member.wait_for(Presence.CONNECTED) for member in pool.members))
        for server in (first, second):
            assert len(server.peers) == 2
            for peer in server.peers:
                assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


# Who is left out


@virtual
async def test_a_member_dies_and_returns() -> None:
    """Its calls go to the others, those that may be repeated are, and once it is back it is asked again."""
    async with team(2) as it:
        it.workers[0].mood = "dying"
        assert set(await it.ask(40)) == {"b"}
        await it.servers[0].close()
        await turns()
        assert it.pool.presence is Presence.CONNECTED
        assert set(await it.ask(40)) == {"b"}
        it.workers[0].mood = "well"
        async with ampkit.serve(it.workers[0], "memory://a"):
            await it.pool.members[0].wait_for(Presence.CONNECTED)
            await asyncio.sleep(100)
            assert set(await it.ask(40)) == {"a", "b"}


@virtual
async def test_servers_drain_one_after_another() -> None:
    """A rolling restart: not even a call that must not run twice is lost, however long those under way take."""
    async with team(2) as it:
        for worker in it.workers:
            worker.mood = "silent"
        done = [asyncio.create_task(it.pool.call(AskWhoOnce())) for _ in range(20)]
        await until(lambda: sum(worker.count for worker in it.workers) == 20)
        for at in range(2):
            it.counts()
            draining = asyncio.create_task(it.servers[at].drain(grace=1000))
            await it.pool.members[at].wait_for(Presence.WAITING)
            quick = Worker(it.workers[at].name)
            async with ampkit.serve(quick, it.addresses[at]):
                await it.pool.members[at].wait_for(Presence.CONNECTED)
                assert await it.pool.call_all(AskWhoOnce(), timeout=1) != []
                assert (quick.count, it.workers[at].count) == (1, 0)
                it.workers[at].awake.set()
                await draining
        assert Counter([(await call).name for call in done]).keys() == {"a", "b"}


@virtual
async def test_what_must_not_run_twice_is_not_repeated_elsewhere() -> None:
    """Its caller is told that the answer was lost."""
    async with team(2) as it:
        for worker in it.workers:
            worker.mood = "dying"
        with pytest.raises(ConnectionLost):
            await it.pool.call(AskWhoOnce())
        assert sum(it.counts()) == 1


@virtual
@pytest.mark.usefixtures("worst_chance")
@pytest.mark.parametrize("mood", ["busy", "silent"])
async def test_a_member_that_fails_in_a_row_is_ejected_and_returns(mood: str) -> None:
    """After its rest, and after a check that went well."""
    loop = asyncio.get_running_loop()
    balance = Balance(failures=3, rest=Backoff(first=60, longest=600), check_every=1e6)
    async with team(2, balance=balance, options=Options(timeout=1, tries=1)) as it:
        it.workers[0].mood = it.workers[1].mood = mood
        for _ in range(3):
            await it.pool.call_all(AskWho())
        ejected_at = loop.time()
        assert it.pool.ejected == it.pool.members
        it.workers[1].mood = "well"
        outcomes = await it.pool.call_all(AskWho())  # where all are ejected, all are asked
        assert outcomes[1] == Who(name="b")
        await asyncio.sleep(ejected_at + 59 - loop.time())
        assert it.pool.ejected == it.pool.members
        await asyncio.sleep(2)
        assert it.pool.ejected == ()
        for worker in it.workers:
            worker.awake.set()


@virtual
@pytest.mark.usefixtures("worst_chance")
async def test_an_ejected_member_is_not_asked() -> None:
    """Though it has nothing to do; a batch goes past it too."""
    balance = Balance(failures=3, rest=Backoff(first=60, longest=60), check_every=1e6)
    async with team(3, balance=balance) as it:
        it.workers[0].mood = "busy"
        for _ in range(3):
            await it.pool.call_all(AskWho())
        assert it.pool.ejected == it.pool.members[:1]
        it.counts()
        await it.ask(50)
        await it.pool.call_many([AskWho()] * 50)
        assert it.counts()[0] == 0
        await it.pool.call_many([AskWho()] * 50)
        assert it.counts() == [0, 25, 25]
        it.workers[0].mood = "well"
        await asyncio.sleep(70)
        assert it.pool.ejected == ()


@virtual
@pytest.mark.usefixtures("worst_chance")
async def test_a_silent_member_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing was heard of it for `check_every` seconds; if it gives no sign of life it is ejected in the end."""
    checks: list[tuple[float, str]] = []
    loop = asyncio.get_running_loop()
    answers = True

    async def check(_: Pool, member: pool_module._Member) -> object:
        checks.append((loop.time(), member.remote.address))
        return None if answers else DeadlineExceeded("no sign of life")

    monkeypatch.setattr(Pool, "_check", check)
    balance = Balance(failures=2, rest=Backoff(first=1000, longest=1000), check_every=10)
    async with team(1, balance=balance) as it:
        await asyncio.sleep(35)
        assert checks == [(10.0, "memory://a"), (20.0, "memory://a"), (30.0, "memory://a")]
        for _ in range(5):
            await it.ask(1)
            await asyncio.sleep(9)
        assert len(checks) == 3
        answers = False
        await asyncio.sleep(30)
        assert it.pool.ejected == it.pool.members
        answers = True
        await asyncio.sleep(2000)
        assert it.pool.ejected == ()


@virtual
async def test_a_member_may_be_left_out_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """If its rest has an end: after as many checks that failed."""

    async def fail(_: Pool, member: pool_module._Member) -> object:
        return DeadlineExceeded(member.remote.address)

    monkeypatch.setattr(Pool, "_check", fail)
    balance = Balance(failures=1, rest=Backoff(first=1, attempts=2), check_every=1e6)
    async with team(2, balance=balance) as it:
        it.workers[0].mood = "busy"
        await it.pool.call_all(AskWho())
        it.workers[0].mood = "well"
        await asyncio.sleep(1000)
        assert it.pool.ejected == it.pool.members[:1]
        assert set(await it.ask(20)) == {"b"}


class Strict(Hooks):
    """Lets no sum be asked."""

    def calling(self, call: Call) -> AbstractContextManager[object]:
        if call.command == b"Sum":
            raise PermissionError("no sums")
        return super().calling(call)


@virtual
async def test_a_hook_that_refuses_a_part_of_a_batch_refuses_the_batch() -> None:
    """As it does for one peer."""
    async with team(2, options=Options(hooks=(Strict(),))) as it:
        with pytest.raises(PermissionError):
            await it.pool.call_many([Sum(a=1, b=2)] * 4)
        assert all(member.health.load == 0 for member in it.pool._members)


@virtual
async def test_any_answer_is_a_sign_of_life() -> None:
    """A refusal of what the other end does not know too; no answer in time is none."""
    async with team(1) as it:
        member = it.pool._members[0]
        outcome = await it.pool._check(member)
        assert not isinstance(outcome, ConnectionLost | DeadlineExceeded)
        assert member.peer is not None
        member.peer.channel.transport.pause_reading()  # type: ignore[union-attr]
        assert isinstance(await it.pool._check(member), DeadlineExceeded)
        member.peer.channel.fail(ConnectionLost("cut"))
        assert await it.pool._check(member) is None


@virtual
async def test_a_program_that_wants_no_extensions_sends_no_checks() -> None:
    """A member that was ejected then returns after its rest."""
    shown: list[bytes] = []

    class Tap(Hooks):
        """Keeps the names of commands."""

        def box_sent(self, peer: ampkit.Peer, box: Mapping[bytes, bytes]) -> None:
            assert peer.state is ampkit.State.OPEN
            shown.append(box[b"_command"])

    balance = Balance(failures=1, check_every=1)
    for extensions in (False, True):
        async with team(1, balance=balance, options=Options(extensions=extensions, hooks=(Tap(),))) as it:
            it.workers[0].mood = "busy"
            await it.pool.call_all(AskWho())
            assert it.pool.ejected
            await asyncio.sleep(100)
            assert not it.pool.ejected
        assert (b"_ping" in shown) is extensions


class Start(Command[None]):
    """Make a pool in a responder."""


class Starter(Service):
    """Has a pool that outlives the ask it was made for."""

    def __init__(self) -> None:
        self.pool: Pool | None = None

    @Start.responder
    async def start(self, _: Start) -> None:
        """Make the pool."""
        self.pool = await ampkit.connect_pool("memory://a", balance=Balance(failures=1, check_every=10))


@virtual
async def test_the_deadline_of_a_responder_is_not_that_of_the_pool_it_makes() -> None:
    """Its checks go on when that deadline has passed."""
    starter = Starter()
    async with (
        ampkit.serve(Worker("a"), "memory://a"),
        ampkit.serve(starter, "memory://starter"),
        ampkit.connect("memory://starter") as peer,
    ):
        await peer.call(Start(), timeout=5)
        await asyncio.sleep(100)
        assert starter.pool is not None
        assert (starter.pool.ejected, starter.pool.presence) == ((), Presence.CONNECTED)
        await starter.pool.close()


# Nobody is there


@virtual
@pytest.mark.parametrize("fail_fast", [False, True])
async def test_calls_wait_for_the_first_that_comes_back(fail_fast: bool) -> None:
    """Or fail at once, as the program likes it better."""
    async with team(2, options=Options(fail_fast=fail_fast, timeout=5)) as it:
        for server in it.servers:
            await server.close()
        await it.pool.wait_for(Presence.WAITING)
        if fail_fast:
            with pytest.raises(NotSent, match=r"^no connection of 2: "):
                await it.pool.call(AskWho())
            with pytest.raises(NotSent):
                await it.pool.call_many([AskWho(), AskWho()])
            return
        with pytest.raises(DeadlineExceeded, match="not in time: no connection of 2: cannot connect"):
            await it.pool.call(AskWho())
        waiting = [asyncio.create_task(it.pool.call(AskWho())) for _ in range(3)]
        await asyncio.sleep(1)
        async with ampkit.serve(it.workers[1], "memory://b"):
            assert {(await call).name for call in waiting} == {"b"}
            await it.pool.close()


@virtual
async def test_a_call_meets_the_moment_between_two_connections() -> None:
    """Nothing is lost if one member comes while another goes."""
    async with team(2) as it:
        for member in it.pool.members:
            assert member.peer is not None
            member.peer.channel.fail(ConnectionLost("cut"))
        assert it.pool.presence is Presence.CONNECTED
        assert (await it.pool.call(AskWho(), timeout=5)).name in {"a", "b"}


@virtual
async def test_a_call_that_waits_sees_every_member_that_comes() -> None:
    """Also where the pool has a connection all the time, which is just being closed."""
    async with team(2) as it:
        it.workers[0].mood = "silent"
        await it.servers[1].close()
        await it.pool.members[1].wait_for(Presence.WAITING)
        under_way = asyncio.create_task(it.pool.call(AskWho()))
        await turns()
        assert it.pool.members[0].peer is not None
        closing = asyncio.create_task(it.pool.members[0].peer.close(grace=1000))
        await turns()
        waiting = asyncio.create_task(it.pool.call(AskWho(), timeout=100))
        await asyncio.sleep(1)
        assert (it.pool.presence, waiting.done()) == (Presence.CONNECTED, False)
        async with ampkit.serve(it.workers[1], it.addresses[1]):
            assert await waiting == Who(name="b")
            it.workers[0].awake.set()
            assert await under_way == Who(name="a")
            await closing
            await it.pool.close()


@virtual
async def test_one_address_is_enough_to_begin() -> None:
    """The others are tried meanwhile."""
    async with (
        ampkit.serve(Worker("b"), "memory://b"),
        ampkit.connect_pool("memory://a", "memory://b") as pool,
    ):
        assert (await pool.call(AskWho())).name == "b"
        assert pool.members[0].presence is Presence.WAITING
        async with ampkit.serve(Worker("a"), "memory://a"):
            await pool.members[0].wait_for(Presence.CONNECTED)
            await pool.close()


@virtual
async def test_connecting_is_given_up_when_backoff_says_so() -> None:
    """By all members: the error of an attempt is raised."""
    with pytest.raises(ConnectionFailed, match="nobody serves it"):
        await ampkit.connect_pool("memory://a", "memory://b", reconnect=Backoff(attempts=2))


@virtual
async def test_when_all_members_have_given_up_it_is_closed() -> None:
    """For good, and nothing runs any more."""
    async with ampkit.serve(Worker("a"), "memory://a") as server:
        pool = await ampkit.connect_pool("memory://a", connections=2, reconnect=Backoff(attempts=2))
        await server.close()
        await pool.wait_closed()
        assert pool.presence is Presence.CLOSED
        with pytest.raises(NotSent):
            await pool.call(AskWho())


@virtual
async def test_closing_lets_calls_end_if_there_is_time() -> None:
    """New ones raise NotSent, waiting ones too."""
    office = Office()
    async with ampkit.serve(office, "memory://x"), ampkit.connect_pool("memory://x", connections=3) as pool:
        under_way = [asyncio.create_task(pool.call(Wait(number=1))) for _ in range(9)]
        await until(lambda: office.started.qsize() == 9)
        closing = asyncio.create_task(pool.close(grace=10))
        await asyncio.sleep(1)
        with pytest.raises(NotSent, match="closed"):
            await pool.call(Sum(a=1, b=2))
        office.gates[1].set()
        assert await asyncio.gather(*under_way) == [Total(total=1)] * 9
        await closing
        await pool.wait_closed()


@virtual
async def test_a_cancelled_call_leaves_no_load() -> None:
    """And says nothing against the member."""
    async with team(1) as it:
        it.workers[0].mood = "silent"
        calls = [asyncio.create_task(call) for call in (it.pool.call(AskWho()), it.pool.call_all(AskWho()))]
        many = asyncio.create_task(it.pool.call_many([AskWho()] * 5))
        await turns()
        assert it.pool._members[0].health.load == 7
        for call in (*calls, many):
            call.cancel()
        await asyncio.wait([*calls, many])
        assert it.pool._members[0].health.load == 0
        assert it.pool.ejected == ()
        it.workers[0].awake.set()


def test_a_pool_needs_an_address() -> None:
    """At once, as all that is wrong with the arguments."""
    wrong: list[Callable[[], object]] = [
        ampkit.connect_pool,
        lambda: ampkit.connect_pool("memory://a", connections=0),
    ]
    for make in wrong:
        with pytest.raises(ValueError, match="at least one"):
            make()
    with pytest.raises(LocalProtocolError):
        _ = ampkit.connect_pool("nonsense")


# Over sockets


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_servers_are_restarted_one_after_another(make_address: Callable[[str], str]) -> None:
    """A rolling restart under load: no call is lost that may be repeated."""
    workers = [Worker(name) for name in "abc"]
    servers = [await ampkit.serve(worker, make_address("tcp")) for worker in workers]
    addresses = [server.addresses[0] for server in servers]
    options = Options(timeout=20, tries=10)
    reconnect = Backoff(first=0.01, longest=0.05)
    async with ampkit.connect_pool(*addresses, connections=2, reconnect=reconnect, options=options) as pool:
        done = False

        async def caller() -> int:
            count = 0
            while not done:
                count += bool((await pool.call(AskWho())).name)
            return count

        callers = [asyncio.create_task(caller()) for _ in range(10)]
        for at in range(3):
            await servers[at].close(grace=0)
            servers[at] = await ampkit.serve(workers[at], addresses[at])
            await asyncio.gather(*(member.wait_for(Presence.CONNECTED) for member in pool.members))
        done = True
        assert all(await asyncio.gather(*callers))
        assert all(member.health.load == 0 for member in pool._members)
    for server in servers:
        await server.close()


WAYS: dict[str, Callable[[Pool], Awaitable[object]]] = {
    "call": lambda pool: pool.call(Sum(a=1, b=2)),
    "call_many": lambda pool: pool.call_many([Sum(a=1, b=2)] * 3),
    "call_all": lambda pool: pool.call_all(Sum(a=1, b=2)),
}


@pytest.mark.parametrize("how", WAYS)
async def test_after_the_end(how: str) -> None:
    """A call raises, the outcomes of all are errors."""
    async with ampkit.serve(Office(), "memory://x"):
        pool = await ampkit.connect_pool("memory://x")
        await pool.close()
        if how == "call_all":
            assert [type(outcome) for outcome in await pool.call_all(Sum(a=1, b=2))] == [NotSent]
        else:
            with pytest.raises(NotSent):
                await WAYS[how](pool)
