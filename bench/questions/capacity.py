"""How many calls a second does one server process answer, when a client in C always has more?"""

from __future__ import annotations

import json
import subprocess
import time
from functools import cache, partial
from pathlib import Path

from bench.children import ROOT, TIMEOUT_S, server
from bench.job import Sample, cpu_seconds
from bench.question import Question, against_twisted
from bench.subjects import AMPKIT, FAST, FAST_UVLOOP, PURE, PURE_UVLOOP, TWISTED, Subject

CONNECTIONS = 4
DEPTH = 64


@cache
def generator() -> Path:
    """The load generator, built if its source is newer. Raises `subprocess.CalledProcessError` if that fails."""
    source, program = ROOT / "bench/load.c", ROOT / "build/bench/load"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return program


def capacity(responder: str, subject: Subject, count: int, _: int) -> Sample:
    """Seconds that the server takes for each call, and how much of a core it uses meanwhile; it should be all of it."""
    with server(subject, responder) as (address, pids):
        load = [str(generator()), address, str(CONNECTIONS), str(DEPTH)]
        subprocess.run([*load, str(count // 4)], stdout=subprocess.DEVNULL, check=True, timeout=TIMEOUT_S)
        began, cpu = time.perf_counter(), cpu_seconds(pids)
        done = subprocess.run([*load, str(count)], stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_S)
        ended, cpu = time.perf_counter(), cpu_seconds(pids) - cpu
    seconds = json.loads(done.stdout)["seconds"]
    return {
        "cost": seconds / count * 1e6,
        "rate": count / seconds,
        "server": cpu / count * 1e6,
        "busy": min(cpu / (ended - began), cpu / seconds) * 100,
    }


def _question(name: str, responder: str, goal: float) -> Question:
    return Question(
        name,
        f"server capacity, {responder} responder",
        (TWISTED, *AMPKIT),
        20_000,
        partial(capacity, responder),
        against_twisted(TWISTED, {PURE: None, PURE_UVLOOP: None, FAST: None, FAST_UVLOOP: goal}),
        ("rate", "server", "busy"),
        unit="wall",
        needs="cc",
    )


QUESTIONS = [_question("capacity_plain", "plain", 50), _question("capacity_coroutine", "coroutine", 20)]
