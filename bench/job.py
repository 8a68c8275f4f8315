"""What one client process is told to do, what it reports, and the clocks that both read; knows no library."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

Sample: TypeAlias = dict[str, float]
"""What one measurement found. `cost` is what its question compares; the names of the others are in `bench.table`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a client does, and whose clocks it reads."""

    pids: tuple[int, ...] = ()
    """The processes of the server: their CPU time counts too."""
    count: int
    outstanding: int = 1
    """On one connection; `count` is a multiple of it."""
    connections: int = 1
    """If more than one, each has one call outstanding."""
    idle: int = 0
    """Connections that say nothing meanwhile."""
    style: str = "tasks"
    """Of ampkit: `tasks` that await one call after another, or `many`, calls that are awaited at once."""
    size: int = 0
    """Bytes to echo; 0 asks for a sum."""

    def to_json(self) -> str:
        """Write it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        fields["pids"] = tuple(fields["pids"])
        return cls(**fields)


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have used, all threads together.

    Linux makes the number of a process's CPU clock of its pid, as clock_getcpuclockid(3) does.
    """
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of these processes that is in RAM."""
    pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in pids)
    return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE")
