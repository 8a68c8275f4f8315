"""Servers of several processes: who answers, how they begin and end, and what becomes of those that die."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ampkit import (
    Backoff,
    ConnectionFailed,
    ConnectionLost,
    LocalProtocolError,
    Options,
    Peer,
    ProcessServer,
    UnknownRemoteError,
    connect,
    serve,
)
from ampkit.asyncio import binding
from ampkit.asyncio.processes import process_count
from tests.asyncio.crew import Block, Crew, Exits, Finish, StartAndEnd, Watch, WhoAreYou
from tests.certificates import CERTIFICATES

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there a process inherits no sockets"),
]
ROOT = Path(__file__).parents[2]
LOOPBACK = "tcp://127.0.0.1:0"


@pytest.fixture(autouse=True)
async def _no_file_left() -> AsyncIterator[None]:
    """Fail a test that leaves an open file or a child process."""
    before = files(), children()
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    assert (files(), children()) == before


def files() -> Counter[str]:
    """Return how many files of which kind are open; uvloop has one more, of nothing, from its first connection on."""
    numbers = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return Counter(kind for path in numbers if (kind := str(path.readlink()).partition(":")[0]) != os.devnull)


def children() -> set[str]:
    """Return the child processes, those that have ended and were not waited for too."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


async def who_serves(address: str, want: int = 2) -> set[int]:
    """Connect until so many processes have answered, and return their numbers."""
    seen: set[int] = set()
    while len(seen) < want:
        async with connect(address, tls=CERTIFICATES.client() if address.startswith("tls:") else None) as peer:
            seen.add((await peer.call(WhoAreYou())).pid)
    return seen


async def several(*addresses: str | socket.socket, crew: Crew | None = None, grace: float = 5) -> ProcessServer:
    """Serve with two processes."""
    options = Options(close_timeout=grace)
    server = await serve(crew or Crew(), *addresses, processes=2, options=options, tls=CERTIFICATES.server())
    assert isinstance(server, ProcessServer)
    return server


async def has_ended(pid: int) -> None:
    """Wait for the end of a process that need not be a child."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(number, select.POLLIN)
        assert await asyncio.to_thread(poll.poll, 10_000)
    finally:
        os.close(number)


# Who answers


@both_loops
async def test_all_processes_answer_on_all_addresses(tmp_path: Path) -> None:
    """TCP, TLS, unix sockets and sockets that are open; each process on the kind of loop that the program has."""
    open_socket = socket.create_server(("127.0.0.1", 0))
    async with await several(LOOPBACK, "tls://127.0.0.1:0", f"unix://{tmp_path}/socket", open_socket) as server:
        assert [address.partition(":")[0] for address in server.addresses] == ["tcp", "tls", "unix", "tcp"]
        for address in server.addresses:
            assert await who_serves(address) == set(server.pids)
        assert os.getpid() not in server.pids
        async with connect(server.addresses[0]) as peer:
            here = type(asyncio.get_running_loop()).__module__
            assert (await peer.call(WhoAreYou())).loop.partition(".")[0] == here.partition(".")[0]
            assert (
                await peer.call(StartAndEnd())
            ).status == -signal.SIGTERM  # it has not inherited what a worker heeds
    assert not server.pids
    assert not (tmp_path / "socket").exists()
    for address in server.addresses[:2]:
        with pytest.raises(ConnectionFailed):
            await connect(address, tls=CERTIFICATES.client())


async def test_where_the_system_spreads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes accept from one socket."""
    monkeypatch.setattr(binding, "SPREADS", False)
    async with await several(LOOPBACK) as server:
        peers = [await connect(server.addresses[0]) for _ in range(20)]
        assert {(await peer.call(WhoAreYou())).pid for peer in peers} <= set(server.pids)
        for peer in peers:
            await peer.close()


# How it ends


async def begun(server: ProcessServer) -> tuple[list[asyncio.Task[int]], Watch]:
    """Begin calls to all processes, on all addresses, which end when the gate is opened."""
    calls: list[asyncio.Task[int]] = []
    seen: set[int] = set()
    watch = Watch()
    while seen != set(server.pids):
        for address in server.addresses:
            peer = await connect(address, watch)
            seen.add((await peer.call(WhoAreYou())).pid)
            calls.append(asyncio.create_task(_finish(peer)))
            await watch.begun.get()
    return calls, watch


async def connect_for_ever(address: str) -> None:
    """Connect until that fails."""
    while True:
        async with connect(address):
            pass


async def _finish(peer: Peer) -> int:
    async with peer:
        return (await peer.call(Finish())).pid


