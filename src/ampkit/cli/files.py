"""Files that the command line names, `-` for standard input; knows not what is in them."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path

from ampkit.cli.exits import Failure


def open_to_read(name: str) -> BufferedReader:
    """Open a file for its bytes. Raises Failure if it cannot be read."""
    try:
        return open(0, "rb", closefd=False) if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise Failure(f"cannot read {'standard input' if name == '-' else name}: {error.strerror}") from error
