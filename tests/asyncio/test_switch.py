"""Connections that become another protocol's: agreed, refused, given up; and what the new one has of its transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import pytest

from ampkit import (
    Command,
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    LocalProtocolError,
    Options,
    Peer,
    ProtocolSwitched,
    RemoteError,
    State,
    Switch,
    Tls,
    UnknownRemoteError,
    connect,
    encode_box,
    serve,
)
from ampkit.hooks import Ask, Hooks
from tests.asyncio.office import Office, Sum, Total, Wait
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import turns, until
from tests.certificates import CERTIFICATES

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
everywhere = pytest.mark.parametrize("transport", ["tcp", "unix", "memory", "tls", "starttls"])


class Become(Command[Switch], errors={ValueError: "NO"}):
    """Become what the office has under this name."""

    name: str


class Shout(asyncio.Protocol):
    """Answers in capitals; notes what happens to it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.received = b""
        self.transport: asyncio.Transport
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self.received += data
        self.transport.write(data.upper())
        self.news.set()

    def eof_received(self) -> None:
        """Note it."""
        self.events.append("eof")

    def pause_writing(self) -> None:
        """Note it."""
        self.events.append("pause")

    def resume_writing(self) -> None:
        """Note it."""
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        self.events.append("lost")
        self.lost.set_result(exc)
        self.news.set()

    async def until(self, received: bytes) -> None:
        """Wait until so much has come."""
        while self.received != received:
            self.news.clear()
            await self.news.wait()


class Listen(Shout):
    """The same, in silence."""

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.news.set()


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shout, on streams."""
    while data := await reader.read(1000):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


class Shifter(Office):
    """An office whose connections become what the asker wants."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.shouts: list[Shout] = []

    @Become.responder
    def become(self, command: Become) -> Any:
        """Decide at once, or later."""
        return self.later(command.name[6:]) if command.name.startswith("later ") else self.now(command.name)

    def now(self, name: str) -> Switch | str:
        """Decide."""
        if name == "no":
            raise ValueError("not today")
        known = {"shout": Switch(self.shouter), "streams": Switch(streams=shout), "broken": Switch(self.broken)}
        return known.get(name, "no switch")

    async def later(self, name: str) -> Switch | str:
        """Decide when the gate is open."""
        await self.gate.wait()
        return self.now(name)

    def shouter(self) -> Shout:
        """Make a protocol and keep it."""
        self.shouts.append(Shout())
        return self.shouts[-1]

    def broken(self) -> Shout:
        """Fail to make one."""
        raise RuntimeError("out of protocols")


@asynccontextmanager
async def ends(
    transport: str, folder: object, limits: Limits | None = None
) -> AsyncGenerator[tuple[Peer, Peer, Shifter]]:
    """A client, the server's peer, and the server's service."""
    shifter = Shifter()
    addresses = {"unix": f"unix://{folder}/socket", "memory": "memory://switch", "tls": "tls://localhost:0"}
    address = addresses.get(transport, "tcp://localhost:0")
    tls = Tls(authority=CERTIFICATES.files.authority, host_name="localhost")
    async with (
        serve(shifter, address, tls=CERTIFICATES.server(), limits=limits or Limits()) as server,
        connect(server.addresses[0], Office(), tls=tls, limits=limits or Limits()) as peer,
    ):
        if transport == "starttls":
            await peer.start_tls()
        await peer.call(Sum(a=0, b=0))
        (other,) = server.peers
        yield peer, other, shifter


async def close(*protocols: Shout) -> None:
    """Close what was switched to, and wait for both ends."""
    protocols[0].transport.close()
    for protocol in protocols:
        await protocol.lost


# Agreed


@everywhere
@pytest.mark.parametrize("name", ["shout", "later shout"])
@both_loops
async def test_the_connection_becomes_another_protocols(transport: str, name: str, tmp_path: object) -> None:
    """Bytes go both ways between the protocols of both ends; for AMP the connection has ended on both."""
    async with ends(transport, tmp_path) as (peer, other, shifter):
        shifter.gate.set()
        wire, listener = await peer.switch(Become(name=name), Listen)
        wire.write(b"hello")
        await listener.until(b"HELLO")
        for end in (peer, other):
            await end.wait_closed()
            assert end.state is State.CLOSED
            assert isinstance(end.end_reason, ProtocolSwitched)
            with pytest.raises(ConnectionLost):
                await end.call(Sum(a=1, b=2))
            await end.close()
        assert not wire.is_closing()
        wire.write(b"still here")
        await listener.until(b"HELLOSTILL HERE")
        (shouter,) = shifter.shouts
        await close(listener, shouter)
        assert shouter.received == b"hellostill here"
        assert (listener.events, shouter.events) == (["made", "lost"], ["made", "eof", "lost"])


