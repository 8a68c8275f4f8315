"""The programs in README.md and docs/: each runs, and prints what its page says it prints.

A program is a fenced `python` block whose first line is `# file: NAME.py`. It runs in a folder of its own, beside the
programs that stand before it on its page. If the next fenced block is a `text` one, that is its output.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# file: (\w+\.py)\n")
SECONDS = 20


@dataclass(frozen=True)
class Program:
    """One program, and what is known of it."""

    page: str
    name: str
    files: tuple[tuple[str, str], ...]
    """Names and texts of the programs of the page so far, this one last."""
    output: str | None
    """What it prints, if the page says so."""


def programs(page: str, text: str) -> list[Program]:
    """Find the programs of a page."""
    found: list[Program] = []
    files: list[tuple[str, str]] = []
    blocks = [match.groups() for match in BLOCK.finditer(text)]
    for (language, code), (next_language, next_text) in pairwise([*blocks, ("", "")]):
        name = NAME.match(code)
        if language == "python" and name is not None:
            files.append((name[1], code))
            output = next_text if next_language == "text" else None
            found.append(Program(page, name[1], tuple(files), output))
    return found


ALL = [program for page in PAGES for program in programs(page.relative_to(ROOT).as_posix(), page.read_text("utf-8"))]


def run(program: Program, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with warnings as errors."""
    for name, code in program.files:
        (folder / name).write_text(code, "utf-8")
    return subprocess.run(
        [sys.executable, "-W", "error", program.name],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("program", ALL, ids=lambda program: f"{program.page}:{program.name}")
def test_a_program_does_what_its_page_says(program: Program, tmp_path: Path) -> None:
    """It ends by itself, without an error, and its output is that of the page."""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    if program.output is not None:
        assert done.stdout == program.output


def test_the_pages_have_programs() -> None:
    """The readme and the page about the core have at least one each, so that this file cannot pass by finding none."""
    assert {"README.md", "docs/sans-io.md"} <= {program.page for program in ALL}


PAGE = """
```python
# file: first.py
NAME = "first"
```

Prose.

```python
print("no program: it has no name")
```

```python
# file: second.py
from first import NAME
print(NAME, "\u00e9")
```

```text
first \u00e9
```

```python
# file: third.py
raise SystemExit("broken")
```
"""


def test_programs_are_found_and_run(tmp_path: Path) -> None:
    """With the files before them, with the output behind them, and with their errors."""
    first, second, third = programs("page.md", PAGE)
    assert (first.output, second.output, third.output) == (None, "first \u00e9\n", None)
    assert run(second, tmp_path).stdout == second.output
    failed = run(third, tmp_path)
    assert (failed.returncode, failed.stderr) == (1, "broken\n")
