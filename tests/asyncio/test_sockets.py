"""Sockets that are open already, abstract names and permissions: what is taken over, and what is refused."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ampkit import Backoff, ConnectionFailed, LocalProtocolError, Options, connect, serve
from ampkit.asyncio.address import UnixAddress, parse_address
from ampkit.asyncio.sockets import InheritedSocket, SystemdSockets
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.turning import until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
FAMILIES = [socket.AF_UNIX, socket.AF_INET]


def connected_pair(family: int) -> tuple[socket.socket, socket.socket]:
    """Return two sockets that are connected to each other."""
    if family == socket.AF_UNIX:
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def listening(family: int, folder: Path) -> tuple[socket.socket, str]:
    """Return a listening socket, and the address of it."""
    if family == socket.AF_INET:
        sock = socket.create_server(("127.0.0.1", 0))
        return sock, f"tcp://127.0.0.1:{sock.getsockname()[1]}"
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"{folder}/socket")
    sock.listen()
    return sock, f"unix://{folder}/socket"


async def answers(address: str) -> None:
    """Check that the office answers there."""
    async with connect(address) as peer:
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)


# Sockets of the program


@both_loops
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("descriptors", [False, True])
async def test_two_ends_of_a_socket_pair(family: int, descriptors: bool) -> None:
    """Each end of a pair is a connection; both are closed with it."""
    left, right = connected_pair(family)
    options = Options(descriptors=descriptors)
    async with connect(left, options=options) as peer, connect(right, Office(), options=options):
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
    await until(lambda: left.fileno() == right.fileno() == -1)


@both_loops
async def test_a_connected_socket_by_its_number() -> None:
    """What this process has inherited is named by its number."""
    left, right = socket.socketpair()
    number = left.detach()
    async with connect(f"fd://{number}") as peer, connect(right, Office()):
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(number)


@both_loops
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("by_number", [False, True])
async def test_a_listening_socket(family: int, by_number: bool, tmp_path: Path) -> None:
    """It is served, and closed with the server; the file of a unix socket stays, as it is another's."""
    sock, address = listening(family, tmp_path)
    async with serve(Office(), f"fd://{sock.detach()}" if by_number else sock) as server:
        assert server.addresses == [address]
        await answers(address)
    with pytest.raises(ConnectionFailed):
        await connect(address)
    assert family == socket.AF_INET or (tmp_path / "socket").exists()


@both_loops
async def test_what_is_no_socket_to_connect_to(tmp_path: Path) -> None:
    """ConnectionFailed, and what was given is left open."""
    listens, _ = listening(socket.AF_UNIX, tmp_path)
    with listens, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as unconnected:
        for sock, why in ((listens, "not connected"), (datagrams, "no stream"), (unconnected, "not connected")):
            with pytest.raises(ConnectionFailed, match=f"cannot connect to fd://{sock.fileno()}: .*{why}"):
                await connect(sock)
            with pytest.raises(ConnectionFailed, match=why):
                await connect(f"fd://{sock.fileno()}")
            assert sock.fileno() >= 0
    with (tmp_path / "file").open("w") as file, pytest.raises(ConnectionFailed, match="non-socket"):
        await connect(f"fd://{file.fileno()}")
    with pytest.raises(ConnectionFailed, match="Bad file"):
        await connect("fd://999999")


@both_loops
async def test_what_is_no_socket_to_listen_on() -> None:
    """ConnectionFailed, and what was given is left open."""
    left, right = socket.socketpair()
    with left, right, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        for sock, why in ((left, "it is connected"), (datagrams, "no stream")):
            with pytest.raises(ConnectionFailed, match=f"cannot serve fd://{sock.fileno()}: .*{why}"):
                await serve(None, sock)
            assert sock.fileno() >= 0


def test_what_is_open_cannot_be_connected_to_again() -> None:
    """LocalProtocolError at once where `reconnect` makes no sense."""
    left, right = socket.socketpair()
    with left, right, pytest.raises(LocalProtocolError, match="leave out `reconnect`"):
        _ = connect(left, reconnect=Backoff())


# systemd


SERVER = """
import asyncio, os, sys, ampkit
from tests.asyncio.office import Office
os.environ["LISTEN_PID"] = str(os.getpid())
async def main():
    for _ in range(2):
        async with ampkit.serve(Office(), *sys.argv[1:]) as server:
            print(*server.addresses, flush=True)
            await asyncio.to_thread(input)
        print(os.get_inheritable(3), flush=True)
asyncio.run(main())
"""
"""A service as systemd starts it, but for its own number, which is known only then."""