@everywhere
@both_loops
async def test_it_becomes_a_pair_of_streams(transport: str, tmp_path: object) -> None:
    """On both ends, if they want that."""
    async with ends(transport, tmp_path) as (peer, _, _shifter):
        reader, writer = await peer.switch_to_streams(Become(name="streams"))
        writer.write(b"x" * 300_000)
        await writer.drain()
        assert await reader.readexactly(300_000) == b"X" * 300_000
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("piece", [0, 1, 7])
async def test_bytes_behind_the_ask_and_the_answer_are_the_new_protocols(piece: int) -> None:
    """Wherever the stream is cut: none is lost, none is read as AMP."""
    ask = encode_box({b"_ask": b"1", b"_command": b"Become", b"name": b"later shout"}) + b"\0\0\xffjunk"
    shifter = Shifter()
    async with serve(shifter, "memory://switch") as server, await RawEnd.connect("memory://switch") as raw:
        raw.transport.write(ask[: len(ask) - piece])
        await turns()
        raw.transport.write(ask[len(ask) - piece :] + b" more")
        await turns()
        shifter.gate.set()
        await raw.until(b"MORE")
        answer = encode_box({b"_answer": b"1"})
        assert raw.received == answer + b"\0\0\xffJUNK MORE"
        assert not server.peers


@everywhere
async def test_calls_under_way_end(transport: str, tmp_path: object) -> None:
    """Of both ends, with a typed error; responders that run are cancelled."""
    async with ends(transport, tmp_path) as (peer, other, shifter):
        calls = [asyncio.create_task(end.call(Wait(number=1))) for end in (peer, other)]
        await until(lambda: all(len(end.channel.connection.pending) == 1 for end in (peer, other)))
        _, listener = await peer.switch(Become(name="shout"), Listen)
        for call in calls:
            with pytest.raises(ConnectionLost) as caught:
                await call
            assert isinstance(caught.value.__cause__, ProtocolSwitched)
        await close(listener, *shifter.shouts)


# Refused


@everywhere
@pytest.mark.parametrize("later", ["", "later "])
async def test_a_refused_switch_changes_nothing(transport: str, later: str, tmp_path: object) -> None:
    """Whoever was asked may go on, and so may whoever asked; the protocol was never made."""
    made: list[Shout] = []

    def never() -> Shout:
        made.append(Shout())
        return made[0]

    async with ends(transport, tmp_path) as (peer, other, shifter):
        shifter.gate.set()
        with pytest.raises(ValueError, match="not today"):
            await peer.switch(Become(name=later + "no"), never)
        for name in ("nothing", "broken"):
            with pytest.raises(UnknownRemoteError):
                await peer.switch(Become(name=later + name), never)
        with pytest.raises(RemoteError, match="MALFORMED"):
            await peer.call_raw(b"Become")
        assert [await end.call(Sum(a=1, b=2)) for end in (peer, other)] == [Total(total=3)] * 2
        assert made == []


async def test_answers_wait_for_the_refusal() -> None:
    """While this end is not sure what it speaks, it sends nothing; behind a refusal it does, so no call is lost."""
    async with ends("memory", "") as (peer, other, shifter):
        switching = asyncio.create_task(peer.switch(Become(name="later no"), Shout))
        question = asyncio.create_task(other.call(Sum(a=1, b=2)))
        await until(lambda: peer.state is State.SWITCHING)
        await turns()
        for attempt in (peer.call(Sum(a=1, b=2)), peer.tell(Sum(a=1, b=2)), peer.call_raw(b"Sum")):
            with pytest.raises(ProtocolSwitched):
                await attempt
        with pytest.raises(LocalProtocolError):
            await peer.switch(Become(name="shout"), Shout)
        assert not question.done()
        shifter.gate.set()
        with pytest.raises(ValueError, match="not today"):
            await switching
        assert await question == Total(total=3)


# Given up


async def test_a_switch_has_a_time_limit() -> None:
    """When it is over the connection is closed, as nobody can say what it has become."""
    async with ends("tcp", "") as (peer, other, shifter):
        with pytest.raises(DeadlineExceeded):
            await peer.switch(Become(name="later no"), Shout, timeout=0.02)
        assert peer.state is State.CLOSED
        shifter.gate.set()  # who decides reads nothing, and so notices nothing, until it has decided
        await other.wait_closed()


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize("how", ["cancel", "close", "close there"])
async def test_giving_up_leaves_nothing(turn: int, how: str) -> None:
    """In whatever turn."""
    async with ends("memory", "") as (peer, other, shifter):
        switching = asyncio.create_task(peer.switch(Become(name="later shout"), Shout))
        await turns(turn)
        closing = asyncio.create_task((other if how == "close there" else peer).close())
        if how == "cancel":
            switching.cancel()
        await turns()
        shifter.gate.set()
        await closing
        with pytest.raises((ConnectionLost, asyncio.CancelledError)):
            await switching
        await other.wait_closed()
        for shouter in shifter.shouts:  # who had been asked did not know yet
            await shouter.lost
            assert shouter.received == b""


