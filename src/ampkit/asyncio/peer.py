"""One end of an open connection, for the program that uses it: calls, state and the end; moves no bytes itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from ampkit.asyncio.address import Address, address_of
from ampkit.asyncio.answering import Answering
from ampkit.asyncio.caller import Caller
from ampkit.asyncio.certificate import Certificate, certificate_of
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.closing import Closing
from ampkit.asyncio.crowd import Crowd
from ampkit.asyncio.extending import Duty
from ampkit.asyncio.handshakes import AnyTls
from ampkit.asyncio.keepalive import Keepalive
from ampkit.asyncio.late import late
from ampkit.asyncio.outcome import Ended
from ampkit.asyncio.quick import make_intake
from ampkit.asyncio.remote import UNSET, Unset
from ampkit.asyncio.rota import Rota
from ampkit.asyncio.starttls import NO_TLS, StartTls, TlsPart
from ampkit.asyncio.switch import Switching
from ampkit.core.connection import Connection
from ampkit.core.conversation import START_TLS
from ampkit.core.events import (
    AnswerReceived,
    AskReceived,
    ChangeRefused,
    Event,
    RefusalReceived,
    StrayReceived,
    SwitchAgreed,
    TlsAgreed,
    TlsAsked,
)
from ampkit.errors import (
    AmpError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    TlsFailed,
)
from ampkit.policy.extensions import CANCEL, DRAIN, PING, cancelled_tag
from ampkit.policy.options import Options
from ampkit.schema.command import Command
from ampkit.schema.responders import Responders
from ampkit.schema.switch import Switch
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

R = TypeVar("R")
P = TypeVar("P", bound=asyncio.Protocol)


class Peer(Caller):
    """The other end of one connection: call it, and be called by it.

    `connect` and `Server` make peers; a responder gets its own as the parameter `peer`. All methods must be
    called in the event loop that made it. Both ends are alike: whichever connected, either may call. A program may
    keep what it knows of the connection in attributes of its own.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_keepalive",
        "_local",
        "_made_closing",
        "_made_starttls",
        "_made_switching",
        "_make_responders",
        "crowd",
        "on_draining",
        "rota",
        "tls_part",
    )

    def __init__(
        self, make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
    ) -> None:
        self.channel = Channel(asyncio.get_running_loop(), self, self._make_connection(limits), limits)
        self._connection = self.channel.connection
        self._answering = Answering(self.channel, limits=limits, options=options)
        self.channel.intake = make_intake(self.channel, self, self._answering) or self.channel.intake
        self.on_draining: Callable[[], object] = _do_nothing
        """Called when `is_draining` becomes true."""
        self.crowd: Crowd[Peer] | None = None
        """Those who are connected to the same server."""
        self.rota: Rota | None = None
        self.tls_part: TlsPart = NO_TLS
        self._make_responders = make_responders
        self._remote = self._local = address
        self._options = options
        self._asking = None
        self._keepalive: Keepalive | None = None
        self._made_calls = None
        self._made_closing: Closing | None = None
        self._made_extending = None
        self._made_starttls: StartTls | None = None
        self._made_switching: Switching | None = None

    # Parts that most peers of a server never need

    @late
    def closing(self) -> Closing:
        """The orderly end."""
        return Closing(self.channel, self.calls, self._answering, self.extending, self._options.close_timeout)

    @late
    def starttls(self) -> StartTls:
        """How it becomes secure."""
        return StartTls(self.channel, self.calls, self._options, self.tls_part, self.remote_address)

    @late
    def _switching(self) -> Switching:
        return Switching(self.channel, self.calls)

    # The connection

    async def start_tls(self, tls: AnyTls | None = None) -> None:
        """Go on over TLS; returns when the connection is secure.

        Either end may ask; the end that connected is the TLS client. None takes what `connect` or `serve` was given,
        and the other end agrees if it was given any. What is called meanwhile is sent over TLS, or not at all.

        Raises LocalProtocolError, before anything is sent, if the connection is secure already or `tls` cannot be
        used; UnhandledCommand or another RemoteError if the other end refuses: then all goes on without TLS; TlsFailed
        if one end does not trust the other or the handshake takes longer than `Options.handshake_timeout` seconds,
        RemoteProtocolError if the other end sent anything between, ConnectionLost: then the connection is closed.
        Cancelling it closes the connection.
        """
        refused = await self.starttls.start(tls)
        if refused is not None:
            raise self._error(RefusalReceived(None, refused.code, refused.description), START_TLS, None)

    async def switch(
        self, command: Command[Switch], protocol: Callable[[], P], *, timeout: float | Unset | None = UNSET
    ) -> tuple[asyncio.Transport, P]:
        """Ask the other end to go on with another protocol; return the transport, and the protocol that has it now.

        If it agrees, `protocol` is called for an `asyncio.Protocol`, which gets `connection_made`, and the bytes that
        stand behind the answer. For this peer the connection has ended: calls that wait, and all later ones, raise
        ConnectionLost. Until the other end has decided, whatever is called raises ProtocolSwitched.

        Raises what `call` does: if the other end refuses, all goes on as before. But the connection is closed if the
        time runs out or if this is cancelled, as the other end may have switched.
        """
        made: list[P] = []

        def make() -> P:
            made.append(protocol())
            return made[0]

        schema = command.__command__
        if not schema.switches:
            raise LocalProtocolError(f"{printable(schema.name)} does not switch; declare it as a Command[Switch]")
        self._check(schema, switching=True)
        outcome = await self._switching.ask(schema.encode(command), make, self._seconds(timeout))
        if isinstance(outcome, ChangeRefused):
            raise self._error(RefusalReceived(None, outcome.code, outcome.description), schema.name, schema)
        if isinstance(outcome, Ended):
            raise self._error(outcome, schema.name, schema)
        return outcome, made[0]

    async def switch_to_streams(
        self, command: Command[Switch], *, timeout: float | Unset | None = UNSET
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Ask the other end to go on with another protocol, as `switch` does; return a reader and a writer for it."""
        reader = asyncio.StreamReader()
        transport, protocol = await self.switch(command, lambda: asyncio.StreamReaderProtocol(reader), timeout=timeout)
        return reader, asyncio.StreamWriter(transport, protocol, reader, self.channel.loop)

    @property
    def end_reason(self) -> AmpError | None:
        """Why the connection has ended: a ConnectionLost, or the RemoteProtocolError that ended it; None before."""
        return self._connection.end_reason

    @property
    def local_address(self) -> str:
        """This end as a URL."""
        return str(self._local)

    @property
    def is_draining(self) -> bool:
        """Whether the other end has said that it will close and begins nothing new: calls raise NotSent."""
        return self._made_calls is not None and self._made_calls.is_drained

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last ping took, see `Options.ping_interval`; None before there was one."""
        return None if self._keepalive is None else self._keepalive.round_trip

    @property
    def certificate(self) -> Certificate | None:
        """Who the other end is, as the certificate says that TLS has verified; None without one."""
        return certificate_of(self._tls())

    async def close(self, grace: float = 0.0) -> None:
        """Close the connection; returns when it is closed and no responder runs any more.

        With `grace` seconds, asks under way in both directions may end first, and ask for that what they need,
        while new ones of the other end are refused as BUSY. Then responders that still run are cancelled and
        calls that still wait fail with ConnectionLost. What was written is delivered if the other end takes it
        within `Options.close_timeout` seconds, and as long is waited for responders that do not heed their
        cancellation. Cancelling `close` closes at once. A responder may close its own connection: it is
        neither cancelled nor waited for, but its answer is lost.
        """
        await self.closing.close(grace, asyncio.current_task())

    async def wait_closed(self) -> None:
        """Wait until the connection is closed, by whichever end; `end_reason` says why."""
        await asyncio.shield(self.channel.closed)

    def __repr__(self) -> str:
        return f"<Peer {self._remote} {self.state.value}>"

    # What the channel calls (`ampkit.asyncio.channel.Owner`)

    def opened(self, transport: asyncio.Transport) -> None:
        """Note the addresses while they can be had, and get the responders, which may be this connection's own."""
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._remote = address_of(sock.family, transport.get_extra_info("peername"), self._remote)
            self._local = address_of(sock.family, transport.get_extra_info("sockname"), self._local)
        self._answering.remote = self._remote
        if transport.get_extra_info("ssl_object") is not None:
            self._connection.begin_secure()
        self._keepalive = Keepalive(self, limits=self._answering.limits, options=self._options)
        self._keepalive.start()
        try:
            self._answering.responders = self._make_responders(self)
            del self._make_responders
        except Exception as error:  # noqa: BLE001 - the program's own code failed; this connection is of no use
            if not isinstance(error, ConnectionLost):
                self._answering.log.failure("making a service failed", error)
            self.channel.fail(ConnectionLost("there is no service for this connection"))

    def event_received(self, event: Event) -> bool:
        """Give an event to whom it concerns; return false if it is an ask that has to wait."""
        if isinstance(event, AskReceived):
            return self._answering.ask_received(event, self)
        if isinstance(event, AnswerReceived | RefusalReceived):
            if not event.waiter.done():
                event.waiter.set_result(event)
        elif isinstance(event, StrayReceived):
            if self._options.strict and not event.late:
                self.channel.fail(RemoteProtocolError(event.reason))
        else:
            self._change(event)
        return True

    def descriptors_received(self, numbers: list[int]) -> None:
        """Keep them for the boxes that follow."""
        self.descriptors.received(numbers)

    def room_made(self) -> bool:
        """Run what waits for its turn; return whether more may be read in this one."""
        return self._answering.room_made(self)

    def _change(self, event: TlsAsked | TlsAgreed | SwitchAgreed | ChangeRefused) -> None:
        """Let the connection become secure, or another protocol, or stay what it is."""
        if isinstance(event, TlsAsked):
            self.starttls.asked(event)
        elif isinstance(event, TlsAgreed):
            self.starttls.agreed(event)
        elif isinstance(event, ChangeRefused):
            for waiter in self._connection.stay():
                waiter.set_result(Ended(TlsFailed("not sent: it was to go over TLS, which was refused", "refused")))
            switching = self._made_switching
            refused = switching if switching is not None and switching.is_asking else self.starttls
            refused.refused(event)
        else:
            self._switching.agreed(event)

    def ended(self, reason: AmpError, waiters: list[Any]) -> None:
        """End all calls and cancel all responders."""
        if self._made_starttls is not None:
            self._made_starttls.ended(reason)
        outcome = Ended(reason)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(outcome)
        if self._made_calls is not None:
            self._made_calls.end()
        if self._keepalive is not None:
            self._keepalive.stop()
        self._answering.end()

    def closed(self) -> None:
        """Leave the others at once, but stay known to the server until no responder runs any more."""
        if self.crowd is not None:
            self.crowd.leave(self)
            self._leave()

    def _leave(self, _: object = None) -> None:
        responder = next(iter(self._answering.tasks()), None)
        if responder is not None:
            responder.add_done_callback(self._leave)
        elif self.crowd is not None:
            self.crowd.forget(self)

    # Inside

    @property
    def deeds(self) -> int | None:
        """How many commands have gone in both directions, pings and their like apart; None while one is under way."""
        calls, extending = self._made_calls, self._made_extending
        if self._answering.tasks() or (calls is not None and calls.waiting() is not None):
            return None
        asked = self._connection.asked - (0 if extending is None else extending.asked)
        return self._answering.asked + asked + (0 if calls is None else calls.told)

    def _make_connection(self, limits: Limits) -> Connection:
        return Connection(limits)

    def _tls(self) -> ssl.SSLObject | None:
        transport = self.channel.transport
        return None if transport is None else transport.get_extra_info("ssl_object")

    def _drain(self, _: AskReceived) -> None:
        self.calls.drain()
        self.on_draining()

    def _cancel_ask(self, event: AskReceived) -> None:
        tag = cancelled_tag(event.box)
        if tag is not None:
            self._answering.cancel_ask(tag)

    def _take_ping(self, _: AskReceived) -> None:
        """Do nothing: it is answered."""

    _DUTIES: ClassVar[Mapping[bytes, Duty]] = {CANCEL: _cancel_ask, PING: _take_ping, DRAIN: _drain}


def _do_nothing() -> None:
    pass
