"""Exit codes, and which failure has which; prints nothing and ends nothing."""

from __future__ import annotations

from typing import Final

from ampkit.errors import AmpError, ConnectionLost, DeadlineExceeded, LocalProtocolError

REFUSED: Final = 1
"""The other end refused, or what it sent cannot be read."""
USAGE: Final = 2
"""The command line asks for something that cannot be."""
CONNECTION: Final = 3
"""There is no connection, or it was lost."""
DEADLINE: Final = 4
"""No answer came in time."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells report it."""
BROKEN_PIPE: Final = 141
"""The reader of our output is gone, as shells report it."""


class Failure(Exception):
    """A subcommand cannot go on; its text is one line for the person at the terminal."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


def failure_of(error: Failure | AmpError) -> Failure:
    """Return what a failure means to the person at the terminal."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, LocalProtocolError):
        return Failure(str(error), USAGE)
    if isinstance(error, DeadlineExceeded):
        return Failure(str(error), DEADLINE)
    if isinstance(error, ConnectionLost):
        return Failure(str(error), CONNECTION)
    return Failure(str(error), REFUSED)
