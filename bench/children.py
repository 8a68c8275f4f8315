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
    """What a server and a client together report of a job. They start side by side, and meet when both are ready."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _started(subject, f"bench.ends.{subject.end}", "call", f"{folder}/socket") as client,
        _serving(subject, f"{folder}/socket") as pids,
    ):
        return _sample(client, replace(job, pids=pids).to_json() + "\n")


@contextmanager
def server(subject: Subject, responder: str) -> Generator[tuple[str, tuple[int, ...]]]:
    """A server: its address, and the processes that it consists of."""
    with tempfile.TemporaryDirectory() as folder, _serving(subject, f"{folder}/socket", responder) as pids:
        yield f"{folder}/socket", pids


def printed_by(subject: Subject, module: str, *arguments: str) -> Sample:
    """The sample that a child prints. Raises `RuntimeError` if it fails, `subprocess.TimeoutExpired` if it lasts."""
    with _started(subject, module, *arguments) as child:
        return _sample(child, "")


def _sample(child: subprocess.Popen[str], text: str) -> Sample:
    printed, _ = child.communicate(text, timeout=TIMEOUT_S)
    if child.returncode:
        raise RuntimeError(f"{child.args!r} ended with status {child.returncode}")
    sample: Sample = json.loads(printed)
    return sample


@contextmanager
def _serving(subject: Subject, address: str, responder: str = "plain") -> Generator[tuple[int, ...]]:
    with _started(subject, f"bench.ends.{subject.end}", "serve", address, responder) as child:
        word, *pids = (child.stdout.readline() if child.stdout else "").split() or [""]
        if word != "READY":
            raise RuntimeError(f"{subject.name} did not start to serve")
        yield tuple(map(int, pids))


@contextmanager
def _started(subject: Subject, module: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A child, ended by its handle."""
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=subject.variables(), stdin=pipe, stdout=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.terminate()
