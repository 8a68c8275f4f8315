"""The environment decides which twin runs, and whatever has no twin runs in Python."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ampkit.speed import DESCRIPTION, compiled, is_compiled, twin

SHOW = "import ampkit.speed; print(ampkit.speed.DESCRIPTION)"
WITHOUT = "import sys; sys.modules['ampkit._speed'] = None; "


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has none of the variables but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPKIT_")}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True, check=False)


def test_pure_python_on_demand() -> None:
    """With AMPKIT_PURE=1 the Python runs, whether a compiled module is there or not."""
    assert run(SHOW, AMPKIT_PURE="1").stdout == "pure Python\n"


def test_its_absence_is_no_error() -> None:
    """Without a compiled module the Python runs, and nobody is told."""
    done = run(WITHOUT + SHOW)
    assert (done.stdout, done.stderr) == ("pure Python\n", "")


def test_its_absence_is_an_error_on_demand() -> None:
    """With AMPKIT_REQUIRE_SPEED=1 importing ampkit without a compiled module fails, and says why."""
    done = run(WITHOUT + SHOW, AMPKIT_REQUIRE_SPEED="1")
    assert done.returncode == 1
    assert "AMPKIT_REQUIRE_SPEED=1, and the compiled module cannot be loaded: " in done.stderr


def test_the_two_demands_exclude_each_other() -> None:
    """Whoever demands both is told so."""
    done = run(SHOW, AMPKIT_PURE="1", AMPKIT_REQUIRE_SPEED="1")
    assert "exclude each other" in done.stderr


@pytest.mark.skipif(not is_compiled, reason="there is no compiled module")
def test_the_compiled_module_runs_where_it_is() -> None:
    """Where a compiled module is, it runs without being asked for."""
    assert run(SHOW).stdout == "compiled\n"
    assert run(SHOW, AMPKIT_REQUIRE_SPEED="1").stdout == "compiled\n"


def test_what_has_no_twin_runs_in_python() -> None:
    """`twin` returns what the compiled module has of a name, and else what it was given."""
    python = object()
    assert twin("there_is_no_such_thing", python) is python
    assert (twin("Decoder", python) is not python) is is_compiled
    assert (DESCRIPTION == "compiled") is is_compiled
    assert (compiled is not None) is is_compiled
