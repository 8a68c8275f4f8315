"""Where one can serve and connect, what an address looks like, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ampkit import ConnectionFailed, LocalProtocolError, Options, connect, serve
from ampkit.asyncio.address import MemoryAddress, TcpAddress, UnixAddress, parse_address
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.turning import turns, until

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])


async def answers(address: str) -> None:
    """Check that the office answers there."""
    async with connect(address) as peer:
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)


# The text

ADDRESSES = {
    "tcp://127.0.0.1:1234": TcpAddress("127.0.0.1", 1234),
    "tcp://localhost:0": TcpAddress("localhost", 0),
    "tcp://:65535": TcpAddress("", 65_535),
    "tcp://[::1]:1": TcpAddress("::1", 1),
    "tcp://[fe80::1%25eth0]:1": TcpAddress("fe80::1%25eth0", 1),
    "unix:///run/my socket": UnixAddress("/run/my socket"),
    f"unix:///{'a' * 106}": UnixAddress(f"/{'a' * 106}"),
    "unix://relative": UnixAddress("relative"),
    "memory://a name/with: all": MemoryAddress("a name/with: all"),
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_read_and_written(text: str, address: object) -> None:
    """What is written is what was read."""
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:1234",
        "tcp:",
        "tcp://",
        "tcp://localhost",
        "tcp://localhost:",
        "tcp://localhost:65536",
        "tcp://localhost:-1",
        "tcp://localhost:http",
        "tcp://localhost:1/path",
        "tcp://localhost:1?query",
        "tcp://localhost:1#fragment",
        "tcp://user@localhost:1",
        "tcp://[::1:1",
        "unix://",
        "unix:///a\0b",
        "unix:///\ud800",
        f"unix:///{'a' * 107}",
        f"unix:///{'é' * 54}",
        "memory://",
        "http://localhost:1",
    ],
)
async def test_what_is_no_address(text: str) -> None:
    """LocalProtocolError at once, from `serve` and `connect`, says which address and what was expected."""
    with pytest.raises(LocalProtocolError, match="not an address"):
        _ = serve(None, text)
    with pytest.raises(LocalProtocolError, match="not an address"):
        _ = connect(text)


@pytest.mark.parametrize("text", ["tcp://:1234", "tcp://localhost:0"])
async def test_what_can_be_served_but_not_connected_to(text: str) -> None:
    """Every interface and any port are for servers."""
    with pytest.raises(LocalProtocolError, match="a host and a port are needed"):
        _ = connect(text)


# TCP


@both_loops
async def test_any_port_on_all_addresses_of_a_host() -> None:
    """Port 0 on localhost is one port, the same for IPv4 and IPv6 if there are both."""
    async with serve(Office(), "tcp://localhost:0") as server:
        for address in server.addresses:
            await answers(address)
        ports = {parse_address(address).port for address in server.addresses}  # type: ignore[union-attr]
        assert len(ports) == 1
        await answers(f"tcp://localhost:{ports.pop()}")


def has_ipv6() -> bool:
    """Say whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@both_loops
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_ipv6() -> None:
    """`tcp://[::1]:0`; the addresses of both ends are in brackets."""
    async with serve(Office(), "tcp://[::1]:0") as server, connect(server.addresses[0]) as peer:
        assert server.addresses[0].startswith("tcp://[::1]:")
        assert peer.remote_address == server.addresses[0]
        assert peer.local_address.startswith("tcp://[::1]:")
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)


@both_loops
async def test_every_interface() -> None:
    """An empty host listens on all of them."""
    async with serve(Office(), "tcp://:0") as server:
        await answers(f"tcp://127.0.0.1:{parse_address(server.addresses[0]).port}")  # type: ignore[union-attr]


@both_loops
async def test_several_addresses(tmp_path: Path) -> None:
    """One server listens on as many addresses of as many kinds as it is given, and says them in that order."""
    wanted = [f"unix://{tmp_path}/socket", "tcp://127.0.0.1:0", "memory://it", "tcp://127.0.0.1:0"]
    async with serve(Office(), *wanted) as server:
        assert [address.partition("://")[0] for address in server.addresses] == ["unix", "tcp", "memory", "tcp"]
        for address in server.addresses:
            await answers(address)
        assert repr(server) == f"<Server {' '.join(server.addresses)} {len(server.peers)} connected>"


