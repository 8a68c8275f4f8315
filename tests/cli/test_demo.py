"""`ampkit demo`: the story, and that it notices when it is not true."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Generator

import pytest

from ampkit.cli import main
from ampkit.cli.demo import children, command, story
from ampkit.cli.demo.children import StoryBroken, child
from ampkit.cli.demo.narrator import Narrator
from tests.cli import running

WITHOUT_TWISTED = "import sys; sys.modules['twisted'] = None"
CHAPTERS = [
    "Two programs agree on commands",
    "One program serves",
    "Another program calls",
    "The server calls the client",
    "An error crosses the wire",
    "64 calls in flight",
    "The same client, and a server that is Twisted's",
    "The same server, and a client that is Twisted's",
    "The same Twisted program, on ampkit",
]


@pytest.fixture(scope="module")
def told() -> subprocess.CompletedProcess[str]:
    """The whole story, told without a terminal and with nothing on standard input."""
    return running.ampkit("demo")


@pytest.mark.interop
def test_the_story_is_true(told: subprocess.CompletedProcess[str]) -> None:
    """All its chapters happen, those with Twisted too."""
    assert (told.returncode, told.stderr) == (0, "")
    assert re.findall(r"^\d\. (.*?) ─", told.stdout, re.MULTILINE) == CHAPTERS
    said = re.findall(r"^([^\d\n]+) \d+ │ (.*)$", told.stdout, re.MULTILINE)
    assert [name for name, line in said if line == "ZeroDivisionError: division by zero"] == [
        "client",
        "client",
        "Twisted client",
        "Twisted client on ampkit",
    ]
    assert len([line for _, line in said if re.fullmatch(r"[\d,]+ calls, 64 at a time: [\d,]+ a second", line)]) == 2


@pytest.mark.interop
def test_no_colours_without_a_terminal(told: subprocess.CompletedProcess[str]) -> None:
    """What goes into a file is plain text."""
    assert "\x1b" not in told.stdout
    assert [line for line in told.stdout.splitlines() if line != line.rstrip() and "│" in line] == []


def test_two_processes(told: subprocess.CompletedProcess[str]) -> None:
    """Server and client say who they are, and they are two processes."""
    match = re.search(r"client (\d+) │ Hello process (\d+), I am process (\d+)", told.stdout)
    assert match
    assert match[1] == match[2] != match[3]


def test_without_twisted() -> None:
    """Its part is left out, with a line on how to get it, and that is no failure; nor is a closed standard input."""
    finished = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" demo <&-', sys.executable, f"{WITHOUT_TWISTED}; {running.RUN_MAIN}"],
        capture_output=True,
        text=True,
        env=running.ENVIRONMENT,
        timeout=30,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "Twisted is not installed. To see its part, too: pip install 'ampkit[twisted]'\n" in finished.stdout
    assert CHAPTERS[5] in finished.stdout
    assert CHAPTERS[6] not in finished.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_its_children(number: signal.Signals) -> None:
    """Told to stop, it leaves no server behind, and no traceback."""
    with running.running("demo") as process:
        pid = int(next(server_pids(process)))
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def server_pids(process: subprocess.Popen[str]) -> Generator[str]:
    """Wait until the server of the story has said where it listens."""
    while True:
        line = running.next_line(process)
        if match := re.match(r"server (\d+) │ ", line):
            yield match[1]


async def test_another_line_than_told() -> None:
    """The story breaks off at a line that it did not tell."""
    async with child("poet", "this") as poet:
        with pytest.raises(StoryBroken, match="the poet should have said: The Tao of Python"):
            await story.hear(Narrator(), poet, "The Tao of Python")


async def test_an_early_end() -> None:
    """A program that says too little breaks the story, and what it complained of is kept."""
    async with child("parser", "json.tool", "/nowhere") as parser:
        with pytest.raises(StoryBroken, match="the parser ended too early") as caught:
            await parser.next_line()
    assert "No such file or directory: '/nowhere'" in caught.value.lines[-1]


async def test_a_failure_at_the_end() -> None:
    """A program that fails when all is said breaks the story."""
    async with child("parser", "json.tool", "/nowhere") as parser:
        with pytest.raises(StoryBroken, match=r"the parser ended with exit code \d"):
            await parser.wait_ended()


async def test_a_program_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The story does not wait for ever."""
    async with child("listener", "http.server", "--bind", "127.0.0.1", "0") as listener:
        assert "Serving HTTP" in await listener.next_line()
        with monkeypatch.context() as patch:
            patch.setattr(children, "PATIENCE", 0.01)
            for waiting in (listener.next_line, listener.wait_ended):
                with pytest.raises(StoryBroken, match="the listener did nothing for 0 s"):
                    await waiting()


async def test_a_program_that_does_not_heed_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(running.ROOT), os.environ.get("PYTHONPATH", "")]))
    async with child("stubborn", "tests.cli.stubborn") as stubborn:
        assert await stubborn.next_line() == "I stay"
        monkeypatch.setattr(children, "PATIENCE", 0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(stubborn.pid, 0)


def test_a_story_that_is_not_true(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code says so, behind what the program complained of."""

    async def tell(_: Narrator) -> None:
        raise StoryBroken("the client ended too early", ["Traceback", "\x1b[31mError"])

    monkeypatch.setattr(command, "tell", tell)
    assert main(["demo"]) == 1
    out, err = capsys.readouterr()
    assert "Traceback\n" in out
    assert "\x1b" not in out
    assert err == "ampkit: the story is not true: the client ended too early\n"


def test_colours_on_a_terminal() -> None:
    """A terminal gets colours."""
    ours, theirs = pty.openpty()
    code = "from ampkit.cli.demo.narrator import Narrator; Narrator().heard('server', 'hello')"
    environment = {**running.ENVIRONMENT, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=environment, timeout=30, check=True)
    os.close(theirs)
    assert b"\x1b[32mhello" in os.read(ours, 1_000)
    os.close(ours)
