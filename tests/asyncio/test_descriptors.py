"""Descriptors as arguments and results: whose they are, when they are closed, and where there are none."""

from __future__ import annotations

import array
import asyncio
import os
import resource
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ampkit import (
    Command,
    ConnectionLost,
    FileDescriptor,
    Limits,
    LocalProtocolError,
    Options,
    RemoteError,
    Response,
    Service,
    UnhandledCommand,
    connect,
    encode_box,
    serve,
)
from ampkit.asyncio.unix_transport import UnixTransport
from ampkit.hooks import Ask, Call, Hooks
from ampkit.testing import peer_pair, served_pair
from tests.asyncio.turning import turns, until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
CARRYING = Options(descriptors=True)


class Opened(Response):
    """A file, or none."""

    file: FileDescriptor | None = None


class Text(Response):
    """What was in a file."""

    text: str


class Read(Command[Text]):
    """Read a file."""

    file: FileDescriptor


class Echo(Command[Opened]):
    """Give the file back, at once or when the gate is open."""

    file: FileDescriptor
    later: bool = False


class Keep(Command[None]):
    """Keep the file, at once or when the gate is open."""

    file: FileDescriptor
    later: bool = False


class Forget(Command[None]):
    """Do nothing with the file, at once or when the gate is open."""

    file: FileDescriptor
    later: bool = False
    zeal: int = 1


class Fail(Command[None]):
    """Fail, with the file in hand."""

    file: FileDescriptor


class Unknown(Command[None]):
    """Nobody responds to it."""

    file: FileDescriptor


class Desk(Service):
    """Responds to most of them."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.kept: list[int] = []
        self.seen: list[FileDescriptor] = []

    async def wait(self) -> None:
        """Wait for the gate."""
        self.running += 1
        try:
            await self.gate.wait()
        finally:
            self.running -= 1

    @Read.responder
    def read(self, command: Read) -> Text:
        """Read."""
        with command.file.open("r") as file:
            return Text(text=file.read())

    @Echo.responder
    async def echo(self, command: Echo) -> Opened:
        """Give it back."""
        if command.later:
            await self.wait()
        return Opened(file=command.file)

    @Keep.responder
    async def keep(self, command: Keep) -> None:
        """Take it out."""
        if command.later:
            await self.wait()
        self.kept.append(command.file.detach())

    @Forget.responder
    def forget(self, command: Forget) -> None:
        """Look at it."""
        self.seen.append(command.file)
        return self.wait() if command.later else None  # type: ignore[return-value]

    @Fail.responder
    def fail(self, command: Fail) -> None:
        """Fail."""
        self.seen.append(command.file)
        raise ValueError("a failure")


def open_files() -> int:
    """Count the open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def pipe(text: str = "") -> FileDescriptor:
    """Return a pipe that has a text in it."""
    read_from, write_to = os.pipe()
    os.write(write_to, text.encode())
    os.close(write_to)
    return FileDescriptor.adopt(read_from)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Return a place for a server."""
    return f"unix://{tmp_path}/socket"


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for something that takes time of the clock."""
    while not condition():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.005)


# Whose they are


@both_loops
async def test_a_file_goes_there_and_back(address: str) -> None:
    """It is the same file, another descriptor, which child processes do not inherit; the caller closes what it gets."""
    async with served_pair(address, None, Desk(), options=CARRYING) as (left, _):
        before = open_files()
        with pipe("text") as file:
            reply = await left.call(Echo(file=file))
            assert reply.file is not None
            assert os.fstat(reply.file.fileno()) == os.fstat(file.fileno())
            assert not os.get_inheritable(reply.file.fileno())
            assert await left.call(Read(file=file)) == Text(text="text")
            reply.file.close()
        assert await left.call_many([Read(file=pipe(f"{n}")) for n in range(3)]) == [
            Text(text=f"{n}") for n in range(3)
        ]
        await left.tell(Keep(file=pipe()))
        await until(lambda: open_files() == before)


@both_loops
@pytest.mark.parametrize("later", [False, True])
async def test_what_nobody_takes_is_closed(address: str, later: bool) -> None:
    """When its responder has returned, or failed; what it took out stays."""
    desk = Desk()
    async with served_pair(address, None, desk, options=CARRYING) as (left, _):
        before = open_files()
        calls = [asyncio.create_task(left.call(Forget(file=pipe(), later=later))) for _ in range(3)]
        keeping = asyncio.create_task(left.call(Keep(file=pipe(), later=later)))
        if later:
            await until(lambda: desk.running == 4)
            assert [file.is_closed for file in desk.seen] == [False] * 3
        desk.gate.set()
        await asyncio.gather(*calls, keeping)
        with pytest.raises(RemoteError):
            await left.call(Fail(file=pipe()))
        assert [file.is_closed for file in desk.seen] == [True] * 4
        assert open_files() == before + 1
        os.close(desk.kept.pop())


