"""Who is measured: the name of each, the program that is its ends, its environment, what it needs; measures nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec

COMPILED = "ampkit's compiled module"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One who answers the questions; the name is unique."""

    name: str
    end: str
    """The module in `bench.ends`."""
    pace: float = 1
    """How many times Twisted's number of calls it makes in a round, so that all are watched for about as long."""
    needs: tuple[str, ...] = ()
    """Modules that it imports, programs that it starts, or COMPILED."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def variables(self) -> dict[str, str]:
        """The environment of its processes. What the runner was given of these variables does not count."""
        others = {name: value for name, value in os.environ.items() if name not in {"AMPKIT_PURE", "BENCH_LOOP"}}
        return {**others, **self.environment}

    def lacks(self) -> list[str]:
        """What is not here of what it needs."""
        return [need for need in self.needs if not _is_here(need)]


@cache
def _is_here(need: str) -> bool:
    if need == COMPILED:
        return is_compiled()
    try:
        return find_spec(need) is not None or shutil.which(need) is not None
    except ModuleNotFoundError:  # the package above it
        return False


def is_compiled() -> bool:
    """Whether ampkit runs compiled, where nobody asks it for pure Python; one without a module `speed` does not."""
    code = "import ampkit.speed, sys; sys.exit(not ampkit.speed.is_compiled)"
    environment = {name: value for name, value in os.environ.items() if name != "AMPKIT_PURE"}
    return (
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False).returncode == 0
    )


_PURE = {"AMPKIT_PURE": "1"}
_UVLOOP = {"BENCH_LOOP": "uvloop"}

TWISTED = Subject("Twisted AMP", "twisted_sum", 1, ("twisted",))
TWISTED_ASYNCIO = Subject("Twisted AMP, asyncio reactor", "twisted_sum", 1, ("twisted",), {"BENCH_REACTOR": "asyncio"})

PURE = Subject("ampkit, pure", "ampkit_sum", 4, (), _PURE)
PURE_UVLOOP = Subject("ampkit, pure, uvloop", "ampkit_sum", 5, ("uvloop",), {**_PURE, **_UVLOOP})
FAST = Subject("ampkit, compiled", "ampkit_sum", 8, (COMPILED,))
FAST_UVLOOP = Subject("ampkit, compiled, uvloop", "ampkit_sum", 12, (COMPILED, "uvloop"), _UVLOOP)
AMPKIT = (PURE, PURE_UVLOOP, FAST, FAST_UVLOOP)

FACE = Subject("Twisted face, pure", "face_sum", 4, ("twisted",), _PURE)
FAST_FACE = Subject("Twisted face, compiled", "face_sum", 8, ("twisted", COMPILED))

RAW = Subject("bare asyncio", "raw_sum", 20)
RAW_UVLOOP = Subject("bare uvloop", "raw_sum", 20, ("uvloop",), _UVLOOP)
OTHERS = (
    Subject("gRPC", "grpc_sum", 0.5, ("grpc", "google.protobuf")),
    Subject("RPyC", "rpyc_sum", 1, ("rpyc",)),
    Subject("Pyro5", "pyro5_sum", 1, ("Pyro5",)),
    Subject("MessagePack-RPC", "msgpack_sum", 4, ("msgpack",)),
    Subject("JSON over HTTP", "http_sum", 0.5, ("aiohttp",)),
    Subject("NATS", "nats_sum", 1, ("nats", "nats-server")),
)
EVERYBODY = (TWISTED, TWISTED_ASYNCIO, *AMPKIT, *OTHERS, RAW, RAW_UVLOOP)