@both_loops
async def test_a_port_that_is_taken() -> None:
    """ConnectionFailed names the address and the reason."""
    async with serve(Office(), "tcp://127.0.0.1:0") as server:
        with pytest.raises(ConnectionFailed, match=f"cannot serve {server.addresses[0]}: .*in use"):
            await serve(Office(), server.addresses[0])
        await answers(server.addresses[0])


async def test_a_port_that_is_free_on_one_address_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 0 on a host with two addresses: if the port of the first is taken on the second, another is tried."""
    real, tried = socket.socket.bind, list[int]()
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.2", 0))
        port = occupied.getsockname()[1]

        def bind(sock: socket.socket, name: tuple[str, int]) -> None:
            if name == ("127.0.0.1", 0) and not tried:
                name = ("127.0.0.1", port)
            tried.append(name[1])
            real(sock, name)

        async def getaddrinfo(*_: object, **__: object) -> list[object]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]

        monkeypatch.setattr(socket.socket, "bind", bind)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        async with serve(Office(), "tcp://two.example:0") as server:
            assert tried[:2] == [port, port]
            assert len(server.addresses) == 2
            monkeypatch.undo()
            for address in server.addresses:
                await answers(address)


async def test_an_address_that_this_machine_has_not() -> None:
    """Of a host's addresses those that cannot be used are left out; if none is left, ConnectionFailed."""
    with pytest.raises(ConnectionFailed, match=r"cannot serve tcp://192\.0\.2\.1:0"):
        await serve(Office(), "tcp://192.0.2.1:0")


# Connecting


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@both_loops
@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://127.0.0.1:closed", "111|refused|failed"),
        ("tcp://no-such-host.invalid:1", "not known|resolution|No address"),
        (f"tcp://{'a' * 64}.example:1", "label|encod|not known"),
        ("tcp://..:1", "label|encod|not known"),
        ("unix:///no/such/file", "No such file"),
        ("memory://nobody", "nobody serves it"),
    ],
)
async def test_what_cannot_be_reached(address: str, why: str) -> None:
    """ConnectionFailed names the address once, and the reason."""
    address = address.replace(":closed", f":{closed_port()}")
    with pytest.raises(ConnectionFailed, match=why) as caught:
        await connect(address)
    assert str(caught.value).startswith(f"cannot connect to {address}: ")
    assert str(caught.value).count(address) == 1


@both_loops
async def test_a_socket_that_is_no_server(tmp_path: Path) -> None:
    """A file that is no socket, and a socket that nobody listens on, refuse."""
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/dead")
    for name in ("file", "dead"):
        with pytest.raises(ConnectionFailed, match="refused"):
            await connect(f"unix://{tmp_path}/{name}")


async def test_connecting_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `connect_timeout` seconds it is given up."""

    async def create_connection(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    with pytest.raises(ConnectionFailed, match=r"cannot connect to tcp://10\.255\.255\.1:9: not within 0\.01 s"):
        await connect("tcp://10.255.255.1:9", options=Options(connect_timeout=0.01))


async def test_the_system_has_its_own_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A TimeoutError of the system is not taken for ours."""

    async def create_connection(*_: object) -> None:
        raise TimeoutError(110, "Connection timed out")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    with pytest.raises(ConnectionFailed, match="Connection timed out"):
        await connect("tcp://10.255.255.1:9")


@both_loops
async def test_connecting_is_cancelled_in_any_turn(address: str) -> None:
    """No connection is left open, at either end."""
    async with serve(Office(), address) as server:
        for turn in range(6):
            opening = asyncio.create_task(_connected(server.addresses[0]))
            await turns(turn)
            opening.cancel()
            (result,) = await asyncio.gather(opening, return_exceptions=True)
            assert isinstance(result, asyncio.CancelledError | type(None))
        await answers(server.addresses[0])
        await until(lambda: not server.peers)


async def _connected(address: str) -> None:
    async with connect(address):
        pass


# Unix sockets


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder, as the working directory, for short names."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@both_loops
async def test_the_socket_file_is_removed(tmp_path: Path) -> None:
    """It is there while the server is open, and gone after its close."""
    path = tmp_path / "socket"
    async with serve(Office(), f"unix://{path}") as server:
        assert stat.S_ISSOCK(path.stat().st_mode)
        await answers(server.addresses[0])
    assert not path.exists()


