"""What the figures depend on: machine, versions, command; and how many files a process may have open here."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("ampkit", "twisted", "uvloop", "grpcio", "rpyc", "pyro5", "msgpack", "aiohttp", "nats-py")

SPARE_FILES = 100
"""What a process needs beside the connections that are counted."""


def conditions(compiled: bool) -> dict[str, Any]:
    """Facts for above the tables."""
    return {
        "command": " ".join(["python", "-m", "bench", *sys.argv[1:]]),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [os.getloadavg()[0]],
        "compiled": compiled,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "nats-server": _nats_server(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return ""


def _nats_server() -> str | None:
    program = shutil.which("nats-server")
    if program is None:
        return None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("nats-server:").strip() or None


def allow_files() -> int:
    """Let this process and its children open as many files as the system lets them; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize
