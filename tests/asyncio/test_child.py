"""Child processes: what they are started with, what of them is seen, and how they end, at whichever end it begins."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ampkit
from ampkit import (
    Child,
    ChildExited,
    ConnectionFailed,
    ConnectionLost,
    LocalProtocolError,
    Options,
    Peer,
    RemoteProtocolError,
    connect,
    serve,
)
from ampkit.asyncio.address import parse_address
from tests.asyncio.office import Note, Office, Raise, Stubborn, Sum, Total
from tests.asyncio.turning import turns, until

ROOT = Path(__file__).parents[2]
both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])


def worker(kind: str = "worker", **more: object) -> Child:
    """Return a child that serves."""
    return Child(sys.executable, "-m", "tests.asyncio.worker", kind, cwd=ROOT, **more)  # type: ignore[arg-type]


def python(code: str, *arguments: str, **more: object) -> Child:
    """Return a child that runs some lines of Python, quickly."""
    return Child(sys.executable, "-I", "-S", "-c", code, *arguments, **more)  # type: ignore[arg-type]


def pid(peer: Peer) -> int:
    """Return the number of the process at the other end."""
    assert peer.channel.transport is not None
    number: int = peer.channel.transport.get_extra_info("pid")
    return number


def is_gone(number: int) -> bool:
    """Say whether there is no such process, not even a zombie."""
    return not Path(f"/proc/{number}").exists()


def open_files() -> set[str]:
    """Return the numbers of all open files of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


# The text


def test_words_are_split_as_in_a_shell() -> None:
    """Quotes keep blanks together, and nothing is expanded."""
    child = parse_address("exec:'my program' --name \"a b\" $HOME *")
    assert isinstance(child, Child)
    assert child.arguments == ("my program", "--name", "a b", "$HOME", "*")
    assert str(child) == "exec:'my program' --name 'a b' '$HOME' '*'"
    assert repr(child) == f"<Child {child}>"


def test_a_child_is_shown_without_control_characters() -> None:
    """What an address says goes to logs and terminals."""
    assert str(Child("a\x1b[31m\nb")) == "exec:'a\\x1b[31m\\nb'"


@pytest.mark.parametrize("text", ["exec:", "exec:  ", "exec:''", "exec:'a", "exec:a \0"])
def test_what_is_no_child(text: str) -> None:
    """LocalProtocolError at once."""
    with pytest.raises(LocalProtocolError):
        _ = connect(text)


@pytest.mark.parametrize("address", ["exec:cat", "stdio:"])
def test_what_cannot_be_served(address: str) -> None:
    """Nobody can connect to a child that has not been started."""
    with pytest.raises(LocalProtocolError, match=f"cannot serve {address}"):
        _ = serve(None, address)


# Calls


@both_loops
async def test_a_child_answers(caplog: pytest.LogCaptureFixture) -> None:
    """It answers calls; when the connection is closed it exits by itself, and nothing of it is left."""
    before = open_files()
    async with connect(worker()) as peer:
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        assert peer.remote_address.startswith("exec:")
    assert is_gone(pid(peer))
    assert open_files() <= before | open_files_of_the_loop()
    assert caplog.messages == []


def open_files_of_the_loop() -> set[str]:
    """Return what an event loop opens when it starts its first process and keeps: uvloop's pipe for signals."""
    names = {number: Path(f"/proc/self/fd/{number}") for number in open_files()}
    return {number for number, path in names.items() if path.exists() and "pipe:" not in str(path.readlink())} | (
        {number for number in names if "uvloop" in type(asyncio.get_running_loop()).__module__}
    )


@both_loops
async def test_a_child_calls() -> None:
    """It may ask back, as any peer."""
    async with connect(worker("caller"), Office()) as peer:
        assert await peer.call(Sum(a=13, b=81)) == Total(total=95)


@both_loops
async def test_what_a_child_prints_is_not_in_the_stream() -> None:
    """Standard output becomes standard error, for print, number 1 and its own children; its standard input is empty."""
    lines: list[str] = []
    async with connect(worker(on_stderr=lines.append)) as peer:
        await peer.tell(Note(text="a stray \x1b[31mline"))
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
    assert lines == ["a stray \\x1b[31mline", "number 1", "by another process"]


async def test_a_child_has_its_own_surroundings(tmp_path: Path) -> None:
    """Working directory, environment and further descriptors are those of the Child."""
    lines: list[str] = []
    read_from, write_to = os.pipe()
    code = "import os, sys; sys.stderr.write(f'{os.getcwd()} {dict(os.environ)}'); os.write(int(sys.argv[1]), b'here')"
    child = python(code, str(write_to), cwd=tmp_path, env={"A": "b"}, pass_fds=[write_to], on_stderr=lines.append)
    async with connect(child) as peer:
        await peer.wait_closed()
    os.close(write_to)
    assert os.read(read_from, 100) == b"here"
    os.close(read_from)
    (line,) = lines
    assert line.startswith(f"{tmp_path} {{'A': 'b'")


