"""Peers of programs that have hooks, and responders within them; a program without hooks pays for nothing here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from ampkit.asyncio.address import Address
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.remote import UNSET, Unset
from ampkit.core.connection import Connection
from ampkit.core.watched import WatchedConnection
from ampkit.errors import AmpError, LocalProtocolError, RemoteError, RemoteProtocolError
from ampkit.hooks import Ask, Call, Hooks, overriding
from ampkit.policy.dispatch import Dispatch, Refusal
from ampkit.policy.options import Options
from ampkit.schema.command import Command, CommandSchema
from ampkit.schema.responders import Responder, Responders
from ampkit.wire.box import Box, encode_pairs
from ampkit.wire.keys import RESERVED
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

R = TypeVar("R")


def unconnected_peer(
    make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
) -> Peer:
    """Return a peer for these options: its `channel` is the protocol for the transport that it needs to be open."""
    kind = HookedPeer if options.hooks else Peer
    return kind(make_responders, address, limits=limits, options=options)


class HookedPeer(Peer):
    """A peer that runs the program's hooks around what any peer does."""

    def __init__(
        self, make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
    ) -> None:
        self._hooks = options.hooks
        self._calling = overriding(options.hooks, "calling")
        self._opened: list[Hooks] = []
        super().__init__(partial(_begin, make_responders), address, limits=limits, options=options)

    # The connection

    def _make_connection(self, limits: Limits) -> Connection:
        received, sent = overriding(self._hooks, "box_received"), overriding(self._hooks, "box_sent")
        if not (received or sent):
            return super()._make_connection(limits)
        return WatchedConnection(
            limits,
            lambda box: self._show([partial(each.box_received, self, box) for each in received]),
            lambda box: self._show([partial(each.box_sent, self, box) for each in sent]),
        )

    def begin(self, make_responders: Callable[[Peer], Responders]) -> Responders:
        """Show the hooks that the connection is open, then make its responders."""
        for each in self._hooks:
            each.opened(self)
            self._opened.append(each)
        responders = make_responders(self)
        answering = overriding(self._hooks, "answering")
        return HookedResponders(responders, answering, self._options.dispatch) if answering else responders

    def ended(self, reason: AmpError, waiters: list[Any]) -> None:
        super().ended(reason, waiters)
        self._show([partial(each.closed, self, reason) for each in reversed(self._opened)])

    def _show(self, hooks: Iterable[Callable[[], None]]) -> None:
        """Run hooks that only look on: if one fails, it fails alone."""
        for hook in hooks:
            try:
                hook()
            except Exception as error:  # noqa: BLE001 - the program's own code
                self._answering.log.failure("a hook failed", error)

    # Calling

    async def call(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> R:
        schema = command.__command__
        call = Call(self, schema.name, schema.answers)
        with self._around(call):
            return await super().call(_extended(command, call), timeout=timeout)
        raise _swallowed(call)

    async def _call_each(self, commands: Sequence[Command[Any]], timeout: float | Unset | None) -> list[Any]:
        entered: list[_Entered] = []
        calls = [Call(self, command.__command__.name, command.__command__.answers) for command in commands]
        try:
            for call in calls:
                entered.append(_Entered(self._around(call)))
            extended = [_extended(command, call) for command, call in zip(commands, calls, strict=True)]
            outcomes = await super()._call_each(extended, timeout)
        except BaseException as error:
            for each in entered:
                each.leave(error)
            raise
        return [each.leave(outcome) for each, outcome in zip(entered, outcomes, strict=True)]

    async def tell(self, command: Command[Any]) -> None:
        call = Call(self, command.__command__.name, answers=False)
        with self._around(call):
            return await super().tell(_extended(command, call))
        raise _swallowed(call)

    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | Unset | None = UNSET
    ) -> Box:
        call = Call(self, command, answers=True)
        with self._around(call):
            return await super().call_raw(command, {**(box or {}), **_checked(call)}, timeout=timeout)
        raise _swallowed(call)

    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        call = Call(self, command, answers=False)
        with self._around(call):
            return await super().tell_raw(command, {**(box or {}), **_checked(call)})
        raise _swallowed(call)

    def _around(self, call: Call) -> AbstractContextManager[None]:
        return _all_of([partial(each.calling, call) for each in self._calling])


