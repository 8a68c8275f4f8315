"""Measures in fresh child processes, one subject in each; knows command lines and pids, not what is asked."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.job import Job, Sample
from bench.subjects import Subject

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 600


def both_ends(subject: Subject, job: Job) -> Sample:
    """What a server and a client together report of a job."""
    with server(subject) as (address, pids):
        return printed_by(subject, f"bench.ends.{subject.end}", "call", address, replace(job, pids=pids).to_json())


@contextmanager
def server(subject: Subject, responder: str = "plain") -> Generator[tuple[str, tuple[int, ...]]]:
    """A server: its address, and the processes that it consists of. It is ended by its handle."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", f"bench.ends.{subject.end}", "serve", address, responder]
        environment = subject.variables()
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                word, *pids = (process.stdout.readline() if process.stdout else "").split() or [""]
                if word != "READY":
                    raise RuntimeError(f"{subject.name} did not start to serve")
                yield address, tuple(map(int, pids))
            finally:
                process.terminate()


def printed_by(subject: Subject, module: str, *arguments: str) -> Sample:
    """The sample that a child prints.

    Raises `subprocess.SubprocessError` if it fails or takes more than `TIMEOUT_S`, `ValueError` if it prints none.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=subject.variables(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    sample: Sample = json.loads(done.stdout)
    return sample
