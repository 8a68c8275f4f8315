"""Runs other projects' test-suites with their own runner, on our module or on Twisted's own; knows no suite."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SITE = Path(__file__).parent / "site"
TRIAL = f"{sysconfig.get_path('scripts')}/trial"
LIMIT_S = 280


@dataclass(frozen=True)
class Report:
    """What trial said at the end, and what each process left as evidence."""

    verdict: str
    counts: dict[str, int]
    """`successes`, and whatever else there was: `skips`, `failures`, `errors`, ..."""
    evidence: list[dict[str, Any]]
    output: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.counts}\n{self.output[-5_000:]}"


def trial(folder: Path, *arguments: str, ours: bool = True, **environment: str) -> Report:
    """Run trial in a child process and an empty folder.

    Raises `subprocess.TimeoutExpired` after `LIMIT_S`, ValueError if it ends without a verdict, or runs on the wrong
    module.
    """
    folder.mkdir()
    file = folder / "evidence"
    done = subprocess.run(
        [sys.executable, TRIAL, f"--temp-directory={folder / 'trial'}", *arguments],
        cwd=folder,
        env=surroundings(ours) | {"AMPKIT_EVIDENCE": str(file), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=LIMIT_S,
        check=False,
    )
    if file.exists() is not ours:  # Python goes on when sitecustomize fails
        raise ValueError(f"not on the module that was wanted: {done.stdout[-5_000:]}")
    return report(done.stdout, [json.loads(line) for line in file.read_text().splitlines()] if ours else [])


def surroundings(ours: bool) -> dict[str, str]:
    """The environment of a child: with our module in Twisted's place, or as it is."""
    inherited = [str(Path(each).resolve()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    path = [str(SITE), str(ROOT), *inherited] if ours else inherited
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def report(output: str, evidence: list[dict[str, Any]]) -> Report:
    """Read trial's last line."""
    verdicts = re.findall(r"^(PASSED|FAILED) \((.*)\)$", output, re.MULTILINE)
    if not verdicts:
        raise ValueError(f"no verdict: {output[-5_000:]}")
    verdict, counted = verdicts[-1]
    counts = dict(item.split("=") for item in counted.split(", "))
    return Report(verdict, {name: int(number) for name, number in counts.items()}, evidence, output)
