"""`ampkit serve`: what can be served, where, and how it ends."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ampkit
from ampkit import ConnectionLost, Peer, Service, UnknownRemoteError
from ampkit.cli import main
from ampkit.cli.exits import Failure
from ampkit.cli.services import service_from
from ampkit.cli.signals import on_stop_signal
from tests.asyncio import crew
from tests.cli import sample
from tests.cli.running import AMPKIT, ROOT, next_line, running
from tests.cli.sample import Sample

FREE_PORT = "tcp://127.0.0.1:0"


async def test_it_prints_where_it_listens(tmp_path: Path) -> None:
    """Each address is one line, with the actual port, and answers."""
    with running("serve", "tests.cli.sample:Sample", FREE_PORT, f"unix://{tmp_path}/socket") as process:
        addresses = [next_line(process), next_line(process)]
        assert addresses[1] == f"unix://{tmp_path}/socket"
        for address in addresses:
            async with ampkit.connect(address) as peer:
                assert (await peer.call(sample.Sum(a=1))).total == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(number: signal.Signals, tmp_path: Path) -> None:
    """It ends at once when nothing runs, with exit code 0, without a traceback, and its socket is gone."""
    path = tmp_path / "socket"
    with running("serve", "tests.cli.sample:Sample", f"unix://{path}") as process:
        assert next_line(process) == f"unix://{path}"
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert err == "tests.cli.sample:Sample is served here. Ctrl-C stops it.\n"
    assert not path.exists()


async def until_it_listens_no_more(address: str) -> None:
    """Connect until that fails."""
    with contextlib.suppress(OSError):
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            writer.close()
            await writer.wait_closed()


class Stopper(Service):
    """Ends the server while it runs a responder, and lets that responder go on when the server has begun to stop."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    def stop(self) -> None:
        """End the server."""
        self.process.send_signal(signal.SIGTERM)

    @sample.Begun.responder
    async def begun(self, _: sample.Begun) -> None:
        self.stop()
        await until_it_listens_no_more(self.address)


async def test_what_runs_may_end_first() -> None:
    """A call under way is answered before the server ends."""
    with running("serve", "tests.cli.sample:Sample", FREE_PORT) as process:
        address = next_line(process)
        async with ampkit.connect(address, Stopper(process, address)) as peer:
            assert (await peer.call(sample.Finish())).total == 1
        assert await asyncio.to_thread(process.wait, 10) == 0


class Impatient(Stopper):
    """Ends the server twice, and never answers."""

    @sample.Begun.responder
    async def begun(self, _: sample.Begun) -> None:
        self.process.send_signal(signal.SIGINT)
        await until_it_listens_no_more(self.address)
        self.process.send_signal(signal.SIGINT)
        await asyncio.get_running_loop().create_future()


async def test_a_second_signal_does_not_wait() -> None:
    """Told twice, it ends while a call runs, and says that it was interrupted."""
    with running("serve", "tests.cli.sample:Sample", FREE_PORT) as process:
        address = next_line(process)
        async with ampkit.connect(address, Impatient(process, address)) as peer:
            with pytest.raises((ConnectionLost, UnknownRemoteError)):
                await peer.call(sample.Finish(), timeout=4)
        assert await asyncio.to_thread(process.wait, 10) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


# Several processes


