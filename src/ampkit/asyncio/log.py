"""What goes to the log, and in which form: printable, bounded, nothing of the other end's raw; decides no outcome."""

from __future__ import annotations

import logging
import traceback
from typing import Final

from ampkit.policy.dispatch import Refusal
from ampkit.wire.text import printable

logger: Final = logging.getLogger("ampkit")

MAX_FAILURES: Final = 10
"""What one connection may log at most; the rest is counted, so that nobody can fill a disk."""

_LINE_SHOWN: Final = 500
_LINES_SHOWN: Final = 60


class FailureLog:
    """Logs what went wrong on behalf of one connection and what its other end is not told."""

    __slots__ = ("_count", "_remote")

    def __init__(self, remote: str) -> None:
        """`remote` is the address of the other end; it must be printable."""
        self._remote = remote
        self._count = 0

    def failure(self, what: str, error: BaseException) -> None:
        """Log an exception of the program's own code; `what` must be printable."""
        if self._may_log():
            logger.error("%s, asked by %s:\n%s", what, self._remote, printable_traceback(error))

    def not_run(self, command: bytes, refusal: Refusal) -> None:
        """Log that a command which nobody waits for was not run, and why."""
        if self._may_log():
            why = printable(refusal.code + b": " + refusal.description)
            logger.warning("%s, told by %s, was not run: %s", printable(command), self._remote, why)

    def still_running(self, count: int) -> None:
        """Log that responders do not heed their cancellation."""
        if self._may_log():
            logger.warning("%d responder(s) for %s still run though they were cancelled", count, self._remote)

    def close(self) -> None:
        """Log how much was not logged."""
        if self._count > MAX_FAILURES:
            logger.warning("%d more failures for %s were not logged", self._count - MAX_FAILURES, self._remote)

    def _may_log(self) -> bool:
        self._count += 1
        return self._count <= MAX_FAILURES


def printable_traceback(error: BaseException) -> str:
    """Format a traceback; its exceptions may quote what the other end sent, so each line is marked, escaped and cut."""
    lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[: _LINES_SHOWN // 2], f"... {len(lines) - _LINES_SHOWN} lines", *lines[-_LINES_SHOWN // 2 :]]
    return "\n".join(f"  | {printable(line.encode('utf-8', 'backslashreplace'), _LINE_SHOWN)}" for line in lines)
