"""An ask whose responder raises, returns nonsense, is cancelled or never ends: only that ask suffers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest

from ampkit import (
    Command,
    ConnectionLost,
    Dispatch,
    Limits,
    Options,
    RemoteError,
    Response,
    Service,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.policy.dispatch import Refusal
from ampkit.schema.command import CommandSchema
from ampkit.testing import fake_peer, peer_pair, served_pair
from tests.asyncio.office import (
    Ask,
    HangUp,
    Office,
    Raise,
    Return,
    Stubborn,
    Sum,
    Total,
    Wait,
    Zeros,
)
from tests.asyncio.turning import turns, until

both_kinds = pytest.mark.parametrize("later", [False, True], ids=["plain", "coroutine"])


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as an error."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# Raises


@both_kinds
async def test_a_declared_error(later: bool, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets the exception that the command declares, and nothing is logged: it was foreseen."""
    async with served_pair(address, None, Office()) as (client, _):
        with pytest.raises(KeyError, match="shelf"):
            await client.call(Raise(name="declared", later=later))
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    assert not caplog.records


@both_kinds
async def test_an_undeclared_error(later: bool, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets UnknownRemoteError and not a word more; the log here has the traceback."""
    async with served_pair(address, None, Office()) as (client, _):
        with pytest.raises(UnknownRemoteError) as caught:
            await client.call(Raise(name="undeclared", later=later))
        assert "secret" not in str(caught.value)
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    (message,) = failures(caplog)
    assert "the responder of Raise failed" in message
    assert "a secret" in message


@both_kinds
async def test_a_remote_error_is_the_responders_choice(later: bool) -> None:
    """A responder that raises RemoteError chooses the code and the description that its caller sees."""
    async with peer_pair(None, Office()) as (client, _):
        with pytest.raises(RemoteError) as caught:
            await client.call(Raise(name="remote", later=later))
        assert (caught.value.code, caught.value.description) == ("CHOSEN", "by the responder")


@both_kinds
@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_a_fatal_error(later: bool, address: str) -> None:
    """The caller gets the exception, and then the connection closes at both ends."""
    async with served_pair(address, None, Office()) as (client, server):
        waiting = asyncio.create_task(client.call(Wait(number=1)))
        with pytest.raises(EOFError, match="enough"):
            await client.call(Raise(name="fatal", later=later))
        with pytest.raises(ConnectionLost):
            await waiting
        await server.wait_closed()
        assert "fatal" in str(server.end_reason)


@both_kinds
async def test_a_cancelled_responder(later: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A responder that ends as cancelled, though nobody cancelled it for us, is one that failed."""
    async with peer_pair(None, Office()) as (client, _):
        with pytest.raises(UnknownRemoteError):
            await client.call(Raise(name="cancelled", later=later))
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    assert "cancelled" in failures(caplog)[0]


async def test_a_responder_that_the_program_cancels(caplog: pytest.LogCaptureFixture) -> None:
    """Its caller is told at once, and does not wait for ever."""
    office = Office()
    async with peer_pair(None, office) as (client, _):
        before = asyncio.all_tasks()
        call = asyncio.create_task(client.call(Wait(number=1)))
        await office.started.get()
        (responder,) = asyncio.all_tasks() - before - {call}
        responder.cancel()
        with pytest.raises(UnknownRemoteError):
            await call
        assert office.cancelled == [1]
    assert "cancelled" in failures(caplog)[0]


async def test_a_responder_is_cancelled_before_it_began() -> None:
    """Its caller is told too, and Python does not complain of a coroutine that nobody awaited."""
    office = Office()
    async with peer_pair(None, office) as (client, server):
        before = asyncio.all_tasks()
        call = asyncio.create_task(client.call(Wait(number=1)))
        await until(lambda: asyncio.all_tasks() - before - {call})
        (asyncio.all_tasks() - before - {call}).pop().cancel()
        with pytest.raises(UnknownRemoteError):
            await call
        async with asyncio.timeout(1):
            await server.close(grace=10)  # nothing is left that it would wait for


async def test_the_connection_ends_before_a_responder_began() -> None:
    """The responder never runs or is cancelled, and nothing of it is left for the close to wait for."""
    office = Office()
    async with fake_peer(office) as (peer, fake):
        fake.ask(b"Wait", {b"number": b"1"})
        fake.close()
        await peer.wait_closed()
        async with asyncio.timeout(1):
            await peer.close(grace=10)
        assert office.started.qsize() == len(office.cancelled)


class Awkward(Exception):
    """Cannot be turned into text."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@both_kinds
@pytest.mark.parametrize("error", [Awkward(), RemoteError(5), RemoteError("X" * 70_000)])  # type: ignore[arg-type]
async def test_an_error_that_cannot_be_sent(
    error: Exception,
    later: bool,
) -> None:
    """An exception without a text, a code that is none: the caller gets an error, its neighbours notice nothing."""
    office = Office()
    office.errors["awkward"] = error

    class Declared(Raise, errors={Awkward: "AWKWARD"}, name="Raise"):
        """The same, with one more error."""

    class AwkwardOffice(Service):
        @Declared.responder
        def raise_(self, command: Declared) -> None:
            return office.raise_(command)

    async with peer_pair(None, [AwkwardOffice(), _only_wait(office)]) as (client, _):
        neighbour = asyncio.create_task(client.call(Wait(number=1)))
        with pytest.raises(RemoteError):
            await client.call(Raise(name="awkward", later=later))
        office.gates[1].set()
        assert await neighbour == Total(total=1)


class Broken(Dispatch):
    """A rule of the program's that fails itself."""

    def refusal(self, error: Exception, command: CommandSchema | None) -> Refusal:
        """Fail."""
        raise RuntimeError("broken rule", command, type(error))


@both_kinds
async def test_a_dispatch_that_fails(later: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets UnknownRemoteError, and the log has both errors."""
    async with peer_pair(None, Office(), options=Options(dispatch=Broken())) as (client, _):
        with pytest.raises(UnknownRemoteError):
            await client.call(Raise(name="declared", later=later))
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    text = "\n".join(failures(caplog))
    assert "broken rule" in text
    assert "shelf" in text


# Returns

NONSENSE: dict[str, object] = {
    "none": None,
    "another type": 94,
    "text for a number": Total(total="x"),  # type: ignore[arg-type]
    "a wrong mapping": {"sum": 94},
    "a mapping with a key that is no name": {5: 94},
}


@both_kinds
@pytest.mark.parametrize("thing", NONSENSE.values(), ids=NONSENSE)
async def test_a_responder_returns_nonsense(thing: object, later: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets UnknownRemoteError, the log here says what was wrong, and the connection goes on."""
    office = Office()
    office.things["it"] = thing
    async with peer_pair(None, office) as (client, _):
        with pytest.raises(UnknownRemoteError):
            await client.call(Return(name="it", later=later))
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    assert "Return" in failures(caplog)[0]


class Checked(Response):
    """A response that checks itself."""

    total: int

    def __post_init__(self) -> None:
        if self.total > 9:
            raise ValueError("too much")


class Check(Command[Checked]):
    """Return the number in a mapping."""

    number: int


class Hostile(Mapping[str, int]):
    """A mapping that cannot be read."""

    def __getitem__(self, key: str) -> int:
        raise RuntimeError(key)

    def __iter__(self) -> None:  # type: ignore[override]
        raise RuntimeError("no keys")

    def __len__(self) -> int:
        return 1


class Checker(Service):
    """Returns mappings that do not become a response."""

    @Check.responder
    def check(self, command: Check) -> Checked:
        """Return one."""
        return {"total": command.number} if command.number else Hostile()  # type: ignore[return-value]


@pytest.mark.parametrize("number", [0, 10])
async def test_a_mapping_that_fails_to_become_a_response(number: int) -> None:
    """Whatever it raises, the caller gets UnknownRemoteError, and the connection goes on."""
    async with peer_pair(None, Checker()) as (client, _):
        with pytest.raises(UnknownRemoteError):
            await client.call(Check(number=number))
        assert await client.call(Check(number=9)) == Checked(total=9)


async def test_a_mapping_is_a_response() -> None:
    """A responder may return the values of its response in a mapping."""
    office = Office()
    office.things["it"] = {"total": 94}
    async with peer_pair(None, office) as (client, _):
        assert await client.call(Return(name="it")) == Total(total=94)


async def test_a_responder_returns_something_else_that_can_be_awaited() -> None:
    """A future is awaited as a coroutine is."""
    office = Office()
    future = asyncio.get_running_loop().create_future()
    office.things["it"] = future
    async with peer_pair(None, office) as (client, _):
        call = asyncio.create_task(client.call(Return(name="it")))
        await asyncio.sleep(0)
        future.set_result(Total(total=94))
        assert await call == Total(total=94)


async def test_an_answer_that_is_too_large(caplog: pytest.LogCaptureFixture) -> None:
    """A value above 65,535 bytes, or a box above the limit: UnknownRemoteError there, the reason in the log here."""
    limits = Limits(max_box_bytes=10_000)
    async with peer_pair(None, Office(), limits=limits) as (client, _):
        for size in (65_536, 10_000):
            with pytest.raises(UnknownRemoteError):
                await client.call(Zeros(size=size))
        assert len((await client.call(Zeros(size=9000))).data) == 9000
    assert "65535" in failures(caplog)[0]
    assert "max_box_bytes" in failures(caplog)[1]


# What is not run


async def test_an_ask_that_cannot_be_decoded() -> None:
    """It is refused as MALFORMED, with the reason, and the connection goes on."""
    async with peer_pair(None, Office()) as (client, _):
        with pytest.raises(RemoteError, match=r"MALFORMED: .*lacks.*b") as caught:
            await client.call_raw(b"Sum", {b"a": b"1"})
        assert caught.value.code == "MALFORMED"
        assert await client.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}) == {b"total": b"3"}


