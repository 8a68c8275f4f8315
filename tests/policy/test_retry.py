"""May an ask be sent again: the table of errors and commands."""

from __future__ import annotations

import pytest

from ampkit.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    LocalProtocolError,
    NotSent,
    RemoteError,
    RemoteProtocolError,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.policy.retry import may_repeat, was_not_begun, was_not_sent


class Occupied(RemoteError):
    """What a program may have declared for a code of its own."""


NEVER_RAN = [NotSent("x"), ConnectionFailed("x"), RemoteError("BUSY", "x")]
PERHAPS = [ConnectionLost("x")]
NEVER_AGAIN = [
    DeadlineExceeded("x"),
    LocalProtocolError("x"),
    RemoteProtocolError("x"),
    RemoteError("OTHER", "BUSY"),
    Occupied("BUSY"),
    UnhandledCommand(),
    UnknownRemoteError(),
    KeyError("x"),
]


@pytest.mark.parametrize("idempotent", [False, True])
def test_what_certainly_never_ran_may_be_repeated(idempotent: bool) -> None:
    """Whatever the command."""
    assert [may_repeat(error, idempotent=idempotent) for error in NEVER_RAN] == [True] * len(NEVER_RAN)


def test_what_perhaps_ran_may_be_repeated_if_that_does_no_harm() -> None:
    """As its command says."""
    assert may_repeat(PERHAPS[0], idempotent=True)
    assert not may_repeat(PERHAPS[0], idempotent=False)


@pytest.mark.parametrize("error", NEVER_AGAIN, ids=repr)
def test_an_answer_is_an_answer(error: Exception) -> None:
    """Even of an idempotent command; and a program's own error may have any code."""
    assert not may_repeat(error, idempotent=True)


def test_what_was_not_sent_and_what_was_not_begun_are_told_apart() -> None:
    """The other end has heard of the latter."""
    assert [was_not_sent(error) for error in NEVER_RAN] == [True, True, False]
    assert [was_not_begun(error) for error in NEVER_RAN] == [False, False, True]
