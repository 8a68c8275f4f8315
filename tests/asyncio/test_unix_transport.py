"""The transport of unix sockets: bytes, flow control and ends as asyncio has them, and whose the descriptors are."""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ampkit.asyncio.unix_socket import begin_unix
from ampkit.asyncio.unix_transport import UnixTransport
from tests.asyncio.turning import turns, until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
MUCH = bytes(2_000_000)


class Recorder(asyncio.Protocol):
    """Notes what it is told; `keeps_open` is its answer to the end of the stream."""

    def __init__(self) -> None:
        self.received = b""
        self.events: list[object] = []
        self.keeps_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002
        """Note it."""
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received += data
        if data == b"fail":
            raise ValueError("a mistake of the protocol")

    def eof_received(self) -> bool:
        """Note it."""
        self.events.append("eof")
        return self.keeps_open

    def pause_writing(self) -> None:
        """Note it."""
        self.events.append("pause")

    def resume_writing(self) -> None:
        """Note it."""
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why."""
        self.events.append(exc if exc is None else type(exc))


class Taker(Recorder):
    """Takes descriptors too, with what had been received before them."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[int, int]] = []

    def descriptors_received(self, numbers: list[int]) -> None:
        """Keep them."""
        self.taken += [(len(self.received), number) for number in numbers]

    def close(self) -> None:
        """Close them."""
        for _, number in self.taken:
            os.close(number)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the two ends of a connection, the second for the test's own use."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def open_files() -> int:
    """Count the open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def opened(ours: socket.socket, protocol: asyncio.Protocol) -> UnixTransport:
    """Return a transport that has begun."""
    return begin_unix(asyncio.get_running_loop(), ours, protocol)


def take(theirs: socket.socket, size: int = 1_000_000) -> bytes:
    """Return what has come to the other end, empty if nothing has."""
    try:
        return theirs.recv(size)
    except BlockingIOError:
        return b""


@both_loops
async def test_bytes_go_both_ways(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Whatever kind they are of; and the transport knows its names."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    for data in (b"a", bytearray(b"b"), memoryview(b"c"), b""):
        transport.write(data)
    assert take(theirs) == b"abc"
    theirs.send(b"def")
    await until(lambda: protocol.received == b"def")
    assert transport.get_extra_info("socket") is ours
    assert transport.get_protocol() is protocol
    transport.abort()


@both_loops
async def test_a_full_socket_pauses_the_protocol(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Above the high mark it is paused, at the low one resumed; nothing is lost."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    assert transport.get_write_buffer_limits() == (16_384, 65_536)
    transport.set_write_buffer_limits(low=1_000)
    assert transport.get_write_buffer_limits() == (1_000, 4_000)
    transport.set_write_buffer_limits(high=1_000)
    transport.write(MUCH)
    transport.write(b"end")
    assert protocol.events == ["made", "pause"]
    came = bytearray()
    while not came.endswith(b"end"):
        assert len(came) + transport.get_write_buffer_size() <= len(MUCH) + 3
        came += take(theirs)
        await turns(1)
    assert len(came) == len(MUCH) + 3
    assert protocol.events == ["made", "pause", "resume"]
    assert transport.get_write_buffer_size() == 0
    transport.abort()


@both_loops
async def test_reading_pauses(sockets: tuple[socket.socket, socket.socket]) -> None:
    """What comes meanwhile waits, the end too."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    for _ in range(2):
        transport.pause_reading()
    assert not transport.is_reading()
    theirs.send(b"later")
    theirs.close()
    await turns(5)
    assert protocol.received == b""
    for _ in range(2):
        transport.resume_reading()
    await until(lambda: protocol.events[-1] is None)
    assert (protocol.received, protocol.events) == (b"later", ["made", "eof", None])


