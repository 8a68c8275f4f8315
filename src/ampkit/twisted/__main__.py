"""Runs a program on our module, unchanged: `python -m ampkit.twisted MODULE ...` for `python -m MODULE ...`."""

from __future__ import annotations

import runpy
import sys

from ampkit.twisted.install import install

USAGE = "usage: python -m ampkit.twisted MODULE [ARGUMENT ...]\n\nRun MODULE with ampkit in Twisted's place."


def main() -> None:
    """Run the module that the command line names as `__main__`; without one, say how and exit with 2."""
    if len(sys.argv) < 2 or sys.argv[1] in {"-h", "--help"}:
        print(USAGE, file=sys.stderr)
        raise SystemExit(0 if len(sys.argv) == 2 else 2)
    install()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
