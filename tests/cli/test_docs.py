"""`docs/command-line.md`: what it shows is what happens."""

import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from ampkit.cli import main
from tests.cli.running import ENVIRONMENT, ROOT, next_line, running

TEXT = (ROOT / "docs" / "command-line.md").read_text()
SHOWN_ADDRESS = "tcp://127.0.0.1:1234"
TYPED = re.compile(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)
SCRIPTS: list[str] = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    """What the first command of the page starts."""
    with running("serve", "calculator:Calculator", "tcp://127.0.0.1:0", cwd=ROOT / "examples") as process:
        yield next_line(process)


def test_the_first_command_starts_the_server() -> None:
    """The page begins with the command that the fixture runs."""
    assert SCRIPTS[0] == f"$ ampkit serve calculator:Calculator {SHOWN_ADDRESS}\n{SHOWN_ADDRESS}\n"


@pytest.mark.parametrize("script", SCRIPTS[1:], ids=range(1, len(SCRIPTS)))
def test_what_is_typed_prints_what_is_shown(
    script: str, server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command prints the lines below it."""
    (folder / "calculator.py").symlink_to(ROOT / "examples" / "calculator.py")
    for command, shown in TYPED.findall(script):
        if command.startswith("ampkit "):
            main(shlex.split(command.replace(SHOWN_ADDRESS, server))[1:])
            printed = "".join(capsys.readouterr())
        else:
            printed = in_a_shell(command)
        assert printed == shown


def in_a_shell(command: str) -> str:
    """Run what is more than one `ampkit` command; returns what a terminal would show."""
    shell = f'ampkit() {{ {sys.executable} -m ampkit "$@"; }}; {command}'
    finished = subprocess.run(
        ["sh", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT, check=False
    )
    return finished.stdout
