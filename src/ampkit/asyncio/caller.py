"""How one end asks the other: commands become pairs, outcomes responses or errors; opens and ends no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from ampkit.asyncio.address import Address
from ampkit.asyncio.ambient import TURN
from ampkit.asyncio.answering import Answering
from ampkit.asyncio.calls import Calls
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.descriptors import Descriptors
from ampkit.asyncio.extending import Duty, Extending
from ampkit.asyncio.late import late
from ampkit.asyncio.outcome import Ended, Outcome
from ampkit.asyncio.quick import Asking, make_asking
from ampkit.asyncio.remote import UNSET, Remote, Unset
from ampkit.core.connection import Connection
from ampkit.core.events import AnswerReceived, RefusalReceived
from ampkit.core.states import State
from ampkit.core.tagged import Pairs
from ampkit.errors import ConnectionLost, DeadlineExceeded, LocalProtocolError
from ampkit.policy.options import Options
from ampkit.schema.command import Command, CommandSchema
from ampkit.wire.box import Box
from ampkit.wire.text import printable

R = TypeVar("R")


class Caller(Remote):
    """As much of a `Peer` as calls."""

    __slots__ = (
        "_answering",
        "_asking",
        "_connection",
        "_made_calls",
        "_made_extending",
        "_options",
        "_remote",
        "channel",
    )

    channel: Channel
    _answering: Answering
    _asking: Asking | None
    _connection: Connection
    _made_calls: Calls | None
    _made_extending: Extending | None
    _options: Options
    _remote: Address
    _DUTIES: ClassVar[Mapping[bytes, Duty]]
    """What is done about each of ampkit's own asks."""

    @late
    def calls(self) -> Calls:
        """The asks of this end, those of the program."""
        calls = Calls(self.channel, self.extending, self._answering.limits.max_waiting_bytes)
        if self.state is State.CLOSED:
            calls.end()
        self._asking = make_asking(self.channel, calls, self._options.timeout)
        return calls

    @late
    def extending(self) -> Extending:
        """The asks of ampkit's own."""
        return Extending(self.channel, self._options.extensions, self._DUTIES)

    @property
    def descriptors(self) -> Descriptors:
        """The descriptors in both directions."""
        return self._answering.descriptors

    @property
    def state(self) -> State:
        """OPEN; CLOSING while `close` waits for what is under way; CLOSED."""
        return self._connection.state

    @property
    def remote_address(self) -> str:
        """The other end as a URL. The connecting end of a unix socket has no address: there, the socket's own."""
        return str(self._remote)

    @property
    def is_secure(self) -> bool:
        """Whether the connection runs over TLS now."""
        return self._connection.is_secure

    async def call(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> R:
        """Ask the other end, and return its response.

        `timeout` is in seconds from now; None waits as long as the connection lasts, and leaving it out takes
        the default of `Options`. Waits first while the other end is slow to take what was written.

        Raises LocalProtocolError before anything is sent if the command cannot be encoded; what the command
        declares for the code of a refusal, UnhandledCommand, UnknownRemoteError or another RemoteError;
        RemoteProtocolError if the answer is not what the command declares; ConnectionLost; DeadlineExceeded.
        """
        schema = command.__command__
        asking, plan = self._asking, schema.plan
        if asking is not None and plan is not None and (reply := asking.ask(plan, command, timeout)) is not None:
            try:
                outcome = await reply.future
            except asyncio.CancelledError:
                self.calls.cancel(reply.tag)
                raise
            finally:
                reply.end()
            if outcome.__class__ is schema.response:
                return outcome  # type: ignore[return-value]  # it is R
            if outcome is None:
                self._connection.abandon(reply.tag)
        else:
            if schema.requires_tls or schema.switches:
                self._check(schema)
            pairs = self.descriptors.pairs(schema.encode, command) if schema.carries else schema.encode(command)
            if not schema.answers:
                await self._tell(pairs, schema.name, self._seconds(timeout))
                return None  # type: ignore[return-value]  # such a command is a Command[None]
            outcome = await self.calls.ask(pairs, self._seconds(timeout), plan)
            if outcome.__class__ is schema.response:
                return outcome  # type: ignore[return-value]  # it is R
        if outcome.__class__ is AnswerReceived:
            if not schema.response_carries:
                return schema.decode_response(outcome.box)  # type: ignore[no-any-return]
            return self._unpacked(outcome.box, schema)  # type: ignore[no-any-return]
        raise self._error(outcome, schema.name, schema)

    async def _call_each(self, commands: Sequence[Command[Any]], timeout: float | Unset | None) -> list[Any]:
        schemas = [command.__command__ for command in commands]
        encoded = None if self._asking is None else self._asking.encode_each(commands)
        if encoded is None or self._asking is None:
            for schema in schemas:
                self._check(_answerable(schema))
            pairs = [self._pairs(command, schema) for command, schema in zip(commands, schemas, strict=True)]
            outcomes = await self.calls.ask_many(pairs, self._seconds(timeout))
        else:
            plans, quick_pairs = encoded
            begin = partial(self._asking.ask_each, plans)
            outcomes = await self.calls.ask_many(quick_pairs, self._seconds(timeout), begin)
        return [
            outcome if outcome.__class__ is schema.response else self._result(outcome, schema)
            for outcome, schema in zip(outcomes, schemas, strict=True)
        ]

    def _result(self, outcome: Outcome, schema: CommandSchema) -> Any:
        try:
            return self._response(outcome, schema)
        except Exception as error:  # noqa: BLE001 - whoever called decides what becomes of it
            return error

    async def tell(self, command: Command[Any]) -> None:
        """Send a command without asking for an answer; returns when it is queued.

        Whether it arrived or failed cannot be known. Twisted peers close the connection if they have no
        responder for it or if it fails. Raises LocalProtocolError and ConnectionLost as `call` does.
        """
        schema = command.__command__
        self._check(schema)
        await self._tell(self._pairs(command, schema), schema.name, None)

    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | Unset | None = UNSET
    ) -> Box:
        """Ask with a box of bytes, and return the answer's box, without AMP's own keys.

        For commands that this program has no class for. Raises as `call` does; every refusal but UNHANDLED and
        UNKNOWN is a RemoteError with its code.
        """
        pairs = self._connection.ask_pairs(command, box or {})
        outcome = await self.calls.ask(pairs, self._seconds(timeout))
        if isinstance(outcome, AnswerReceived):
            return outcome.box
        raise self._error(outcome, command, None)

    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        """Send a box of bytes without asking for an answer, as `tell` does. Raises as `tell` does."""
        await self._tell(self._connection.ask_pairs(command, box or {}), command, None)

    # Inside

    def _check(self, schema: CommandSchema, *, switching: bool = False) -> None:
        """Refuse what would be sent without the TLS that it requires, or in another way than it has to be."""
        if schema.switches and not switching:
            raise LocalProtocolError(f"{printable(schema.name)} switches the connection; use `switch`")
        becomes_secure = self.state in {State.SECURING, State.HANDSHAKING}
        if schema.requires_tls and not (self.is_secure or becomes_secure):
            raise LocalProtocolError(f"{printable(schema.name)} is for connections over TLS; `start_tls` first")

    def _pairs(self, command: Command[Any], schema: CommandSchema) -> Pairs:
        return self.descriptors.pairs(schema.encode, command) if schema.carries else schema.encode(command)

    def _unpacked(self, box: Box, schema: CommandSchema) -> Any:
        """Return the response of a box; its descriptors are the caller's."""
        response, taken = self.descriptors.unpack(schema.decode_response, box)
        taken.release()
        return response

    async def _tell(self, pairs: Pairs, name: bytes, seconds: float | None) -> None:
        if not await self.calls.tell(pairs, seconds):
            raise DeadlineExceeded(f"no room to send {printable(name)} to {self.remote_address} in time")

    def _response(self, outcome: Outcome, schema: CommandSchema) -> Any:
        if isinstance(outcome, AnswerReceived):
            return self._unpacked(outcome.box, schema)
        raise self._error(outcome, schema.name, schema)

    def _error(self, outcome: Outcome, name: bytes, schema: CommandSchema | None) -> Exception:
        to = f"{printable(name)} from {self.remote_address}"
        if isinstance(outcome, RefusalReceived):
            error = self._options.dispatch.error(outcome.code, outcome.description, schema)
            if type(error) is DeadlineExceeded:  # the other end has the same limit, and may be the first to see it
                return DeadlineExceeded(f"no answer to {to} in time")
            error.add_note(f"This is the answer to {to}.")
            return error
        if isinstance(outcome, Ended):
            if isinstance(outcome.reason, LocalProtocolError) or not outcome.was_sent:
                return outcome.reason
            lost = ConnectionLost(f"no answer to {to}: {outcome.reason}")
            lost.__cause__ = outcome.reason
            return lost
        return DeadlineExceeded(f"no answer to {to} in time")

    def _seconds(self, timeout: float | Unset | None) -> float | None:
        """Return the seconds that a call has: its own, but no more than the ask has that is being responded to."""
        seconds = self._options.timeout if isinstance(timeout, Unset) else timeout
        turn = TURN.get()
        if turn is None or turn.due is None:
            return seconds
        left = turn.due - self.channel.loop.time()
        return left if seconds is None else min(seconds, left)


def _answerable(schema: CommandSchema) -> CommandSchema:
    if not schema.answers:
        raise LocalProtocolError(f"{printable(schema.name)} has answers=False; use `tell`")
    return schema