@both_loops
async def test_a_cancelled_responder_leaves_nothing(address: str) -> None:
    """Nor does a connection that ends under its responders, with descriptors that nobody has asked for."""
    desk = Desk()
    before = open_files()
    with pipe() as file:
        async with served_pair(address, None, desk, options=CARRYING) as (left, _):
            call = asyncio.create_task(left.call(Forget(file=file, later=True)))
            await until(lambda: desk.running)
            call.cancel()
            await until(lambda: not desk.running)
            call = asyncio.create_task(left.call(Forget(file=file, later=True)))
            await until(lambda: desk.running)
            left.descriptors.send([os.dup(file.fileno())])
        await asyncio.gather(call, return_exceptions=True)
    await until(lambda: open_files() <= before)
    assert all(file.is_closed for file in desk.seen)


@both_loops
async def test_hooks_do_not_change_whose_they_are(address: str) -> None:
    """Within hooks, arguments and results arrive and are closed alike."""
    seen: list[str] = []

    class Seeing(Hooks):
        @contextmanager
        def calling(self, call: Call) -> Generator[None]:
            call.extensions[b"_seen"] = b"yes"
            yield

        @contextmanager
        def answering(self, ask: Ask) -> Generator[None]:
            seen.append(ask.box[b"_seen"].decode())
            yield

    options = Options(descriptors=True, hooks=(Seeing(),))
    desk = Desk()
    async with served_pair(address, None, desk, options=options) as (left, _):
        before = open_files()
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")
        reply = await left.call(Echo(file=pipe("text")))
        assert reply.file is not None
        reply.file.close()
        await left.call(Forget(file=pipe()))
        await until(lambda: open_files() == before)
    assert seen == ["yes"] * 3


# What is refused


@both_loops
async def test_what_is_refused_is_closed(address: str) -> None:
    """At once where the command is known; its neighbours notice nothing."""
    desk = Desk()
    async with served_pair(address, None, desk, options=CARRYING) as (left, right):
        before = open_files()
        right.descriptors._sent = 0
        transport = left.channel.transport
        left.descriptors.send([pipe().detach()])
        with pytest.raises(RemoteError, match="MALFORMED"):
            await left.call_raw(b"Forget", {b"file": b"0", b"zeal": b"too much"})
        assert open_files() == before
        for wrong in (b"0", b"17", b"-1", b"x"):
            with pytest.raises(RemoteError, match="MALFORMED"):
                await left.call_raw(b"Forget", {b"file": wrong})
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")
        assert transport is left.channel.transport


@both_loops
async def test_what_is_refused_counts_no_more(address: str) -> None:
    """However many malformed boxes had descriptors, there is room for the next."""
    async with served_pair(address, None, Desk(), options=CARRYING, limits=Limits(max_descriptors=1)) as (left, _):
        for number in range(3):
            left.descriptors.send([pipe().detach()])
            with pytest.raises(RemoteError, match="MALFORMED"):
                await left.call_raw(b"Forget", {b"file": b"%d" % number, b"zeal": b"too much"})
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")


