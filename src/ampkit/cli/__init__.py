"""The door of the `ampkit` command: says what is missing if its extra is; knows no subcommand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

_EXTRA: Final = frozenset({"cyclopts", "rich"})
"""What the extra `cli` installs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `ampkit` command with these arguments (None: the process's own), and return its exit code."""
    try:
        from ampkit.cli.program import run  # noqa: PLC0415 - it needs the extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        print("The ampkit command needs its extra: pip install 'ampkit[cli]'", file=sys.stderr)
        return 1
    return run(sys.argv[1:] if arguments is None else arguments)