async def test_what_a_child_complains_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each line of standard error is a warning, with the number of the process."""
    async with connect(python("import sys; sys.stderr.write('one\\ntwo')")) as peer:
        await peer.wait_closed()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert caplog.messages == [f"child {pid(peer)}: one", f"child {pid(peer)}: two"]


# Ends


@both_loops
async def test_a_program_that_is_not_there() -> None:
    """ConnectionFailed, and no file is left open."""
    with pytest.raises(ConnectionFailed, match=r"cannot connect to exec:/no/such/program: .*No such file"):
        await connect("exec:/no/such/program")
    before = open_files()
    with pytest.raises(ConnectionFailed):
        await connect("exec:/no/such/program")
    assert open_files() == before


@both_loops
@pytest.mark.parametrize(("how", "status"), [("3", 3), ("killed", -signal.SIGKILL)])
async def test_a_child_that_dies(how: str, status: int) -> None:
    """All its calls end with its status, and what it said before is known by then."""
    lines: list[str] = []
    async with connect(worker(on_stderr=lines.append)) as peer:
        with pytest.raises(
            ConnectionLost, match=r"the child process (exited with status 3|was ended by signal 9)"
        ) as e:
            await peer.call(Raise(name=how))
        assert isinstance(e.value.__cause__, ChildExited)
        assert e.value.__cause__.status == status
        assert peer.end_reason is e.value.__cause__
        assert lines == [how]
    assert is_gone(pid(peer))


@both_loops
async def test_a_child_that_ends_well() -> None:
    """With status 0 it has closed the connection, as any other end may."""
    async with connect(python("")) as peer:
        await peer.wait_closed()
    assert str(peer.end_reason) == "the other end closed the connection"


@both_loops
async def test_a_child_that_does_not_speak_amp() -> None:
    """It is ended by a signal, and the reason is what was wrong with it."""
    async with connect(python("print('hello, world', flush=True); import time; time.sleep(60)")) as peer:
        await peer.wait_closed()
        assert isinstance(peer.end_reason, RemoteProtocolError)
    assert is_gone(pid(peer))


@both_loops
async def test_a_child_that_does_not_end() -> None:
    """One that ignores the end of its input is sent SIGTERM after the time for closing, and if need be SIGKILL."""
    for first in ("", "signal.signal(signal.SIGTERM, signal.SIG_IGN); "):
        code = f"import signal, time; {first}print(file=__import__('sys').stderr, flush=True); time.sleep(60)"
        started: asyncio.Queue[str] = asyncio.Queue()
        child = python(code, on_stderr=started.put_nowait)
        async with connect(child, options=Options(close_timeout=0.1)) as peer:
            await started.get()
        assert is_gone(pid(peer))


@both_loops
async def test_a_child_that_is_busy_when_its_connection_breaks() -> None:
    """Calls end at once; a child that does not heed SIGTERM is killed when its time is over."""
    started: asyncio.Queue[str] = asyncio.Queue()
    child = worker(on_stderr=started.put_nowait)
    async with connect(child, options=Options(close_timeout=0.1)) as peer:
        call = asyncio.create_task(peer.call(Stubborn(number=1)))
        assert await started.get() == "stubborn"
        await peer.close()
        with pytest.raises(ConnectionLost):
            await call
    assert is_gone(pid(peer))


@both_loops
async def test_a_child_that_closes_its_output() -> None:
    """It can answer nothing any more, so it is ended, and so are its calls."""
    code = "import os, time; os.close(1); time.sleep(60)"
    async with connect(python(code), options=Options(close_timeout=0.1)) as peer:
        with pytest.raises(ConnectionLost, match="ended by signal 15"):
            await peer.call(Sum(a=1, b=2))
    assert is_gone(pid(peer))


@both_loops
async def test_a_child_that_closes_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be asked nothing any more, so it is ended, and so are its calls."""
    monkeypatch.setattr("ampkit.asyncio.pipes._PATIENCE", 0.05)
    code = "import os, time; os.close(0); time.sleep(60)"
    async with connect(python(code), options=Options(close_timeout=0.1)) as peer:
        with pytest.raises(ConnectionLost, match="ended by signal 15"):
            await peer.call(Sum(a=1, b=2))
    assert is_gone(pid(peer))