async def test_a_command_that_nobody_responds_to() -> None:
    """It is refused as UNHANDLED, and the connection goes on; so is an ask without a name."""
    async with fake_peer(Office()) as (peer, fake):
        fake.ask(b"Nonsense\x1b[31m")
        assert (await fake.next_box())[b"_error_code"] == b"UNHANDLED"
        fake.send_box({b"_ask": b"1"})
        assert (await fake.next_box())[b"_error_code"] == b"UNHANDLED"
        fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
        assert (await fake.next_box())[b"total"] == b"3"
        assert peer.end_reason is None
    async with peer_pair(None, None) as (client, _):
        with pytest.raises(UnhandledCommand, match="Sum"):
            await client.call(Sum(a=1, b=2))


# Commands without an answer


async def test_a_command_without_an_answer_is_run() -> None:
    """Both a plain and a coroutine responder run for it; nothing is answered."""
    office = Office()
    async with fake_peer(office) as (_, fake):
        fake.tell(b"Note", {b"text": b"at once"})
        fake.tell(b"SlowNote", {b"text": b"later"})
        assert [await office.notes.get(), await office.notes.get()] == ["at once", "later"]
        fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
        assert b"total" in await fake.next_box()


@both_kinds
@pytest.mark.parametrize("name", ["undeclared", "declared"])
async def test_a_told_command_that_fails(name: str, later: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody else would hear of it, so it is logged, declared or not; nothing is sent, the connection goes on."""
    async with peer_pair(None, Office()) as (client, _):
        await client.tell(Raise(name=name, later=later))
        assert await client.call(Sum(a=1, b=2)) == Total(total=3)
    assert len(failures(caplog)) == 1


async def test_a_told_command_that_is_not_run(caplog: pytest.LogCaptureFixture) -> None:
    """Unknown, malformed, or too many at a time: it is logged, escaped, nothing is sent, the connection goes on."""
    office = Office()
    async with fake_peer(office, limits=Limits(max_running_asks=1, max_waiting_bytes=30)) as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        ask = await fake.next_ask()
        fake.tell(b"Nonsense\x1b[31m\n")
        fake.tell(b"Sum", {b"a": b"\x1b[31m"})
        fake.ask(b"Wait", {b"number": b"1"})
        await office.started.get()
        fake.ask(b"Wait", {b"number": b"2"})
        fake.tell(b"Note", {b"text": b"x"})
        fake.answer(ask.tag, {b"total": b"3"})
        assert await call == Total(total=3)
        assert office.notes.empty()
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    assert "Nonsense\\x1b[31m\\x0a" in messages[0]
    assert "MALFORMED" in messages[1]
    assert "BUSY" in messages[2]
    assert all(message.isprintable() for message in messages)


async def test_a_fatal_error_of_a_told_command() -> None:
    """It closes the connection, though nobody is told why."""
    async with peer_pair(None, Office()) as (client, server):
        await client.tell(Raise(name="fatal"))
        await client.wait_closed()
        assert "fatal" in str(server.end_reason)


# Never ends


async def test_a_responder_that_never_ends_is_cancelled_with_its_connection() -> None:
    """When the asking end goes away, its responders are cancelled."""
    office = Office()
    async with fake_peer(office) as (peer, fake):
        fake.ask(b"Wait", {b"number": b"7"})
        assert await office.started.get() == 7
        fake.abort()
        await peer.close()
        assert office.cancelled == [7]


@pytest.mark.asyncio(loop_factories=["virtual"])
async def test_a_responder_that_ignores_its_cancellation(caplog: pytest.LogCaptureFixture) -> None:
    """Closing waits `close_timeout` seconds for it, says so in the log, and returns."""
    office = Office()
    async with peer_pair(None, office, options=Options(close_timeout=3)) as (client, server):
        call = asyncio.create_task(client.call(Stubborn(number=1)))
        await office.started.get()
        await server.close()
        assert asyncio.get_running_loop().time() == 3
        assert office.cancelled == [1]
        assert "1 responder" in caplog.messages[0]
        with pytest.raises(ConnectionLost):
            await call
        office.gates[1].set()
    assert asyncio.get_running_loop().time() == 3


async def test_a_responder_that_fails_while_it_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """What it raises in place of the cancellation is logged: the connection that asked is gone, the fault is not."""

    class Careless(Service):
        @Wait.responder
        async def wait(self, command: Wait) -> Total:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError(f"cannot clean up {command.number}")

    async with fake_peer(Careless()) as (peer, fake):
        fake.ask(b"Wait", {b"number": b"7"})
        await turns()
        await peer.close()
    assert "cannot clean up 7" in failures(caplog)[0]


async def test_a_responder_cleans_up_in_peace() -> None:
    """It is cancelled once, however often and by whomever the connection is closed."""
    cleaned: list[str] = []
    running, go_on = asyncio.Event(), asyncio.Event()

    class Careful(Service):
        @Wait.responder
        async def wait(self, command: Wait) -> Total:  # noqa: ARG002
            running.set()
            try:
                await asyncio.Event().wait()
            finally:
                await go_on.wait()
                cleaned.append("everything")
            raise AssertionError

    async with fake_peer(Careful()) as (peer, fake):
        fake.ask(b"Wait", {b"number": b"7"})
        await running.wait()
        closing = [asyncio.create_task(peer.close()) for _ in range(3)]
        await asyncio.sleep(0)
        fake.close()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*closing)
    assert cleaned == ["everything"]


# Both ways


@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_an_ask_inside_a_responder(address: str) -> None:
    """A responder may ask the end that asks it, so deep as it likes, in both directions at once."""
    async with served_pair(address, Office(), Office()) as (client, server):
        calls = [peer.call(Ask(depth=depth)) for depth in range(20) for peer in (client, server)]
        assert [reply.total for reply in await asyncio.gather(*calls)] == [depth for depth in range(20) for _ in "ab"]


async def test_a_responder_gets_its_own_peer() -> None:
    """The parameter `peer` is the connection that the ask came from."""
    office = Office()
    async with peer_pair(None, office) as (client, server), peer_pair(None, office) as (_, other):
        with pytest.raises(ConnectionLost):
            await client.call(HangUp())
        await server.wait_closed()
        assert other.end_reason is None


def _only_wait(office: Office) -> Service:
    class OnlyWait(Service):
        @Wait.responder
        async def wait(self, command: Wait) -> Total:
            return await office.wait(command)

    return OnlyWait()
