"""How an ask of this end may end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ampkit.asyncio.credit import withdrawn
from ampkit.core.events import AnswerReceived, RefusalReceived
from ampkit.errors import AmpError


@dataclass(slots=True)
class Ended:
    """The outcome of an ask that will not be answered, because of this error."""

    reason: AmpError
    was_sent: bool = True


Outcome: TypeAlias = AnswerReceived | RefusalReceived | Ended | None
"""How an ask ended; None if its time ran out. It is always the result of a future, never its exception: so no
exception is left that nobody took."""


def unsent(error: AmpError | None) -> Ended:
    """Return the outcome of an ask that has waited and is not to be sent; without an error, because of the credit."""
    return Ended(error or withdrawn(), was_sent=False)
