"""A peer whose calls are made within a program's hooks; encodes what they add, and sends as any peer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import replace
from typing import Any, TypeVar, cast

from ampkit.asyncio.address import Address
from ampkit.asyncio.hooked_peer import HookedPeer
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.remote import UNSET, Unset
from ampkit.asyncio.within import swallowed, within
from ampkit.errors import LocalProtocolError
from ampkit.hooks import Call, overriding
from ampkit.policy.options import Options
from ampkit.schema.command import Command, CommandSchema
from ampkit.schema.descriptor import Carrier
from ampkit.schema.responders import Responders
from ampkit.wire.box import Box, encode_pairs
from ampkit.wire.keys import RESERVED
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

R = TypeVar("R")


class HookedCaller(HookedPeer):
    """A peer that calls within hooks."""

    __slots__ = ("_calling",)

    def __init__(
        self, make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
    ) -> None:
        super().__init__(make_responders, address, limits=limits, options=options)
        self._calling = [each.calling for each in overriding(options.hooks, "calling")]

    async def call(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> R:
        schema = command.__command__
        call = Call(self, schema.name, schema.answers)
        with within(self._calling, call):
            return await super().call(_extended(command, call), timeout=timeout)
        raise swallowed(call.command)

    async def _call_each(self, commands: Sequence[Command[Any]], timeout: float | Unset | None) -> list[Any]:
        entered: list[_Entered] = []
        calls = [Call(self, command.__command__.name, command.__command__.answers) for command in commands]
        try:
            for call in calls:
                entered.append(_Entered(within(self._calling, call)))
            extended = [_extended(command, call) for command, call in zip(commands, calls, strict=True)]
            outcomes = await super()._call_each(extended, timeout)
        except BaseException as error:
            for each in entered:
                each.leave(error)
            raise
        return [each.leave(outcome) for each, outcome in zip(entered, outcomes, strict=True)]

    async def tell(self, command: Command[Any]) -> None:
        call = Call(self, command.__command__.name, answers=False)
        with within(self._calling, call):
            return await super().tell(_extended(command, call))
        raise swallowed(call.command)

    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | Unset | None = UNSET
    ) -> Box:
        call = Call(self, command, answers=True)
        with within(self._calling, call):
            return await super().call_raw(command, {**(box or {}), **_checked(call)}, timeout=timeout)
        raise swallowed(call.command)

    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        call = Call(self, command, answers=False)
        with within(self._calling, call):
            return await super().tell_raw(command, {**(box or {}), **_checked(call)})
        raise swallowed(call.command)


class _Entered:
    """The hooks around one of many calls, in a context of its own: each would be inside those before it."""

    def __init__(self, around: AbstractContextManager[object]) -> None:
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


def _extended(command: Command[R], call: Call) -> Command[R]:
    """Return what is encoded as the command with the extension keys behind it."""
    if not call.extensions:
        return command
    return cast("Command[R]", _Extended(command.__command__, command, encode_pairs(_checked(call))))


class _Extended:
    """As much of a command as a peer looks at."""

    def __init__(self, schema: CommandSchema, command: Command[Any], extensions: bytes) -> None:
        def encode(_: object, carrier: Carrier | None = None) -> bytes:
            return schema.encode(command, carrier) + extensions

        self.__command__ = replace(schema, encode=encode, plan=None)


def _checked(call: Call) -> Mapping[bytes, bytes]:
    for key in call.extensions:
        if not key.startswith(b"_") or key in RESERVED:
            raise LocalProtocolError(f"{printable(key)} is no extension key: those begin with an underscore")
    return call.extensions