@both_loops
async def test_what_was_begun_ends(tmp_path: Path) -> None:
    """Draining listens no more at once, waits for calls of all processes, and loses none."""
    server = await several(LOOPBACK, f"unix://{tmp_path}/socket")
    pids = set(server.pids)
    calls, watch = await begun(server)
    drain = asyncio.create_task(server.drain())
    for address in server.addresses:
        with pytest.raises(ConnectionFailed):
            await connect_for_ever(address)
    assert not any(call.done() for call in calls)
    watch.gate.set()
    assert set(await asyncio.gather(*calls)) == pids
    await drain
    await server.wait_closed()


async def test_what_does_not_end() -> None:
    """It is cancelled after the grace; the shortest of several counts."""
    server = await several(LOOPBACK)
    calls, _ = await begun(server)
    async with asyncio.timeout(10):
        await asyncio.gather(server.close(grace=60), server.close(grace=0.01), server.wait_closed())
    for call in calls:
        with pytest.raises((ConnectionLost, UnknownRemoteError)):
            await call


async def test_a_close_that_is_cancelled() -> None:
    """Nobody is waited for any more, and nothing is left."""
    server = await several(LOOPBACK)
    calls, _ = await begun(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await server.close(grace=60)
    await server.wait_closed()
    assert not server.pids
    for call in calls:
        with pytest.raises((ConnectionLost, UnknownRemoteError)):
            await call


async def test_a_process_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed when it has not closed within its time."""
    monkeypatch.setattr("ampkit.asyncio.hired._EXIT_PATIENCE", 0.01)
    server = await several(LOOPBACK, grace=0.01)
    async with connect(server.addresses[0]) as peer:
        os.kill((await peer.call(WhoAreYou())).pid, signal.SIGSTOP)
        await server.close(grace=0)
        with pytest.raises(ConnectionLost):
            await peer.call(WhoAreYou())


async def test_signals_to_those_that_begin() -> None:
    """They do not end a process that does not know yet what to do with them."""
    before = children()
    opening = asyncio.create_task(several(LOOPBACK))
    while len(new := children() - before) < 2:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        for pid in new:
            os.kill(int(pid), number)
    async with await opening as server:
        assert {str(pid) for pid in server.pids} == new


PROGRAM = """
import asyncio, sys, ampkit
from tests.asyncio.crew import Crew
async def main():
    options = ampkit.Options(close_timeout=0.01)
    async with ampkit.serve(Crew(), "tcp://127.0.0.1:0", processes=2, options=options) as server:
        print(*server.addresses, *server.pids, flush=True)
        await server.wait_closed()
ampkit.run(main())
"""


async def test_nobody_is_left_behind() -> None:
    """When the program that serves is killed, its workers end, even one that does nothing but block."""
    watch = Watch()
    watch.gate.set()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - it takes no time
        assert process.stdout
        address, *pids = (await asyncio.to_thread(process.stdout.readline)).split()
        async with connect(address, watch) as peer:
            call = asyncio.create_task(peer.call(Block()))
            await watch.begun.get()
            process.kill()
            for pid in pids:
                await has_ended(int(pid))
            with pytest.raises(ConnectionLost):
                await call


# Workers that die


@both_loops
async def test_a_process_that_dies_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so; clients that come back go on."""
    async with await several(LOOPBACK) as server:
        first, second = server.pids
        async with connect(server.addresses[0], reconnect=Backoff(first=0.01)) as peer:
            answered = (await peer.call(WhoAreYou())).pid
            os.kill(answered, signal.SIGKILL)
            await has_ended(answered)
            assert (await peer.call(WhoAreYou())).pid != answered
            while len(server.pids) < 2:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
            assert await who_serves(server.addresses[0]) == set(server.pids)
            assert set(server.pids) - {first, second}
    assert f"worker process {answered} was ended by signal 9; another one takes its place" in caplog.messages


async def test_a_process_that_cannot_be_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The others have all connections; it is tried again, until it is there."""
    obstacle = tmp_path / "obstacle"
    async with await several(LOOPBACK, crew=Crew(obstacle)) as server:
        dead, alive = server.pids
        obstacle.touch()
        os.kill(dead, signal.SIGKILL)
        while caplog.messages.count("a worker process cannot begin: ValueError: there is an obstacle") < 2:  # noqa: ASYNC110 - there is no event for the log
            await asyncio.sleep(0.01)
        for _ in range(20):
            assert await who_serves(server.addresses[0], 1) == {alive}
        obstacle.unlink()
        assert len(await who_serves(server.addresses[0])) == 2


async def test_closing_while_a_process_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No further one is begun."""
    obstacle = tmp_path / "obstacle"
    server = await several(LOOPBACK, crew=Crew(obstacle))
    obstacle.touch()
    os.kill(server.pids[0], signal.SIGKILL)
    while len(caplog.messages) < 2:  # noqa: ASYNC110 - there is no event for the log
        await asyncio.sleep(0.01)
    await server.close()
    assert not server.pids


# What cannot begin


async def test_a_service_that_cannot_be_made(tmp_path: Path) -> None:
    """ConnectionFailed with the reason, and the traceback of the other process; nothing is left."""
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    path = tmp_path / "socket"
    with pytest.raises(ConnectionFailed, match="cannot begin: ValueError: there is an obstacle") as caught:
        await several(f"unix://{path}", crew=Crew(obstacle))
    assert any("crew.py" in note for note in caught.value.__notes__)
    assert not path.exists()


async def test_a_process_that_exits_before_it_begins() -> None:
    """ConnectionFailed says with which status."""
    with pytest.raises(ConnectionFailed, match="a worker process exited with status 3 before it could begin"):
        await serve(Exits(), LOOPBACK, processes=2)


@both_loops
@pytest.mark.parametrize("processes", [1, 2])
async def test_an_address_that_is_taken(processes: int, tmp_path: Path) -> None:
    """Two servers never share a port or a file without a word, whichever has several processes."""
    async with serve(Crew(), LOOPBACK, f"unix://{tmp_path}/socket", processes=3 - processes) as server:
        for address in server.addresses:
            with pytest.raises(ConnectionFailed, match=f"cannot serve {address}: "):
                await serve(Crew(), f"unix://{tmp_path}/free", address, processes=processes)
        assert not (tmp_path / "free").exists()


async def test_a_start_that_is_cancelled(tmp_path: Path) -> None:
    """Nothing is left."""
    path = tmp_path / "socket"
    opening = asyncio.create_task(several(f"unix://{path}"))
    while not path.exists():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not path.exists()


async def test_what_several_processes_cannot_do() -> None:
    """Mistakes of the program are told at once, before anything is awaited."""
    with pytest.raises(LocalProtocolError, match="cannot serve memory://it with several processes"):
        _ = serve(Crew(), "memory://it", processes=2)
    with pytest.raises(LocalProtocolError, match="cannot serve stdio:"):
        _ = serve(Crew(), "stdio:", processes=2)
    with pytest.raises(LocalProtocolError, match="takes a certificate"):
        _ = serve(Crew(), "tls://127.0.0.1:0", processes=2)
    with pytest.raises(TypeError, match="two responders"):
        _ = serve([Crew(), Crew()], LOOPBACK, processes=2)
    with pytest.raises(TypeError, match="at least one address"):
        _ = serve(Crew(), processes=2)
    with pytest.raises(ValueError, match="at least one process, not -1"):
        _ = serve(Crew(), LOOPBACK, processes=-1)


def test_one_for_each_core() -> None:
    """0 is as many as this process may use."""
    assert process_count(0) == len(os.sched_getaffinity(0))
    assert process_count(3) == 3


# The program's own file

SERVICE = """
import asyncio, sys, ampkit
from ampkit import Command, Response, Service
class Name(Response):
    name: str
class AskName(Command[Name]): pass
class Names(Service):
    @AskName.responder
    def name(self, command: AskName) -> Name:
        return Name(name=f"{__name__} {sys.argv[1:]}")
async def main():
    async with ampkit.serve(Names(), "tcp://127.0.0.1:0", processes=2) as server:
        async with ampkit.connect(server.addresses[0]) as peer:
            print((await peer.call(AskName())).name)
"""


@pytest.mark.parametrize("how", [["program.py"], ["-m", "program"]])
def test_a_service_in_the_programs_file(how: list[str], tmp_path: Path) -> None:
    """Workers import the file, under another name, with the arguments that the program has."""
    (tmp_path / "program.py").write_text(f"{SERVICE}\nif __name__ == '__main__':\n    asyncio.run(main())\n")
    done = subprocess.run(
        [sys.executable, *how, "argument"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("__mp_main__ ['argument']\n", "")


def test_a_program_that_begins_when_it_is_imported(tmp_path: Path) -> None:
    """Its workers start no others, and the error says what to do."""
    (tmp_path / "program.py").write_text(f"{SERVICE}\nasyncio.run(main())\n")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "a worker process cannot begin: LocalProtocolError: a worker process starts no others" in done.stderr
    assert 'belongs below `if __name__ == "__main__":`' in done.stderr