HAND_OVER = """
import os, sys
for number, place in zip(sys.argv[1:3], (33, 34)):
    os.dup2(int(number), place)
os.dup2(33, 3)
os.dup2(34, 4)
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""


@pytest.mark.parametrize(("wanted", "which"), [("systemd:", [0, 1]), ("systemd:web", [1])])
async def test_sockets_of_systemd(wanted: str, which: list[int], tmp_path: Path) -> None:
    """A service answers on all of them, or those of a name, leaves them open, and may serve them again."""
    (unix, unix_address), (tcp, tcp_address) = listening(socket.AF_UNIX, tmp_path), listening(socket.AF_INET, tmp_path)
    addresses = [[unix_address, tcp_address][i] for i in which]
    with subprocess.Popen(  # noqa: ASYNC220 - it takes no time
        [sys.executable, "-c", HAND_OVER, str(unix.fileno()), str(tcp.fileno()), "-c", SERVER, wanted],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "admin:web"},
        pass_fds=[unix.fileno(), tcp.fileno()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        with unix, tcp:
            for _ in range(2):
                assert (await asyncio.to_thread(process.stdout.readline)).split() == addresses
                for address in addresses:
                    await answers(address)
                process.stdin.write("\n")
                process.stdin.flush()
                assert await asyncio.to_thread(process.stdout.readline) == f"{which == [1]}\n"


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "LISTEN_FDS is not set"),
        ({"LISTEN_FDS": "1"}, "LISTEN_PID is not set"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "1"}, "has handed them over to process 1, and this is"),
        ({"LISTEN_FDS": "x", "LISTEN_PID": "1"}, "LISTEN_FDS is no number"),
        ({"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())}, "no such socket; there are: none"),
        (
            {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web"},
            "no such socket; there are: web",
        ),
    ],
)
async def test_what_systemd_has_not_handed_over(
    environment: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ConnectionFailed says what is missing."""
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConnectionFailed, match=f"cannot serve systemd:admin: .*{why}"):
        await serve(None, "systemd:admin")


# Names and permissions


ADDRESSES = {
    "unix://@name": UnixAddress("@name"),
    "unix:///run/socket?mode=0600": UnixAddress("/run/socket", 0o600),
    "fd://3": InheritedSocket(3),
    "systemd:": SystemdSockets(),
    "systemd:web": SystemdSockets("web"),
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_read_and_written(text: str, address: object) -> None:
    """What is written is what was read."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "unix://@",
        "unix://?mode=0600",
        "unix:///a?mode=0800",
        "unix:///a?mode=rw",
        "unix:///a?mode=",
        "unix:///a?user=me",
        "unix://@a?mode=0600",
        "fd://",
        "fd://x",
        "fd://-1",
        "stdio://",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """LocalProtocolError at once."""
    with pytest.raises(LocalProtocolError, match="not an address"):
        _ = connect(text)


@pytest.mark.parametrize("text", ["systemd:web", "unix:///a?mode=0600"])
def test_what_can_be_served_but_not_connected_to(text: str) -> None:
    """LocalProtocolError at once."""
    with pytest.raises(LocalProtocolError, match="for those who serve"):
        _ = connect(text)


@pytest.fixture
def abstract() -> Iterator[str]:
    """Return an abstract name that nobody else uses."""
    return iter([f"unix://@ampkit-test-{os.getpid()}"])


@both_loops
async def test_an_abstract_name(abstract: Iterator[str]) -> None:
    """It is no file, is taken as long as it is served, and free again at once."""
    address = next(abstract)
    for _ in range(2):
        async with serve(Office(), address) as server:
            assert server.addresses == [address]
            with pytest.raises(ConnectionFailed, match="in use"):
                await serve(Office(), address)
            async with connect(address) as peer:
                assert peer.remote_address == address
                assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
    with pytest.raises(ConnectionFailed, match="refused"):
        await connect(address)


@both_loops
@pytest.mark.parametrize("mode", [0o600, 0o666])
async def test_permissions(mode: int, tmp_path: Path) -> None:
    """The file has them before anybody can connect."""
    path = tmp_path / "socket"
    async with serve(Office(), f"unix://{path}?mode={mode:04o}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert server.addresses == [f"unix://{path}"]
        await answers(server.addresses[0])


@both_loops
async def test_a_server_that_has_too_many_waiting(tmp_path: Path) -> None:
    """Who connects waits until it has room, as long as `connect_timeout` allows."""
    path = f"{tmp_path}/socket"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        first.connect(path)
        with pytest.raises(ConnectionFailed, match=r"not within 0\.05 s"):
            await connect(f"unix://{path}", options=Options(connect_timeout=0.05))
        connecting = asyncio.create_task(_connected(f"unix://{path}"))
        await asyncio.sleep(0)
        busy.accept()[0].close()
        await connecting


async def _connected(address: str) -> None:
    async with connect(address):
        pass


@both_loops
async def test_a_process_without_files_accepts_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no file is left, connections wait, and one line in the log says so."""
    monkeypatch.setattr("ampkit.asyncio.accepting._PAUSE", 0.01)
    failures = [OSError(24, "Too many open files"), BlockingIOError(), None, None]
    real = socket.socket.accept

    def accept(sock: socket.socket) -> object:
        failure = failures.pop(0) if failures else None
        if failure is not None:
            raise failure
        return real(sock)

    async with serve(Office(), f"unix://{tmp_path}/socket", options=Options(descriptors=True)):
        monkeypatch.setattr(socket.socket, "accept", accept)
        await answers(f"unix://{tmp_path}/socket")
    assert caplog.messages == ["cannot accept connections for a second: [Errno 24] Too many open files"]
