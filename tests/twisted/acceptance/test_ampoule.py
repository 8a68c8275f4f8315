"""ampoule, a pool of processes that speak AMP over pipes, is the public program that uses the most of its names."""

import os
import sys
from pathlib import Path

import pytest

from tests.twisted.acceptance.suites import surroundings, trial

LEAST = 34


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A Python with our module in Twisted's place whatever environment it gets: ampoule's children get an empty one."""
    script = tmp_path / "python"
    path = surroundings(ours=True)["PYTHONPATH"]
    settings = f"AMPKIT_EVIDENCE='{tmp_path}/ours/evidence' PYTHONPATH=\"{path}{os.pathsep}$PYTHONPATH\""
    script.write_text(f"#!/bin/sh\n{settings} exec '{sys.executable}' \"$@\"\n")
    script.chmod(0o755)
    return str(script)


@pytest.mark.minute
@pytest.mark.timeout(300)
def test_its_suite_passes(python: str, tmp_path: Path) -> None:
    """Unedited, with our module in the parent and in its children, which are a hundred or so."""
    ours = trial(tmp_path / "ours", "ampoule", AMPKIT_PYTHON=python)
    assert ours.verdict == "PASSED", ours
    assert ours.counts == {"successes": ours.counts["successes"]}
    assert ours.counts["successes"] >= LEAST
    children = [each for each in ours.evidence if each["program"] == "-c"]
    assert any(each["ours"] for each in children)
    assert not any(each["stock"] for each in ours.evidence)
