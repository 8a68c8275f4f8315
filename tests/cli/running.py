"""Runs the real `ampkit` command as a child process; knows none of its subcommands."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

ROOT = Path(__file__).parents[2]
AMPKIT = [sys.executable, "-m", "ampkit"]
ENVIRONMENT = {**os.environ, "COLUMNS": "100"}


RUN_MAIN = "import sys; from ampkit.cli import main; sys.exit(main())"


def ampkit(*arguments: str, stdin: bytes = b"", python: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `python` is code to run before it."""
    command = AMPKIT if python is None else [sys.executable, "-c", f"{python}; {RUN_MAIN}"]
    finished = subprocess.run(
        [*command, *arguments], input=stdin, capture_output=True, cwd=ROOT, env=ENVIRONMENT, timeout=30, check=False
    )
    out, err = finished.stdout.decode(), finished.stderr.decode()
    return subprocess.CompletedProcess(finished.args, finished.returncode, out, err)


def _heed_interrupts() -> None:
    """Do not inherit that whoever runs the tests in the background ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(*arguments: str, cwd: Path = ROOT, own_group: bool = False) -> Generator[subprocess.Popen[str]]:
    """Run it beside the test, in a group of processes of its own if need be; end it with the block at the latest."""
    command = [*AMPKIT, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        process_group=0 if own_group else None,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - it runs nothing but one call of the system
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def write(process: subprocess.Popen[str], data: bytes) -> None:
    """Write to its standard input."""
    assert isinstance(process.stdin, TextIOWrapper)
    process.stdin.buffer.write(data)
    process.stdin.flush()


def next_line(process: subprocess.Popen[str]) -> str:
    """Wait for the next line on its standard output, without the end of the line."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")
