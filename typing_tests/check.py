"""Runs mypy and pyright over the files beside this one: exactly the marked lines must fail, with the marked codes.

A mark is a comment at the end of a line, `# error: mypy=arg-type, pyright=reportArgumentType`; several codes have
blanks between them. Exit code 1 and a line for each difference if a checker is silent where it must complain, complains
where it must not, or uses other codes. `assert_type` in the right files says what must be inferred.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
FILES: Final = sorted(path.relative_to(ROOT).as_posix() for path in HERE.glob("*.py") if path.name != "check.py")

MARK: Final = re.compile(r"# error: mypy=([a-z -]+), pyright=([\w ]+)$")
MYPY_LINE: Final = re.compile(r"(.+?):(\d+): error: .*\[([a-z-]+)\]$")

Place: TypeAlias = tuple[str, int]
Codes: TypeAlias = dict[Place, set[str]]
"""The codes of the complaints about each line of each file."""


def marked() -> tuple[Codes, Codes]:
    """Read what mypy and pyright must say."""
    mypy: Codes = {}
    pyright: Codes = {}
    for file in FILES:
        for number, line in enumerate((ROOT / file).read_text("utf-8").splitlines(), start=1):
            if mark := MARK.search(line):
                mypy[file, number], pyright[file, number] = set(mark[1].split()), set(mark[2].split())
            elif "# error:" in line:
                sys.exit(f"{file}:{number}: this mark cannot be read; write # error: mypy=CODES, pyright=CODES")
    return mypy, pyright


def run(module: str, *options: str) -> str:
    """Run a checker over the files and return what it prints. Complaints are exit code 1, and expected."""
    command = [sys.executable, "-m", module, *options, *FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(f"{module} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def mypy_says() -> Codes:
    """Run mypy --strict."""
    said: Codes = {}
    for line in run("mypy", "--strict", "--hide-error-context", "--no-pretty", "--no-error-summary").splitlines():
        found = MYPY_LINE.match(line)
        if found is None and ": note: " not in line:
            sys.exit(f"mypy said something unexpected: {line}")
        if (
            found is not None and (file := Path(found[1]).as_posix()) in FILES
        ):  # mistakes elsewhere are not ours to find
            said.setdefault((file, int(found[2])), set()).add(found[3])
    return said


def pyright_says() -> Codes:
    """Run pyright."""
    said: Codes = {}
    report = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable))
    for complaint in report["generalDiagnostics"]:
        if complaint["severity"] == "error":
            file = Path(complaint["file"]).resolve().relative_to(ROOT).as_posix()
            place = file, complaint["range"]["start"]["line"] + 1
            said.setdefault(place, set()).add(complaint.get("rule", "syntax"))
    return said


def differences(checker: str, expected: Codes, said: Codes) -> Iterable[str]:
    """Describe each line about which a checker did not say what is marked."""
    for file, line in sorted(expected.keys() | said.keys()):
        wanted, got = expected.get((file, line), set()), said.get((file, line), set())
        if wanted != got:
            yield f"{file}:{line}: {checker} should say {shown(wanted)}, but says {shown(got)}"


def shown(codes: set[str]) -> str:
    """Write codes in one line."""
    return " ".join(sorted(codes)) or "nothing"


def main() -> int:
    """Compare, and print what differs."""
    mypy, pyright = marked()
    wrong = [*differences("mypy", mypy, mypy_says()), *differences("pyright", pyright, pyright_says())]
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"typing_tests: mypy and pyright find all {len(mypy)} mistakes, and nothing else, in {len(FILES)} files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
