"""Puts our module in Twisted's place in every Python that has this folder on its path; at their end they testify to it.

The first two statements are what `docs/migration.md` recommends. The others are for the tests: a program that is
spared, a fault to plant, and the file in which each process leaves a line about whose `AMP` its classes inherit from.
"""

import atexit
import json
import os
import sys
from pathlib import Path

import ampkit.twisted

ampkit.twisted.install()
if Path(sys.argv[0]).name == os.environ.get("AMPKIT_SPARED"):
    ampkit.twisted.uninstall()

from ampkit.twisted import _stock, amp  # noqa: E402
from tests.twisted.acceptance.faults import FAULTS  # noqa: E402


def testify(file: Path) -> None:
    """Append what this process is, and the names of its classes under either AMP."""
    classes = {"ours": amp.AMP, "stock": _stock.stock.AMP}
    names = {whose: [cls.__name__ for cls in base.__subclasses__()] for whose, base in classes.items()}
    with file.open("a") as lines:
        lines.write(json.dumps({"program": Path(sys.argv[0]).name, **names}) + "\n")


if fault := os.environ.get("AMPKIT_FAULT"):
    FAULTS[fault].plant()
if evidence := os.environ.get("AMPKIT_EVIDENCE"):
    atexit.register(testify, Path(evidence))
if python := os.environ.get("AMPKIT_PYTHON"):
    sys.executable = python  # for programs that start their children without this environment
