"""May an ask that failed be sent again: a function of its error and its command; sends nothing."""

from __future__ import annotations

from typing import Final

from ampkit.errors import ConnectionFailed, ConnectionLost, NotSent, RemoteError
from ampkit.policy.dispatch import BUSY

_BUSY: Final = BUSY.decode()


def was_not_sent(error: Exception) -> bool:
    """Whether the other end cannot have heard of the ask: to send it is no repetition."""
    return isinstance(error, NotSent | ConnectionFailed)


def was_not_begun(error: Exception) -> bool:
    """Whether the other end says that it has not begun the ask and that it may be repeated."""
    return type(error) is RemoteError and error.code == _BUSY


def may_repeat(error: Exception, *, idempotent: bool) -> bool:
    """Decide whether an ask may be sent again without the danger that it has an effect twice.

    It may if it certainly never ran. Where a connection was lost nobody knows, so it may only if its command is
    `idempotent`. Any other error is an answer, and one that came too late is of no use.
    """
    return was_not_sent(error) or was_not_begun(error) or (idempotent and isinstance(error, ConnectionLost))