@both_loops
async def test_a_child_whose_own_child_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls do not wait for others that hold its output open."""
    monkeypatch.setattr("ampkit.asyncio.process._OUTPUT_PATIENCE", 0.05)
    lines: list[str] = []
    code = (
        "import os, time\n"
        "number = os.fork()\n"
        "if number:\n"
        "    os.write(2, b'%d\\n' % number)\n"
        "    os._exit(4)\n"
        "time.sleep(60)\n"
    )
    async with connect(python(code, on_stderr=lines.append)) as peer:
        with pytest.raises(ConnectionLost, match="exited with status 4"):
            await peer.call(Sum(a=1, b=2))
    os.kill(int(lines[0]), signal.SIGKILL)


@both_loops
async def test_connecting_is_cancelled_in_any_turn_of_a_child() -> None:
    """No process and no file is left."""
    async with connect("exec:cat"):
        pass
    before = open_files()
    for turn in range(8):
        opening = asyncio.create_task(_connected("exec:cat"))
        await turns(turn)
        opening.cancel()
        (result,) = await asyncio.gather(opening, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError | type(None))
    await until(lambda: open_files() == before)


async def test_a_child_whose_pipes_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """ConnectionFailed, and the child is ended."""
    processes: list[subprocess.Popen[bytes]] = []

    async def connect_read_pipe(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(asyncio.get_running_loop(), "connect_read_pipe", connect_read_pipe)
    monkeypatch.setattr("ampkit.asyncio.process.watch", lambda _, process, __: processes.append(process))
    with pytest.raises(ConnectionFailed, match="no space"):
        await connect("exec:cat")
    (process,) = processes
    assert process.wait() == -signal.SIGKILL
    for file in (process.stdin, process.stdout, process.stderr):
        assert file is not None
        file.close()


@both_loops
async def test_an_exit_is_noticed_without_help_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no descriptors of processes, a thread waits."""
    monkeypatch.delattr(os, "pidfd_open")
    async with connect(python("import sys; sys.exit(7)")) as peer:
        await peer.wait_closed()
    assert isinstance(peer.end_reason, ChildExited)
    assert peer.end_reason.status == 7


async def _connected(address: str) -> None:
    async with connect(address):
        pass


# The child's end


async def run_here(code: str, stdin: bytes = b"") -> tuple[int | None, bytes, bytes]:
    """Run some lines with `ampkit` to their end, on pipes; returns status, output and errors."""
    pipe = asyncio.subprocess.PIPE
    words = [sys.executable, "-c", f"import ampkit, sys\n{code}"]
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(stdin)
    return process.returncode, out, err


async def test_a_child_ends_with_its_input() -> None:
    """When whoever started it is gone, `serve_stdio` returns."""
    assert await run_here("ampkit.run(ampkit.serve_stdio(None)); sys.exit(5)") == (5, b"", b"")


async def test_a_child_that_gets_what_is_not_amp() -> None:
    """`serve_stdio` raises what was wrong."""
    status, out, err = await run_here("ampkit.run(ampkit.serve_stdio(None))", b"hello, world")
    assert (status, out) == (1, b"")
    assert b"RemoteProtocolError: a key of 26725 bytes" in err


async def test_a_child_without_pipes(tmp_path: Path) -> None:
    """ConnectionFailed says that standard input and output must be pipes, and leaves them as they are."""
    code = "try: ampkit.run(ampkit.serve_stdio(None))\nexcept ampkit.ConnectionFailed as e: print(e)"
    with (tmp_path / "file").open("w+") as file:
        nothing = asyncio.subprocess.DEVNULL
        words = [sys.executable, "-c", f"import ampkit\n{code}"]
        process = await asyncio.create_subprocess_exec(*words, stdin=nothing, stdout=file)
        assert await process.wait() == 0
        assert "must be pipes or sockets" in (tmp_path / "file").read_text()


async def test_a_child_without_standard_error() -> None:
    """What it prints goes nowhere then."""
    code = "import ampkit, asyncio; asyncio.run(ampkit.serve_stdio(None)); print('x')"
    line = f'{sys.executable} -c "{code}" 2>&-; echo $?'
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_shell(line, stdin=pipe, stdout=pipe)
    out, _ = await process.communicate(b"")
    assert out == b"0\n"


async def test_a_child_may_connect_to_stdio() -> None:
    """`connect("stdio:")` gives the peer, for a child that calls first."""
    code = (
        "from tests.asyncio.office import Sum\n"
        "async def main():\n"
        "    async with ampkit.connect('stdio:') as peer:\n"
        "        total = await peer.call(Sum(a=13, b=81))\n"
        "        print(peer, total, file=sys.stderr)\n"
        "ampkit.run(main())"
    )
    lines: list[str] = []
    child = Child(sys.executable, "-c", f"import ampkit, sys\n{code}", cwd=ROOT, on_stderr=lines.append)
    async with ampkit.connect(child, Office()) as peer:
        await peer.wait_closed()
    assert lines == ["<Peer stdio: open> Total(total=94)"]
