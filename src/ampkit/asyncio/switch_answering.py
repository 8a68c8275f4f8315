"""The other end asks to switch to another protocol: its responder decides, and reading waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any

from ampkit.asyncio.switch import stream_protocol
from ampkit.core.events import AskReceived
from ampkit.core.states import State
from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.policy.dispatch import DEFAULT_DISPATCH
from ampkit.schema.command import CommandSchema
from ampkit.schema.responders import Responder
from ampkit.schema.switch import Switch
from ampkit.wire.text import printable

if TYPE_CHECKING:
    from ampkit.asyncio.answering import Answering
    from ampkit.asyncio.channel import Channel


class SwitchAnswering:
    """Runs the responders of commands that switch, and gives the connection away.

    While a coroutine decides, nothing more is read: what stands behind the ask may be no box.
    """

    __slots__ = ("_channel", "_connection", "_is_decided", "event")

    def __init__(self, channel: Channel) -> None:
        self.event: AskReceived | None = None
        """The ask that is being decided, or was and is still offered."""
        self._is_decided = False
        self._channel = channel
        self._connection = channel.connection

    def is_decided(self) -> bool:
        """Return whether reading may go on behind the event."""
        if self._is_decided:
            self.event = None
        return self._is_decided

    def asked(self, event: AskReceived, responder: Responder, peer: Any, answering: Answering) -> bool:
        """Run the responder; return false if it has not decided yet."""
        schema = responder.command
        if event.tag is None:
            return answering.turn_away(event, DEFAULT_DISPATCH.no_switch())
        try:
            command = schema.decode(event.box)
        except RemoteProtocolError as error:
            return answering.turn_away(event, DEFAULT_DISPATCH.malformed(error))
        try:
            result = responder.function(command, peer=peer) if responder.takes_peer else responder.function(command)
        except Exception as error:  # noqa: BLE001 - whatever it raised, its caller is told
            answering.fail(event.tag, schema, error)
            return True
        if hasattr(result, "__await__"):
            self.event, self._is_decided = event, False
            answering.run(self._decide(event.tag, schema, result, answering), lambda: self._decided(result))
            return False
        self._take(event.tag, schema, result, answering)
        return True

    async def _decide(self, tag: bytes, schema: CommandSchema, awaitable: Awaitable[Any], answering: Answering) -> None:
        try:
            result = await awaitable
        except asyncio.CancelledError:
            if self._connection.state is not State.CLOSED:
                answering.fail(tag, schema, LocalProtocolError("the responder was cancelled"))
        except Exception as error:  # noqa: BLE001 - as in asked
            answering.fail(tag, schema, error)
        else:
            with answering.sparing(asyncio.current_task()):
                self._take(tag, schema, result, answering)

    def _decided(self, awaitable: Awaitable[Any]) -> None:
        self._is_decided = True
        if isinstance(awaitable, Coroutine):
            awaitable.close()  # if it never began, Python would complain

    def _take(self, tag: bytes, schema: CommandSchema, result: object, answering: Answering) -> None:
        """Agree to what the responder has returned, if there is still a connection to switch."""
        if self._connection.state is State.CLOSED:
            return
        try:
            protocol = _protocol_of(schema, result)
        except Exception as error:  # noqa: BLE001 - the program's own code failed
            answering.fail(tag, schema, error)
            return
        self._connection.answer_encoded(tag, b"")
        self._channel.hand_over(protocol, self._connection.switch())


def _protocol_of(schema: CommandSchema, result: object) -> asyncio.Protocol:
    if not isinstance(result, Switch):
        name = printable(schema.name)
        raise LocalProtocolError(f"the responder of {name} must return a Switch, not {type(result).__name__}")
    if result.protocol is None:
        return stream_protocol(result.streams)
    protocol: asyncio.Protocol = result.protocol()
    return protocol
