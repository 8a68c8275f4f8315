"""The `ampkit` command as a whole: its help, its version, and what it says when its extra is missing."""

from importlib.metadata import version

import pytest

from ampkit.cli import main, program
from ampkit.speed import DESCRIPTION
from tests.cli import running

SUBCOMMANDS = ["serve", "call", "dump", "demo"]


def test_help_lists_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments it says what it can do."""
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(f" {name} " in out for name in SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each subcommand's help shows what to type."""
    assert main([name, "--help"]) == 0
    assert f"    ampkit {name}" in capsys.readouterr().out


def test_version() -> None:
    """`ampkit --version` is the version of the package and which twin runs, also by `python -m ampkit`."""
    finished = running.ampkit("--version")
    assert (finished.returncode, finished.stdout) == (0, f"{version('ampkit')} ({DESCRIPTION})\n")


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_the_extra_is_missing(missing: str) -> None:
    """One line says what to install."""
    finished = running.ampkit("demo", python=f"import sys; sys.modules[{missing!r}] = None")
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == "The ampkit command needs its extra: pip install 'ampkit[cli]'\n"


def test_something_else_is_missing() -> None:
    """Any other module that cannot be imported is no matter of the extra."""
    finished = running.ampkit("demo", python="import sys; sys.modules['ampkit.cli.call'] = None")
    assert "ModuleNotFoundError: import of ampkit.cli.call halted" in finished.stderr


def test_the_library_does_not_need_the_command() -> None:
    """`import ampkit` loads neither the command line nor what it is built on."""
    code = "import ampkit, ampkit.asyncio.server, sys; print([m for m in sys.modules if m.startswith(NAMES)])"
    names = ("ampkit.cli", "cyclopts", "rich")
    finished = running.ampkit(python=f"NAMES = {names!r}; {code}; sys.exit()")
    assert finished.stdout == "[]\n"


def test_an_unknown_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is one line."""
    assert main(["sing"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith('ampkit: Unknown command "sing".')
    assert err.endswith(" See --help.\n")


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the exit code that shells give it, without a traceback."""

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_run", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_terminal_without_the_characters() -> None:
    """What the encoding of the output lacks is escaped."""
    box = b"\0\1a\0\3\xe2\x82\xac\0\0"
    finished = running.ampkit("dump", "-", stdin=box, python="import sys; sys.stdout.reconfigure(encoding='ascii')")
    assert finished.stdout == "a: \\u20ac\n\n"