@both_loops
async def test_closing_sends_what_was_written(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Then the protocol hears of it, once; what is written later is dropped."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    transport.write(MUCH)
    transport.close()
    transport.close()
    transport.write(b"too late")
    theirs.send(b"too late")
    assert transport.is_closing()
    size = 0
    while protocol.events[-1] is not None:
        size += len(take(theirs))
        await turns(1)
    assert size + len(take(theirs)) == len(MUCH)
    assert (protocol.received, protocol.events[-2:]) == (b"", ["resume", None])
    assert ours.fileno() == -1


@both_loops
async def test_aborting_drops_what_was_written(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Even while it is closing; the protocol hears of it in a later turn, once."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    transport.write(MUCH)
    transport.close()
    transport.abort()
    transport.abort()
    assert protocol.events == ["made", "pause"]
    await turns(3)
    assert protocol.events == ["made", "pause", None]
    assert len(take(theirs, 10_000_000)) < len(MUCH)
    transport.abort()


@both_loops
async def test_half_a_connection(sockets: tuple[socket.socket, socket.socket]) -> None:
    """The end of the stream leaves behind what was written, and bytes may still come."""
    ours, theirs = sockets
    protocol = Recorder()
    protocol.keeps_open = True
    transport = opened(ours, protocol)
    assert transport.can_write_eof()
    transport.write(MUCH)
    transport.write_eof()
    transport.write_eof()
    transport.write(b"too late")
    size = 0
    while size < len(MUCH):
        size += len(take(theirs))
        await turns(1)
    assert theirs.recv(10) == b""
    theirs.send(b"still")
    theirs.shutdown(socket.SHUT_WR)
    await until(lambda: protocol.events[-1] == "eof")
    assert protocol.received == b"still"
    assert not transport.is_closing()
    transport.close()
    await until(lambda: protocol.events[-1] is None)


@both_loops
async def test_the_end_of_the_stream_alone(sockets: tuple[socket.socket, socket.socket]) -> None:
    """With nothing to send it leaves at once."""
    ours, theirs = sockets
    transport = opened(ours, Recorder())
    transport.write_eof()
    assert theirs.recv(10) == b""
    transport.abort()


@both_loops
async def test_a_broken_connection(sockets: tuple[socket.socket, socket.socket]) -> None:
    """The protocol gets the system's error, be it found when reading or when writing."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    transport.pause_reading()
    theirs.close()
    transport.write(b"nobody reads this")
    transport.write(b"nor this")
    await until(lambda: len(protocol.events) == 2)
    assert protocol.events == ["made", BrokenPipeError]


@both_loops
@pytest.mark.parametrize("paused", [False, True])
async def test_all_that_was_sent_is_read_of_an_end_that_has_not_read_all(
    sockets: tuple[socket.socket, socket.socket], paused: bool
) -> None:
    """Although the system says first that the connection is broken; and then that it has ended."""
    ours, theirs = sockets
    protocol = Taker()
    transport = opened(ours, protocol)
    await turns()
    if paused:
        transport.pause_reading()
    transport.write(b"nobody reads this")
    for number in range(5):
        send_beside(theirs, b"%d" % number, 1)
    theirs.close()
    await turns()
    transport.resume_reading()
    await until(lambda: len(protocol.events) > 1)
    assert protocol.received == b"01234"
    assert protocol.events[0] == "made"
    protocol.close()


@both_loops
async def test_a_protocol_that_fails(sockets: tuple[socket.socket, socket.socket]) -> None:
    """The event loop is told, and the connection ends with its error."""
    ours, theirs = sockets
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context["exception"]))
    protocol = Recorder()
    opened(ours, protocol)
    theirs.send(b"fail")
    await until(lambda: len(protocol.events) == 2)
    assert protocol.events == ["made", ValueError]
    assert [str(problem) for problem in problems] == ["a mistake of the protocol"]


# Descriptors


def send_beside(theirs: socket.socket, data: bytes, count: int) -> None:
    """Send bytes and so many descriptors."""
    theirs.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * count))])


@both_loops
async def test_descriptors_come_before_their_bytes(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Never behind them, and in their order; the system may join what was sent before to their message."""
    ours, theirs = sockets
    protocol = Taker()
    transport = opened(ours, protocol)
    theirs.send(b"..")
    send_beside(theirs, b"one", 1)
    theirs.send(b"....")
    send_beside(theirs, b"two", 253)
    await until(lambda: protocol.received == b"..one....two")
    assert [place in {0, 2} for place, _ in protocol.taken[:1]] == [True]
    assert [place in {5, 9} for place, _ in protocol.taken[1:]] == [True] * 253
    assert not any(os.get_inheritable(number) for _, number in protocol.taken)
    protocol.close()
    transport.abort()


@both_loops
async def test_descriptors_that_nobody_wants_are_closed(sockets: tuple[socket.socket, socket.socket]) -> None:
    """By a protocol that has no method for them."""
    ours, theirs = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    before = open_files()
    send_beside(theirs, b"data", 3)
    await until(lambda: protocol.received == b"data")
    assert open_files() == before
    transport.abort()


@both_loops
@pytest.mark.parametrize("count", [1, 253, 254, 600])
@pytest.mark.parametrize("size", [1, 3, 100_000])
async def test_descriptors_leave_with_the_next_bytes(
    count: int, size: int, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """As many messages as it takes, none without a byte; the transport's own are closed when they have left."""
    ours, theirs = sockets
    transport = opened(ours, Recorder())
    receiver = Taker()
    other = opened(theirs, receiver)
    before = open_files()
    transport.send_descriptors([os.dup(0) for _ in range(count)])
    transport.write(bytes(size))
    if size * 253 < count:  # there are not bytes enough, so some wait for more
        transport.write(bytes(2))
        size += 2
    await until(lambda: len(receiver.received) == size)
    assert len(receiver.taken) == count
    receiver.close()
    assert open_files() == before
    transport.abort()
    other.abort()


@both_loops
@pytest.mark.parametrize("full", [False, True])
async def test_descriptors_that_were_not_sent_are_closed(
    full: bool, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """At the end of the connection, and at once behind it."""
    ours, _ = sockets
    protocol = Recorder()
    transport = opened(ours, protocol)
    if full:
        transport.write(MUCH)
    before = open_files()
    transport.send_descriptors([os.dup(0), os.dup(0)])
    assert open_files() == before + 2
    if full:
        transport.write(b"behind")
    transport.abort()
    assert open_files() == before
    transport.send_descriptors([os.dup(0)])
    assert open_files() == before
    await until(lambda: protocol.events[-1] is None)


@both_loops
async def test_descriptors_wait_for_a_full_socket(sockets: tuple[socket.socket, socket.socket]) -> None:
    """They leave with bytes that wait already, and before those that were written behind them."""
    ours, theirs = sockets
    transport = opened(ours, Recorder())
    transport.write(MUCH)
    transport.send_descriptors([os.dup(0)])
    transport.write(b"end")
    receiver = Taker()
    other = opened(theirs, receiver)
    await until(lambda: receiver.received.endswith(b"end"))
    ((place, _),) = receiver.taken
    assert place < len(MUCH)
    receiver.close()
    transport.abort()
    other.abort()


async def test_pieces_are_sent_as_one() -> None:
    """What is written in pieces arrives in order, whether the socket takes all at once, a part, or nothing yet."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    transport = UnixTransport(loop, ours, asyncio.Protocol())
    reader, writer = await asyncio.open_unix_connection(sock=theirs)
    pieces = [bytes([number % 256]) * size for number, size in enumerate([1, 0, 3, 9_000, 20_000, 1, 70_000] * 20)]
    for start in range(0, len(pieces), 70):
        transport.writelines(pieces[start : start + 70])
    transport.writelines([b"the ", b"end"])
    assert await reader.readexactly(sum(map(len, pieces))) == b"".join(pieces)
    transport.writelines([b"", b""])
    transport.close()
    transport.writelines([b"dropped", b"too"])
    assert await reader.read() == b"the end"
    writer.close()