async def test_a_protocol_that_cannot_be_made_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """Here the other end has switched already; there it is a refusal, and the log says why."""
    async with ends("memory", "") as (peer, other, shifter):
        with pytest.raises(UnknownRemoteError):
            await peer.switch(Become(name="broken"), Shout)
        assert "out of protocols" in caplog.text
        with pytest.raises(RuntimeError, match="out of protocols"):
            await peer.switch(Become(name="shout"), shifter.broken)
        await other.wait_closed()
        await shifter.shouts[0].lost


# Declared


async def test_only_a_command_that_says_so_switches() -> None:
    """And only by `switch`; one that is told, not asked, is not run."""
    async with ends("memory", "") as (peer, _, shifter):
        for attempt in (
            peer.call(Become(name="shout")),
            peer.tell(Become(name="shout")),
            peer.call_many([Become(name="shout")]),
            peer.switch(Sum(a=1, b=2), Shout),  # type: ignore[arg-type]
        ):
            with pytest.raises(LocalProtocolError, match="switch"):
                await attempt
        await peer.tell_raw(b"Become", {b"name": b"shout"})
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        assert shifter.shouts == []


# What the new protocol has of its transport


@everywhere
@both_loops
async def test_back_pressure_reaches_the_new_protocol(transport: str, tmp_path: object) -> None:
    """It is paused when the other end reads nothing, resumed when it does, and nothing is lost."""
    async with ends(transport, tmp_path) as (peer, _, shifter):
        wire, listener = await peer.switch(Become(name="shout"), Listen)
        (shouter,) = shifter.shouts
        shouter.transport.pause_reading()
        size = 0
        while "pause" not in listener.events:
            wire.write(b"x" * 100_000)
            size += 100_000
            await asyncio.sleep(0)
        assert wire.get_write_buffer_size()
        shouter.transport.resume_reading()
        await until(lambda: len(listener.received) == size)
        assert "resume" in listener.events
        await close(listener, shouter)


@pytest.mark.parametrize("transport", ["tcp", "unix", "tls"])
@both_loops
async def test_half_closing_is_offered(transport: str, tmp_path: object) -> None:
    """An end that has said its last word may still listen, if the other's protocol wants to go on."""
    async with ends(transport, tmp_path) as (peer, _, shifter):
        wire, listener = await peer.switch(Become(name="shout"), Listen)
        (shouter,) = shifter.shouts
        shouter.eof_received = lambda: True  # type: ignore[assignment,method-assign]
        wire.write(b"last")
        wire.write_eof()
        await listener.until(b"LAST")
        shouter.transport.write(b"words")
        await listener.until(b"LASTwords")
        shouter.transport.close()
        await listener.lost
        await shouter.lost


# Among other asks


async def test_a_switch_waits_for_its_turn_and_nothing_overtakes_it() -> None:
    """Where asks wait in line it is not read before there is room: what stands behind it may be no box."""
    async with ends("memory", "", Limits(max_running_asks=1)) as (peer, _, shifter):
        waiting = asyncio.create_task(peer.call(Wait(number=1)))
        await shifter.started.get()
        line = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        await turns()
        switching = asyncio.create_task(peer.switch(Become(name="shout"), Listen))
        await turns()
        assert not shifter.shouts
        shifter.gates[1].set()
        assert [await waiting, await line] == [Total(total=1), Total(total=3)]
        wire, listener = await switching
        wire.write(b"hello")
        await listener.until(b"HELLO")
        await close(listener, *shifter.shouts)


class Witness(Hooks):
    """Notes which asks it stands around."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    @contextmanager
    def answering(self, ask: Ask) -> Generator[None]:
        """Note it."""
        self.seen.append(ask.command)
        yield


async def test_hooks_stand_around_a_switch() -> None:
    """As around any ask, whether it is agreed to or refused."""
    witness, shifter = Witness(), Shifter()
    async with (
        serve(shifter, "memory://hooked", options=Options(hooks=(witness,))),
        connect("memory://hooked") as peer,
    ):
        with pytest.raises(ValueError, match="not today"):
            await peer.switch(Become(name="no"), Listen)
        wire, listener = await peer.switch(Become(name="shout"), Listen)
        wire.write(b"hello")
        await listener.until(b"HELLO")
        assert witness.seen == [b"Become", b"Become"]
        await close(listener, *shifter.shouts)
