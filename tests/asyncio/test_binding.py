"""Sockets that listen: how many for how many processes, between whom connections are spread, and who is refused."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ampkit.asyncio import binding
from ampkit.asyncio.address import TcpAddress, UnixAddress
from ampkit.asyncio.binding import Bound, bind, give_up_share
from ampkit.asyncio.sockets import OpenSocket

linux = pytest.mark.skipif(not binding.SPREADS, reason="other systems do not spread connections over sockets")


def foreign(port: int, *, reuse_port: bool) -> socket.socket:
    """Listen as another program does."""
    return socket.create_server(("127.0.0.1", port), reuse_port=reuse_port)


async def bound_to(port: int, processes: int) -> Bound:
    """Listen on a port for so many processes."""
    (bound,) = await bind(TcpAddress("127.0.0.1", port), processes)
    return bound


def waiting(sock: socket.socket) -> int:
    """Accept all connections that wait, and return their number."""
    sock.setblocking(False)
    count = 0
    try:
        while True:
            sock.accept()[0].close()
            count += 1
    except BlockingIOError:
        return count


def connected(port: int, count: int) -> ExitStack:
    """Connect so many times."""
    stack = ExitStack()
    for _ in range(count):
        stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    return stack


@linux
async def test_each_process_has_a_share() -> None:
    """The system spreads connections over the sockets, of which there is one for each process."""
    with closing(await bound_to(0, 3)) as bound:
        ports = {sock.getsockname()[1] for sock in bound.sockets}
        assert str(bound.address) == f"tcp://127.0.0.1:{ports.pop()}"
        assert not ports
        with connected(bound.sockets[0].getsockname()[1], 100):
            counts = [waiting(sock) for sock in bound.sockets]
    assert sum(counts) == 100
    assert min(counts) > 0


@linux
@pytest.mark.parametrize("which", [0, 1])
async def test_a_share_that_is_given_up_and_taken_again(which: int) -> None:
    """While a socket does not listen the others have its connections; it may be the first one, on a port by chance."""
    with closing(await bound_to(0, 2)) as bound:
        port = bound.sockets[0].getsockname()[1]
        given_up, other = bound.sockets[which], bound.sockets[1 - which]
        give_up_share(given_up)
        give_up_share(given_up)
        with connected(port, 50):
            assert waiting(other) == 50
        given_up.listen()
        assert given_up.getsockname()[1] == port
        with connected(port, 50):
            assert waiting(other) < 50
            with given_up.accept()[0] as accepted:
                accepted.setblocking(False)
                with pytest.raises(BlockingIOError):  # and not the end of the stream
                    accepted.recv(1)


@linux
@pytest.mark.parametrize("reuse_port", [False, True])
@pytest.mark.parametrize("processes", [1, 3])
async def test_a_port_that_is_taken(reuse_port: bool, processes: int) -> None:
    """It is refused, and not shared, though its owner and the system would let us."""
    with foreign(0, reuse_port=reuse_port) as sock, pytest.raises(OSError, match="already in use"):
        await bound_to(sock.getsockname()[1], processes)


@linux
@pytest.mark.parametrize("processes", [1, 3])
async def test_a_server_of_several_processes_has_its_port_alone(processes: int) -> None:
    """Another server of ours is refused, whichever comes first, and however many processes each has."""
    with closing(await bound_to(0, 3)) as bound, pytest.raises(OSError, match="already in use"):
        await bound_to(bound.sockets[0].getsockname()[1], processes)


async def test_one_process_shares_with_nobody() -> None:
    """Its socket cannot be joined."""
    with closing(await bound_to(0, 1)) as bound, pytest.raises(OSError, match="already in use"):
        foreign(bound.sockets[0].getsockname()[1], reuse_port=True)


async def test_where_connections_are_not_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one socket for all processes."""
    monkeypatch.setattr(binding, "SPREADS", False)
    with closing(await bound_to(0, 3)) as bound:
        assert len(bound.sockets) == 1
        with pytest.raises(OSError, match="already in use"):
            foreign(bound.sockets[0].getsockname()[1], reuse_port=True)


async def test_what_is_always_shared(tmp_path: Path) -> None:
    """A unix socket, and one that is open already, is one for all processes; closing frees the name of the former."""
    path = tmp_path / "socket"
    (bound,) = await bind(UnixAddress(str(path)), 3)
    with closing(bound):
        assert len(bound.sockets) == 1
        assert path.exists()
    assert not path.exists()
    (bound,) = await bind(OpenSocket(socket.create_server(("127.0.0.1", 0))), 3)
    with closing(bound):
        assert len(bound.sockets) == 1


@linux
async def test_a_name_of_several_addresses() -> None:
    """Each IP address has its sockets, all on the same port."""
    bounds = await bind(TcpAddress("localhost", 0), 2)
    with ExitStack() as stack:
        for bound in bounds:
            stack.enter_context(closing(bound))
        assert [len(bound.sockets) for bound in bounds] == [2] * len(bounds)
        assert len({sock.getsockname()[1] for bound in bounds for sock in bound.sockets}) == 1