class Terminal(Stopper):
    """Ends the server as Ctrl-C in a terminal does: all its processes get the signal."""

    def stop(self) -> None:
        """Send it to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Stopper, Terminal])
async def test_several_processes(kind: type[Stopper], tmp_path: Path) -> None:
    """All serve the addresses, which are printed once; a signal to one or all of them ends no call that runs."""
    path = f"unix://{tmp_path}/socket"
    with running("serve", "tests.asyncio.crew:Crew", FREE_PORT, path, "--processes", "2", own_group=True) as process:
        address = next_line(process)
        assert next_line(process) == path
        assert len(await pids_at(address)) == 2
        async with ampkit.connect(address, OfCrew(kind(process, address))) as peer:
            assert (await peer.call(crew.Finish())).pid != process.pid
        out, err = await asyncio.to_thread(process.communicate, timeout=10)
    assert (process.returncode, out) == (0, "")
    assert err == "tests.asyncio.crew:Crew is served here. Ctrl-C stops it.\n"
    assert not (tmp_path / "socket").exists()


class OfCrew(Service):
    """Does what another service does when it is told `Begun`."""

    def __init__(self, other: Stopper) -> None:
        self.other = other

    @crew.Begun.responder
    async def begun(self, _: crew.Begun) -> None:
        await self.other.begun(sample.Begun())


async def pids_at(address: str) -> set[int]:
    """Connect until two processes have answered."""
    seen: set[int] = set()
    while len(seen) < 2:
        async with ampkit.connect(address) as peer:
            seen.add((await peer.call(crew.WhoAreYou())).pid)
    return seen


@pytest.mark.slow
async def test_a_second_signal_to_several_processes() -> None:
    """Told twice, all of them end while a call runs."""
    with running("serve", "tests.asyncio.crew:Crew", FREE_PORT, "--processes", "2", own_group=True) as process:
        address = next_line(process)
        async with ampkit.connect(address, OfCrew(Impatient(process, address))) as peer:
            with pytest.raises((ConnectionLost, UnknownRemoteError)):
                await peer.call(crew.Finish(), timeout=4)
        assert await asyncio.to_thread(process.wait, 10) == 130
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


@pytest.mark.slow
async def test_several_processes_log() -> None:
    """Each line has the number of its process, and of what dies one says so."""
    with running("serve", "tests.asyncio.crew:Crew", FREE_PORT, "--processes", "2") as process:
        address = next_line(process)
        victim = min(await pids_at(address))
        os.kill(victim, signal.SIGKILL)
        assert process.stderr
        lines = [await asyncio.to_thread(process.stderr.readline) for _ in range(2)]
    assert f" {process.pid} ERROR worker process {victim} was ended by signal 9; another one" in lines[1]


def made() -> Sample:
    """Make a service for one connection."""
    return Sample()


def made_for(peer: Peer) -> Sample:
    """Make a service for one connection, given its peer."""
    del peer
    return Sample()


def test_what_can_be_served() -> None:
    """A class becomes one instance; instances and functions stay what they are, also in a list."""
    instance = Sample()
    assert isinstance(service_from(Sample, "spec"), Sample)
    assert service_from(instance, "spec") is instance
    assert service_from(made, "spec") is made
    assert service_from(made_for, "spec") is made_for
    first, second = service_from((instance, Sample), "spec")
    assert first is instance
    assert isinstance(second, Sample)


class Needy(Service):
    """Cannot be made from nothing."""

    def __init__(self, what: int) -> None:
        self.what = what


def test_what_cannot_be_served() -> None:
    """The failure says what was expected."""
    for value in (3, "text", sample.Sum, [3]):
        with pytest.raises(Failure, match="'spec' is neither a Service nor a function that returns one"):
            service_from(value, "spec")
    with pytest.raises(Failure, match=r"cannot make a service of the class 'spec' without arguments: .*'what'"):
        service_from(Needy, "spec")


TWICE = [Sample(), Sample()]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere:Sample", FREE_PORT], "there is no module 'nowhere'"),
        (["tests.cli.sample:Simple", FREE_PORT], "has no attribute 'Simple'"),
        (["tests.cli.sample:Sample", "localhost"], "not an address"),
        (["tests.cli.sample:Sample", "tcp://127.0.0.1:99999"], "not an address"),
        (["tests.cli.sample:Sample", "unix:///nowhere/socket"], "cannot serve unix:///nowhere/socket"),
        (["tests.cli.sample:Sample"], "ADDRESS"),
        (["tests.cli.test_serve:TWICE", FREE_PORT], "two responders for the command"),
        (["tests.cli.test_serve:TWICE", FREE_PORT, "--processes=2"], "two responders for the command"),
        (["tests.cli.sample:Sample", FREE_PORT, "--processes=-1"], "--processes is how many processes serve, or 0"),
        (["tests.cli.sample:Sample", "stdio:", "--processes=2"], "so one process serves it"),
        (["tests.cli.sample:Sample", "memory://it", "--processes=2"], "cannot serve memory://it with several"),
        (["tests.cli.sample:Sample", "unix:///nowhere/socket", "--processes=2"], "cannot serve unix:///nowhere/socket"),
    ],
)
def test_what_cannot_begin(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why, and the exit code is 2."""
    assert main(["serve", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ampkit: ")
    assert reason in err
    assert err.count("\n") == 1


def test_an_address_that_is_taken(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which one."""
    assert main(["serve", "tests.cli.sample:Sample", address]) == 2
    assert f"ampkit: cannot serve {address}: " in capsys.readouterr().err


def test_signal_handlers_are_put_back() -> None:
    """A program that runs it in its own process keeps its handlers."""

    async def stop_twice() -> None:
        stopped = asyncio.Event()
        before = signal.getsignal(signal.SIGTERM)
        with on_stop_signal(stopped.set):
            os.kill(os.getpid(), signal.SIGTERM)
            await stopped.wait()
            assert signal.getsignal(signal.SIGTERM) is before
        assert signal.getsignal(signal.SIGTERM) is before

    asyncio.run(stop_twice())


def test_standard_input_and_output(capfd: pytest.CaptureFixture[str]) -> None:
    """On `stdio:` it serves whoever starts it, and what its module prints is not in the stream."""
    command = f"exec:{sys.executable} -u -m ampkit serve tests.cli.sample:Sample stdio:"
    assert main(["call", command, "Sum", "a=1", "from=2"]) == 0
    assert capfd.readouterr().out == "total: 3\n"


def test_standard_input_and_output_that_are_no_pipes() -> None:
    """One line says what they must be."""
    command = [*AMPKIT, "serve", "tests.cli.sample:Sample", "stdio:"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ampkit: cannot connect to stdio:")
