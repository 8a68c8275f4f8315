"""One end of an open connection, for the program that uses it: calls, state and the end; moves no bytes itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self, TypeVar

from ampkit.asyncio.address import Address, address_of
from ampkit.asyncio.answering import Answering
from ampkit.asyncio.calls import Calls, Ended, Outcome
from ampkit.asyncio.channel import Channel
from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, DeadlineExceeded, LocalProtocolError, RemoteProtocolError
from ampkit.policy.credit import Admission
from ampkit.policy.options import Options
from ampkit.schema.command import Command, CommandSchema
from ampkit.schema.responders import Responders
from ampkit.wire.box import Box
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

R = TypeVar("R")


class _Unset:
    """Stands for a timeout that was not given, as None is one that is: no limit."""


UNSET: Final = _Unset()


class Peer:
    """The other end of one connection: call it, and be called by it.

    `connect` and `Server` make peers; a responder gets its own as the parameter `peer`. All methods must be
    called in the event loop that made it. Both ends are alike: whichever connected, either may call.
    """

    def __init__(
        self, make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
    ) -> None:
        self._make_responders = make_responders
        self._address = address
        self._options = options
        self.channel = self._channel = Channel(asyncio.get_running_loop(), self, limits)
        self._connection = self._channel.connection
        self._calls = Calls(self._channel)
        self._answering = Answering(self._channel, options.dispatch, limits, self)
        self._answering.on_fatal = self._close_behind_fatal

    # Calling

    async def call(self, command: Command[R], *, timeout: float | _Unset | None = UNSET) -> R:
        """Ask the other end, and return its response.

        `timeout` is in seconds from now; None waits as long as the connection lasts, and leaving it out takes
        the default of `Options`. Waits first while the other end is slow to take what was written.

        Raises LocalProtocolError before anything is sent if the command cannot be encoded; what the command
        declares for the code of a refusal, UnhandledCommand, UnknownRemoteError or another RemoteError;
        RemoteProtocolError if the answer is not what the command declares; ConnectionLost; DeadlineExceeded.
        """
        schema = command.__command__
        pairs = schema.encode(command)
        if not schema.answers:
            await self._calls.send(pairs)
            return None  # type: ignore[return-value]  # such a command is a Command[None]
        outcome = await self._calls.ask(pairs, self._seconds(timeout))
        return self._response(outcome, schema)  # type: ignore[no-any-return]

    async def call_many(
        self,
        commands: Iterable[Command[R]],
        *,
        timeout: float | _Unset | None = UNSET,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """Ask several things in one go, and return the responses in the same order.

        Much cheaper than as many `call`s, because only one future is awaited. `timeout` is for all of them
        together. All are awaited to their end; then the first error in the order of asking is raised, or with
        `return_exceptions=True` errors stand in the list in place of responses. Raises as `call` does;
        nothing is sent if one of the commands cannot be encoded.
        """
        schemas: list[CommandSchema] = []
        pairs: list[bytes] = []
        for command in commands:
            schema = command.__command__
            schemas.append(schema)
            pairs.append(_answerable(schema).encode(command))
        outcomes = await self._calls.ask_many(pairs, self._seconds(timeout))
        results: list[Any] = []
        for schema, outcome in zip(schemas, outcomes, strict=True):
            try:
                results.append(self._response(outcome, schema))
            except Exception as error:
                if not return_exceptions:
                    raise
                results.append(error)
        return results

    async def tell(self, command: Command[Any]) -> None:
        """Send a command without asking for an answer; returns when it is queued.

        Whether it arrived or failed cannot be known. Twisted peers close the connection if they have no
        responder for it or if it fails. Raises LocalProtocolError and ConnectionLost as `call` does.
        """
        await self._calls.send(command.__command__.encode(command))

    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | _Unset | None = UNSET
    ) -> Box:
        """Ask with a box of bytes, and return the answer's box, without AMP's own keys.

        For commands that this program has no class for. Raises as `call` does; every refusal but UNHANDLED and
        UNKNOWN is a RemoteError with its code.
        """
        pairs = self._connection.ask_pairs(command, box or {})
        outcome = await self._calls.ask(pairs, self._seconds(timeout))
        if isinstance(outcome, AnswerReceived):
            return outcome.box
        raise self._error(outcome, command, None)

    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        """Send a box of bytes without asking for an answer, as `tell` does. Raises as `tell` does."""
        await self._calls.send(self._connection.ask_pairs(command, box or {}))

    # The connection

    @property
    def state(self) -> State:
        """OPEN; CLOSING while `close` waits for what is under way; CLOSED."""
        return self._connection.state

    @property
    def end_reason(self) -> AmpError | None:
        """Why the connection has ended: a ConnectionLost, or the RemoteProtocolError that ended it; None before."""
        return self._connection.end_reason

    @property
    def remote_address(self) -> str:
        """The other end as a URL. The connecting end of a unix socket has no address: there, the socket's own."""
        return str(self._address_from("peername"))

    @property
    def local_address(self) -> str:
        """This end as a URL."""
        return str(self._address_from("sockname"))

    async def close(self, grace: float = 0.0) -> None:
        """Close the connection; returns when it is closed and no responder runs any more.

        With `grace` seconds, asks under way in both directions may end first, while new ones of the other end
        are refused as BUSY. Then responders that still run are cancelled and calls that still wait fail with
        ConnectionLost. What was written is delivered if the other end takes it within `Options.close_timeout`
        seconds, and as long is waited for responders that do not heed their cancellation.
        """
        if self.state is State.OPEN:
            self._connection.close()
        await self._settle(grace)
        running = self._without_current(self._answering.running)
        self._channel.close(ConnectionLost("this end closed the connection"), self._options.close_timeout)
        if running:
            await asyncio.wait(running, timeout=self._options.close_timeout)
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed, by whichever end; `end_reason` says why."""
        await asyncio.shield(self._channel.closed)

    async def __aenter__(self) -> Self:
        """Return the peer itself; leaving the block closes it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close."""
        await self.close()

    def __repr__(self) -> str:
        return f"<Peer {self.remote_address} {self.state.value}>"

    # What the channel calls (`ampkit.asyncio.channel.Owner`)

    def opened(self) -> None:
        """Get the responders, which may be this connection's own."""
        try:
            self._answering.responders = self._make_responders(self)
        except Exception as error:  # noqa: BLE001 - the program's own code failed; this connection is of no use
            self._answering.log.failure("making a service failed", error, self.remote_address)
            self._channel.loop.call_soon(self._channel.fail, ConnectionLost("there is no service for this connection"))

    def may_read(self) -> bool:
        """Say whether another box may be taken."""
        return self._answering.has_room() or self._answering.admission() is not Admission.WAIT

    def event_received(self, event: Event) -> None:
        """Give an event to whom it concerns."""
        if isinstance(event, AskReceived):
            self._answering.ask_received(event)
        elif isinstance(event, StrayReceived):
            if self._options.strict and not event.late:
                self._channel.fail(RemoteProtocolError(event.reason))
        elif not event.waiter.done():
            event.waiter.set_result(event)

    def ended(self, reason: AmpError, waiters: list[Any]) -> None:
        """End all calls and cancel all responders."""
        outcome = Ended(reason)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(outcome)
        self._answering.cancel()

    # Inside

    def _response(self, outcome: Outcome, schema: CommandSchema) -> Any:
        if isinstance(outcome, AnswerReceived):
            return schema.decode_response(outcome.box)
        raise self._error(outcome, schema.name, schema)

    def _error(self, outcome: Outcome, name: bytes, schema: CommandSchema | None) -> Exception:
        to = f"{printable(name)} from {self.remote_address}"
        if isinstance(outcome, RefusalReceived):
            error = self._options.dispatch.error(outcome.code, outcome.description, schema)
            error.add_note(f"This is the answer to {to}.")
            return error
        if isinstance(outcome, Ended):
            lost = ConnectionLost(f"no answer to {to}: {outcome.reason}")
            lost.__cause__ = outcome.reason
            return lost
        return DeadlineExceeded(f"no answer to {to} in time")

    def _seconds(self, timeout: float | _Unset | None) -> float | None:
        return self._options.timeout if isinstance(timeout, _Unset) else timeout

    async def _settle(self, grace: float) -> None:
        """Wait at most `grace` seconds until nothing is under way in either direction."""
        loop = self._channel.loop
        deadline = loop.time() + grace
        while (under_way := self._under_way()) and (left := deadline - loop.time()) > 0:
            await asyncio.wait(under_way, timeout=left)

    def _under_way(self) -> set[asyncio.Future[Any]]:
        return self._without_current(self._answering.running) | self._calls.waiting()

    @staticmethod
    def _without_current(tasks: Iterable[asyncio.Future[Any]]) -> set[asyncio.Future[Any]]:
        """Leave out the responder that closes its own connection: it cannot wait for itself."""
        return set(tasks) - {asyncio.current_task()}

    def _close_behind_fatal(self) -> None:
        self._channel.close(ConnectionLost("this end refused with a fatal error"), self._options.close_timeout)

    def _address_from(self, key: str) -> Address:
        transport = self._channel.transport
        sock = transport.get_extra_info("socket") if transport is not None else None
        if transport is None or sock is None:
            return self._address
        return address_of(sock.family, transport.get_extra_info(key), self._address)


def _answerable(schema: CommandSchema) -> CommandSchema:
    if not schema.answers:
        raise LocalProtocolError(f"{printable(schema.name)} has answers=False; use `tell`")
    return schema
