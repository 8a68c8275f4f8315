"""What the compiled module does of a peer's work, where it runs and may: None elsewhere; does nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

from ampkit.asyncio.ambient import TURN
from ampkit.asyncio.answering import Answering
from ampkit.asyncio.calls import Batch, Calls
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.intake import Intake
from ampkit.asyncio.late import NOTHING
from ampkit.asyncio.outcome import unsent
from ampkit.asyncio.remote import UNSET, Unset
from ampkit.core.connection import Connection
from ampkit.core.events import AnswerReceived
from ampkit.core.states import State
from ampkit.core.tagged import Pairs
from ampkit.speed import compiled

_NO_BOX: Final = AnswerReceived(None, {})
"""The answer to a command without a response."""

_COMMON: Final[Any] = compiled and compiled.Common(
    unset=UNSET, turn=TURN, open=State.OPEN, nothing=_NO_BOX, empty=NOTHING, unsent=unsent
)
"""What is the same for all connections."""


class Reply(Protocol):
    """An ask that was queued, or will be. Await `future`, and call `end` when that is over, whatever came of it."""

    future: asyncio.Future[Any]
    """How it ended: its response, or what the future of any ask may get."""
    tag: bytes
    """Empty while it is not queued."""

    def end(self) -> None:
        """Give back what it has taken."""
        ...


class Asking(Protocol):
    """Asks where nothing about it is unusual."""

    def ask(self, plan: Any, command: Any, timeout: float | Unset | None) -> Reply | None:
        """Queue an ask, as soon as there is credit and room for it, and return its Reply.

        Returns None if that takes more than this: then nothing was done.
        """
        ...

    def encode_each(self, commands: Sequence[Any]) -> tuple[list[Any], list[bytes]] | None:
        """Return the plans and the pairs of commands; or None if one of them takes more than this."""
        ...

    def ask_each(self, plans: list[Any], batch: Batch, all_pairs: Sequence[Pairs], timeout: bytes) -> int:
        """Queue asks of a batch, and return how many: the next one takes more than this."""
        ...


def make_asking(channel: Channel, calls: Calls, timeout: float | None) -> Asking | None:
    """Return who asks for a channel; `timeout` is the default of its calls."""
    if compiled is None:
        return None
    connection = channel.connection
    asking: Asking = compiled.Asking(_COMMON, channel, connection.link, connection.conversation, calls, timeout)
    return asking


def make_intake(channel: Channel, peer: Any, answering: Answering) -> Intake | None:
    """Return who takes what a channel receives; None where each box has to be seen by others."""
    connection = channel.connection
    if compiled is None or type(connection) is not Connection:
        return None
    intake: Intake = compiled.Intake(_COMMON, channel, connection.link, connection.conversation, answering, peer)
    return intake
