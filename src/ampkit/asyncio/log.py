"""What goes to the log, and in which form: printable, bounded, and nothing of the other end's raw; decides no outcome."""

from __future__ import annotations

import logging
import traceback
from typing import Final

from ampkit.wire.text import printable

logger: Final = logging.getLogger("ampkit")

MAX_FAILURES: Final = 10
"""Failures that one connection may log with their tracebacks; the rest is counted, so that nobody can fill a disk."""

_LINE_SHOWN: Final = 500
_LINES_SHOWN: Final = 60


class FailureLog:
    """Logs what went wrong in this program's own code on behalf of one connection."""

    def __init__(self) -> None:
        self._count = 0

    def failure(self, what: str, error: BaseException, peer: str) -> None:
        """Log an exception that the other end is not told about; `what` and `peer` must be printable."""
        self._count += 1
        if self._count <= MAX_FAILURES:
            logger.error("%s, asked by %s:\n%s", what, peer, _printable_traceback(error))

    def close(self, peer: str) -> None:
        """Log how many failures were not logged."""
        if self._count > MAX_FAILURES:
            logger.error("%d more failures of responders asked by %s were not logged", self._count - MAX_FAILURES, peer)


def _printable_traceback(error: BaseException) -> str:
    """Format a traceback; its exceptions may quote what the other end sent, so each line is marked, escaped and cut."""
    lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[: _LINES_SHOWN // 2], f"... {len(lines) - _LINES_SHOWN} lines", *lines[-_LINES_SHOWN // 2 :]]
    return "\n".join(f"  | {printable(line.encode('utf-8', 'backslashreplace'), _LINE_SHOWN)}" for line in lines)