class HookedResponders(Responders):
    """Responders, each within the hooks, for one connection.

    A hook comes before anything is said or done about an ask. So each ask, even one without a responder, has a
    coroutine that takes its whole box, and finds the responder and decodes the arguments behind the hooks.
    """

    def __init__(self, responders: Responders, hooks: tuple[Hooks, ...], dispatch: Dispatch) -> None:
        super().__init__(None)
        self._responders = responders
        self._hooks = hooks
        self._dispatch = dispatch

    def find(self, name: bytes) -> Responder:
        hooked = self._table.get(name)
        if hooked is None:
            responder = self._responders.find(name)
            schema = replace(responder.command if responder else _Unknown.__command__, name=name, decode=_whole)
            requires_tls = responder is not None and responder.requires_tls
            hooked = Responder(schema, partial(self._answer, name, responder), True, requires_tls)
            if responder:  # the names that have none are the other end's to choose, without end
                self._table[name] = hooked
        return hooked

    async def _answer(self, name: bytes, responder: Responder | None, box: Box, peer: Peer) -> Any:
        ask = Ask(peer, name, box)
        with _all_of([partial(each.answering, ask) for each in self._hooks]):
            if responder is None:
                raise _not_run(self._dispatch.unhandled(name))
            try:
                command = responder.command.decode(box)
            except RemoteProtocolError as error:
                raise _not_run(self._dispatch.malformed(error)) from error
            result = responder.function(command, peer=peer) if responder.takes_peer else responder.function(command)
            return await result if hasattr(result, "__await__") else result
        raise LocalProtocolError(f"a hook swallowed why {printable(name)} failed: let it pass, or raise another error")


class _Unknown(Command[None]):
    """Stands for a command that this program does not know."""


def _whole(box: Mapping[bytes, bytes]) -> Any:
    return box


class _Entered:
    """The hooks around one of many calls, in a context of its own: each would be inside those before it."""

    def __init__(self, around: AbstractContextManager[None]) -> None:
        self._context = copy_context()
        self._around = around
        self._context.run(around.__enter__)

    def leave(self, outcome: Any) -> Any:
        """Leave them with the response or the error, and return what the hooks made of it."""
        error = outcome if isinstance(outcome, BaseException) else None
        try:
            self._context.run(self._around.__exit__, type(error) if error else None, error, None)
        except Exception as another:  # noqa: BLE001 - it stands in the place of the outcome
            return another
        return outcome


def _begin(make_responders: Callable[[Peer], Responders], peer: Peer) -> Responders:
    return cast(HookedPeer, peer).begin(make_responders)


@contextmanager
def _all_of(hooks: Iterable[Callable[[], AbstractContextManager[object]]]) -> Generator[None]:
    with ExitStack() as stack:
        for hook in hooks:
            stack.enter_context(hook())
        yield


def _extended(command: Command[R], call: Call) -> Command[R]:
    """Return what is encoded as the command with the extension keys behind it."""
    if not call.extensions:
        return command
    return cast("Command[R]", _Extended(command.__command__, command, encode_pairs(_checked(call))))


class _Extended:
    """As much of a command as a peer looks at."""

    def __init__(self, schema: CommandSchema, command: Command[Any], extensions: bytes) -> None:
        def encode(_: object) -> bytes:
            return schema.encode(command) + extensions

        self.__command__ = replace(schema, encode=encode)


def _checked(call: Call) -> Mapping[bytes, bytes]:
    for key in call.extensions:
        if not key.startswith(b"_") or key in RESERVED:
            raise LocalProtocolError(f"{printable(key)} is no extension key: those begin with an underscore")
    return call.extensions


def _not_run(refusal: Refusal) -> RemoteError:
    return RemoteError(refusal.code.decode("ascii", "backslashreplace"), refusal.description.decode("utf-8", "replace"))


def _swallowed(call: Call) -> LocalProtocolError:
    name = printable(call.command)
    return LocalProtocolError(f"a hook swallowed why {name} failed: let it pass, or raise another error")