@both_loops
async def test_what_no_box_takes_is_closed_soon(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments of an unknown command, and results that nobody waits for any more, are closed within two looks."""
    monkeypatch.setattr("ampkit.asyncio.descriptors.PATIENCE", 0.02)
    desk = Desk()
    async with served_pair(address, None, desk, options=CARRYING) as (left, right):
        before = open_files()
        with pytest.raises(UnhandledCommand):
            await left.call(Unknown(file=pipe()))
        await eventually(lambda: open_files() == before)
        right.descriptors.send([pipe().detach()])
        await right.call_raw(b"_ping", {})
        await eventually(lambda: open_files() == before)
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")


@both_loops
async def test_what_waits_for_its_turn_is_not_closed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ask that has to wait keeps its descriptors, however long."""
    monkeypatch.setattr("ampkit.asyncio.descriptors.PATIENCE", 0.005)
    desk = Desk()
    limits = Limits(max_running_asks=1)
    async with served_pair(address, None, desk, options=CARRYING, limits=limits) as (left, _):
        first = asyncio.create_task(left.call(Forget(file=pipe(), later=True)))
        await until(lambda: desk.running)
        second = asyncio.create_task(left.call(Read(file=pipe("text"))))
        await asyncio.sleep(0.05)  # ten looks: what no box takes is closed at the second
        desk.gate.set()
        await first
        assert await second == Text(text="text")


@both_loops
async def test_the_oldest_is_closed_above_the_limit(address: str) -> None:
    """Who sends too many finds that box refused, and no other call."""
    async with served_pair(address, None, Desk(), options=CARRYING, limits=Limits(max_descriptors=2)) as (left, _):
        before = open_files()
        left.descriptors.send([pipe(f"{number}").detach() for number in range(4)])
        with pytest.raises(RemoteError, match=r"MALFORMED: .*the descriptor 1 was closed: too many waited"):
            await left.call_raw(b"Read", {b"file": b"1"})
        assert open_files() == before + 2
        assert await left.call_raw(b"Read", {b"file": b"2"}) == {b"text": b"2"}
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")


@both_loops
async def test_running_asks_count_too(address: str) -> None:
    """What responders hold is within the limit: the box above it is refused."""
    desk = Desk()
    async with served_pair(address, None, desk, options=CARRYING, limits=Limits(max_descriptors=2)) as (left, _):
        calls = [asyncio.create_task(left.call(Forget(file=pipe(), later=True))) for _ in range(2)]
        await until(lambda: desk.running == 2)
        with pytest.raises(RemoteError, match="MALFORMED"):
            await left.call(Read(file=pipe("text")))
        desk.gate.set()
        await asyncio.gather(*calls)
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")


@both_loops
async def test_more_than_one_message_carries(address: str) -> None:
    """A thousand at once arrive, each with its box."""
    limits = Limits(max_descriptors=1_000)
    async with served_pair(address, None, Desk(), options=CARRYING, limits=limits) as (left, _):
        files = [pipe(f"{number}") for number in range(300)]
        replies = await left.call_many([Read(file=file) for file in files])
        assert [reply.text for reply in replies] == [f"{number}" for number in range(300)]


@both_loops
async def test_a_process_that_has_no_file_left(address: str) -> None:
    """Descriptors that are lost on their way end the connection: those behind would be taken for them."""
    async with serve(Desk(), address, options=CARRYING) as server:
        with send_part(address.removeprefix("unix://"), 0) as sock:
            await until(lambda: server.peers)
            (peer,) = server.peers
            spare, limits = os.dup(0), resource.getrlimit(resource.RLIMIT_NOFILE)
            os.close(spare)
            resource.setrlimit(resource.RLIMIT_NOFILE, (spare, limits[1]))
            try:
                sock.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
                await peer.wait_closed()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            assert isinstance(peer.end_reason, ConnectionLost)
            assert "too many open files" in str(peer.end_reason)


@both_loops
async def test_what_comes_behind_the_end_is_closed(address: str) -> None:
    """An end that has closed reads on for a while, so that its last bytes are not lost; it keeps nothing."""
    async with served_pair(address, None, Desk(), options=CARRYING) as (left, right):
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")
        before = open_files()
        right.channel.finish(ConnectionLost("this end has closed"), linger=5)
        transport = left.channel.transport
        assert isinstance(transport, UnixTransport)
        transport.send_descriptors([pipe().detach()])
        transport.write(b"too late")
        await until(lambda: right.descriptors._received == 2)
        assert open_files() == before


# Sending


@both_loops
async def test_nothing_is_sent_of_what_cannot_be(address: str) -> None:
    """LocalProtocolError, and the next descriptor has the number that the other end expects."""
    async with served_pair(address, None, Desk(), options=CARRYING) as (left, _):
        before = open_files()
        closed = pipe()
        closed.close()
        with pytest.raises(LocalProtocolError, match=r"Read\.file: this descriptor has been closed"):
            await left.call(Read(file=closed))
        with pytest.raises(LocalProtocolError, match="expected FileDescriptor, not int"):
            await left.call(Read(file=0))  # type: ignore[arg-type]
        with pytest.raises(LocalProtocolError):
            await left.call(Forget(file=pipe(), zeal="much"))  # type: ignore[arg-type]
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")
        assert open_files() == before


@both_loops
async def test_a_response_that_cannot_be_sent(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its caller gets UNKNOWN, the log here the reason, and the connection lives."""

    class Closed(Service):
        @Echo.responder
        def echo(self, command: Echo) -> Opened:
            command.file.close()
            return Opened(file=command.file)

    async with served_pair(address, None, [Closed(), Desk2()], options=CARRYING) as (left, _):
        with pytest.raises(RemoteError, match="UNKNOWN"):
            await left.call(Echo(file=pipe()))
        assert "has been closed" in caplog.text
        assert await left.call(Read(file=pipe("text"))) == Text(text="text")


class Desk2(Service):
    """Only reads."""

    @Read.responder
    def read(self, command: Read) -> Text:
        """Read."""
        with command.file.open("r") as file:
            return Text(text=file.read())


@both_loops
async def test_a_call_that_is_given_up_before_it_is_sent(address: str) -> None:
    """Its descriptors are not sent either, and those behind it have the right numbers."""
    desk = Desk()
    async with served_pair(address, None, desk, options=CARRYING) as (left, _):
        before = open_files()
        with pipe("first") as file:
            left.channel.is_full = True
            waiting = asyncio.create_task(left.call(Read(file=file)))
            await turns(3)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            left.channel.is_full = False
        assert await left.call(Read(file=pipe("second"))) == Text(text="second")
        assert open_files() == before


# Where there are none


@both_loops
@pytest.mark.parametrize("place", ["tcp://127.0.0.1:0", "memory://desk"])
async def test_other_transports_carry_none(place: str) -> None:
    """LocalProtocolError before anything is sent; the connection lives."""
    async with served_pair(place, None, Desk(), options=CARRYING) as (left, _):
        before = open_files()
        for send in (left.call, left.tell):
            with pytest.raises(LocalProtocolError, match="this connection carries no descriptors: only a unix socket"):
                await send(Read(file=pipe()))
        with pytest.raises(LocalProtocolError, match="carries no descriptors"):
            await left.call_many([Read(file=pipe())])
        assert left.end_reason is None
        assert open_files() == before


async def test_a_peer_without_a_transport_carries_none() -> None:
    """Nor does a pair in memory."""
    async with peer_pair() as (left, _):
        with pytest.raises(LocalProtocolError, match="only a unix socket does"):
            await left.call(Read(file=pipe()))


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_uvloop_wants_to_be_told(address: str) -> None:
    """The error says what to do, and a server whose service has such commands needs no telling."""
    for service in (Desk(), Desk, [Desk()]):
        async with serve(service, address):
            async with connect(address) as peer:
                with pytest.raises(LocalProtocolError, match=r"takes Options\(descriptors=True\)"):
                    await peer.call(Read(file=pipe()))
            for client, options in ((None, CARRYING), (Desk(), Options())):
                async with connect(address, client, options=options) as peer:
                    assert await peer.call(Read(file=pipe("text"))) == Text(text="text")


# Leaks


def stream() -> tuple[bytes, list[int]]:
    """Return the bytes of some asks, and at which of them descriptors go along."""
    asks = [
        {b"_ask": b"1", b"_command": b"Forget", b"file": b"0"},
        {b"_ask": b"2", b"_command": b"Forget", b"file": b"1", b"later": b"True"},
        {b"_ask": b"3", b"_command": b"Echo", b"file": b"2", b"later": b"True"},
        {b"_ask": b"4", b"_command": b"Unknown", b"file": b"3"},
        {b"_ask": b"5", b"_command": b"Echo", b"file": b"4"},
    ]
    boxes = [encode_box(ask) for ask in asks]
    starts = [sum(map(len, boxes[:number])) for number in range(len(boxes))]
    return b"".join(boxes), starts


def send_part(path: str, size: int) -> socket.socket:
    """Connect, and send so many bytes of the stream, with its descriptors."""
    data, starts = stream()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    for start, end in zip([0, *starts[1:]], [*starts[1:], len(data)], strict=True):
        part = data[start : min(end, size)]
        if part:
            sock.sendmsg([part], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    return sock


@pytest.mark.slow
@both_loops
async def test_a_thousand_connections_that_die_at_every_moment(address: str) -> None:
    """At each byte and in each turn of the loop, from either end: as many files are open after as before."""
    path, size = address.removeprefix("unix://"), len(stream()[0])
    desk = Desk()
    async with serve(desk, address, options=CARRYING) as server:
        before = open_files()
        for number in range(500):
            sock = send_part(path, number % size + 1)
            await turns(number % 7)
            sock.close()
        for number in range(500):
            peer = await connect(address, Desk(), options=CARRYING)
            commands = [Echo(file=pipe()), Forget(file=pipe(), later=True), Unknown(file=pipe()), Keep(file=pipe())]
            calls = [asyncio.create_task(peer.call(command)) for command in commands]
            await turns(number % 11)
            victim = peer if number % 2 or not server.peers else next(iter(server.peers))
            assert victim.channel.transport is not None
            victim.channel.transport.abort()
            await turns(number % 3)
            await peer.close()
            await asyncio.gather(*calls, return_exceptions=True)
            del calls, commands
        await until(lambda: not server.peers)
        while desk.kept:
            os.close(desk.kept.pop())
        await eventually(lambda: open_files() <= before)
