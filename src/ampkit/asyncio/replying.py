"""How asks of the other end end: answers and refusals are sent, failures logged; runs no responder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from ampkit.asyncio.ambient import Turn
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.descriptors import Descriptors
from ampkit.asyncio.late import late
from ampkit.asyncio.line import Line
from ampkit.asyncio.log import FailureLog
from ampkit.core.connection import Connection
from ampkit.core.events import AskReceived
from ampkit.core.states import State
from ampkit.core.tagged import Pairs
from ampkit.errors import ConnectionLost, LocalProtocolError
from ampkit.policy.dispatch import UNKNOWN, Dispatch, Refusal
from ampkit.policy.options import Options
from ampkit.schema.command import CommandSchema
from ampkit.schema.responders import Responders
from ampkit.speed import fields
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

_UNKNOWN: Final = Refusal(UNKNOWN, b"Unknown Error", undeclared=True)

if TYPE_CHECKING:
    from ampkit.speed import Fields as AnsweringFields
else:
    AnsweringFields = fields(
        "AnsweringFields",
        "asked",
        "responders",
        "_tasks",
        "_turns",
        "_stopped",
        "_max_running",
        "_is_nested",
        "_made_line",
    )


class Replying(AnsweringFields):
    """As much of `Answering` as replies."""

    __slots__ = ("_channel", "_connection", "_made_descriptors", "_made_log", "_options", "limits", "remote")

    responders: Responders
    limits: Limits
    remote: object
    _channel: Channel
    _connection: Connection
    _options: Options
    _tasks: dict[bytes | int, asyncio.Task[None]]
    _turns: dict[bytes | int, Turn]
    _made_line: Line | None
    _made_log: FailureLog | None
    _made_descriptors: Descriptors | None

    @late
    def log(self) -> FailureLog:
        """What goes to the log on behalf of this connection."""
        return FailureLog(str(self.remote))

    @late
    def descriptors(self) -> Descriptors:
        """The descriptors of the connection, in both directions."""
        descriptors = Descriptors(self._channel, self.limits.max_descriptors, self._is_quiet)
        if self._connection.state is State.CLOSED:
            descriptors.close()
        return descriptors

    @property
    def _dispatch(self) -> Dispatch:
        return self._options.dispatch

    @property
    def _has_line(self) -> bool:
        """Whether asks wait for their turn."""
        return self._made_line is not None and self._made_line.size > 0

    def _is_quiet(self) -> bool:
        """Say whether no box waits at this end, whole or in part."""
        return self._channel.is_idle and self.is_idle

    @property
    def is_idle(self) -> bool:
        """Whether no ask runs, or waits for its turn."""
        return not (self._tasks or self._has_line)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return the tasks of all responders that have not ended."""
        return list(self._tasks.values())

    def raised(self, tag: bytes | None, schema: CommandSchema, error: BaseException) -> None:
        """Tell the caller of whatever a responder raised; what is to end the program is raised again."""
        if isinstance(error, asyncio.CancelledError):
            error = LocalProtocolError("the responder was cancelled")
        if not isinstance(error, Exception):
            raise error
        self.fail(tag, schema, error)

    def _answer(self, tag: bytes | None, schema: CommandSchema, result: Any) -> None:
        try:
            self._send(tag, self._pairs(schema, result))
        except Exception as error:  # noqa: BLE001 - a response that cannot be sent, or a class of the program's that fails
            self.fail(tag, schema, error)

    async def answer_late(self, tag: bytes | None, schema: CommandSchema, result: Any) -> None:
        """Answer when there is room. Raises what is wrong with the result."""
        pairs = self._pairs(schema, result)
        if self._channel.is_full:
            await self._channel.room(len(pairs))
        self._send(tag, pairs)

    def _pairs(self, schema: CommandSchema, result: Any) -> Pairs:
        if schema.response_carries:
            return self.descriptors.pairs(schema.encode_response, result)
        return schema.encode_response(result)

    def _send(self, tag: bytes | None, pairs: Pairs) -> None:
        if tag is not None and self._connection.state is not State.CLOSED:
            self._connection.answer_encoded(tag, pairs)
            self._channel.flush_soon(len(pairs))

    def fail(self, tag: bytes | None, schema: CommandSchema, error: Exception) -> None:
        try:
            refusal = self._dispatch.refusal(error, schema)
            if refusal.undeclared or tag is None:
                self.log.failure(f"the responder of {printable(schema.name)} failed", error)
            self._refuse(tag, refusal)
        except Exception as failure:  # noqa: BLE001 - the program's own Dispatch failed
            failure.__context__ = error
            self.log.failure(f"refusing {printable(schema.name)} failed", failure)
            self._refuse(tag, _UNKNOWN)

    def turn_away(self, event: AskReceived, refusal: Refusal) -> bool:
        """Refuse without having run anything; the event is done with. Nobody but the log hears of what is only told."""
        if event.tag is None:
            self.log.not_run(event.command, refusal)
        responder = self.responders.find(event.command)
        if responder is not None and responder.command.descriptor_keys:
            self.descriptors.drop(event.box, responder.command.descriptor_keys)
        self._refuse(event.tag, refusal)
        return True

    def _refuse(self, tag: bytes | None, refusal: Refusal) -> None:
        if self._connection.state is State.CLOSED:
            return
        if tag is not None:
            self._connection.refuse(tag, refusal.code, refusal.description)
            self._channel.flush_soon(len(refusal.code) + len(refusal.description))
        if refusal.fatal:
            self._channel.finish(ConnectionLost("this end refused with a fatal error"), self._options.close_timeout)
