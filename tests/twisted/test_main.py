"""`python -m ampkit.twisted`: a program runs on our module without a change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from twisted.protocols import amp
print(__name__, amp.__name__, sys.argv[1:])
"""


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a child process."""
    command = [sys.executable, "-m", "ampkit.twisted", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=30, check=False)


def test_the_program_finds_our_module_under_twisted_s_name(tmp_path: Path) -> None:
    """It is `__main__`, has its own arguments, and imports ours."""
    (tmp_path / "program.py").write_text(PROGRAM)
    finished = run("program", "--one", "two", cwd=tmp_path)
    assert (finished.stdout, finished.stderr) == ("__main__ ampkit.twisted.amp ['--one', 'two']\n", "")


def test_without_a_module_it_says_how() -> None:
    """Exit code 2 and a usage line; with --help it is no mistake."""
    assert run().returncode == 2
    assert run("--help").returncode == 0
    assert run().stderr.startswith("usage: python -m ampkit.twisted MODULE")
