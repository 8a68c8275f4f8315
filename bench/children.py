"""Measures in fresh child processes, one library in each; knows command lines, not what is asked."""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 300


def codec(question: str, library: str, count: int) -> float:
    """CPU seconds of `count` operations of the codec question in the module of that name."""
    return number_from("bench.codec", question, library, str(count))


def live(library: str, style: str, count: int, outstanding: int) -> float:
    """CPU seconds of a server and a client together for `count` calls over a unix socket."""
    module = f"bench.ends.{library}_sum"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        with server(module, path):
            return number_from(module, "call", path, style, str(count), str(outstanding))


@contextmanager
def server(module: str, path: str) -> Generator[None]:
    """A server process that listens on `path`, ended by its handle."""
    command = [sys.executable, "-m", module, "serve", path]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "READY\n":
                raise RuntimeError(f"{module} did not start to serve")
            yield
        finally:
            process.terminate()


def number_from(module: str, *arguments: str) -> float:
    """The number that a child prints.

    Raises `subprocess.SubprocessError` if it fails or takes more than `TIMEOUT_S`, `ValueError` if it prints none.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S)
    return float(done.stdout)