@both_loops
async def test_a_stale_socket_file(tmp_path: Path) -> None:
    """What a server has left that was killed is replaced."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    async with serve(Office(), f"unix://{path}"):
        await answers(f"unix://{path}")


@both_loops
async def test_a_socket_file_in_use(tmp_path: Path) -> None:
    """ConnectionFailed, and the one who serves it is not disturbed; nor if too many wait for it."""
    path = tmp_path / "socket"
    async with serve(Office(), f"unix://{path}"):
        with pytest.raises(ConnectionFailed, match=r"cannot serve unix://.*: another process serves it"):
            await serve(Office(), f"unix://{path}")
        await answers(f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(ConnectionFailed, match="another process serves it"):
            await serve(Office(), f"unix://{path}")
        assert path.exists()


@both_loops
async def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    """A file of another kind is left alone."""
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ConnectionFailed, match="in use"):
        await serve(Office(), f"unix://{path}")
    assert path.read_text() == "data"


@both_loops
async def test_a_successors_socket_file_is_not_removed(tmp_path: Path) -> None:
    """A server that is closed, once or twice, after its file was replaced leaves the new one alone."""
    path = tmp_path / "socket"
    async with serve(Office(), f"unix://{path}") as first:
        path.unlink()
        async with serve(Office(), f"unix://{path}"):
            await first.close()
            await answers(f"unix://{path}")
    async with serve(Office(), f"unix://{path}") as first:
        await first.close()
        async with serve(Office(), f"unix://{path}"):
            await first.close()
            await answers(f"unix://{path}")


@both_loops
async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """ConnectionFailed names the address and the reason."""
    with pytest.raises(ConnectionFailed, match="No such file"):
        await serve(Office(), f"unix://{tmp_path}/no/socket")


@both_loops
async def test_a_folder_that_is_removed_first(tmp_path: Path) -> None:
    """The close of the server does not mind."""
    (tmp_path / "folder").mkdir()
    async with serve(Office(), f"unix://{tmp_path}/folder/socket"):
        (tmp_path / "folder" / "socket").unlink()
        (tmp_path / "folder").rmdir()


async def test_a_relative_path(folder: Path) -> None:
    """It is taken from the working directory."""
    async with serve(Office(), "unix://short"):
        assert (folder / "short").exists()
        await answers("unix://short")


@both_loops
async def test_the_addresses_of_a_unix_socket(tmp_path: Path) -> None:
    """The serving end has the path; the connecting end has none, so both ends show the path."""
    path = f"unix://{tmp_path}/socket"
    async with serve(Office(), path) as server, connect(path) as peer:
        await peer.call(Sum(a=1, b=2))
        (other,) = server.peers
        assert {peer.remote_address, peer.local_address, other.remote_address, other.local_address} == {path}


@both_loops
async def test_the_other_end_of_a_unix_socket_has_a_wild_name(tmp_path: Path) -> None:
    """Nothing of it can reach a terminal raw, be it a path or an abstract name."""
    async with serve(Office(), f"unix://{tmp_path}/socket") as server:
        for name in (f"{tmp_path}/\x1b[31m\n".encode(), b"\0\x1b[31m\xff"):
            with socket.socket(socket.AF_UNIX) as client:
                client.bind(name)
                client.connect(f"{tmp_path}/socket")
                await until(lambda: server.peers)
                (other,) = server.peers
                assert "\\x1b[31m" in other.remote_address
                assert other.remote_address.isprintable()
                assert repr(other).isprintable()
            await other.wait_closed()


# Memory


@both_loops
async def test_memory_names_are_free_again() -> None:
    """A name is taken while it is served, in its own event loop."""
    async with serve(Office(), "memory://it"):
        with pytest.raises(ConnectionFailed, match="cannot serve memory://it: the name is taken"):
            await serve(Office(), "memory://it")
        await answers("memory://it")
    with pytest.raises(ConnectionFailed):
        await connect("memory://it")
    async with serve(Office(), "memory://it") as server, connect("memory://it") as peer:
        assert server.addresses == ["memory://it"]
        assert {peer.remote_address, peer.local_address} == {"memory://it"}


def test_memory_names_are_of_one_event_loop() -> None:
    """Another loop has its own."""

    async def serve_it() -> None:
        await serve(Office(), "memory://it")

    async def connect_to_it() -> None:
        with pytest.raises(ConnectionFailed):
            await connect("memory://it")

    asyncio.run(serve_it())
    asyncio.run(connect_to_it())
    asyncio.run(serve_it())
