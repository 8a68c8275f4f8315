"""Responders within a program's hooks; runs none before the hooks let it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ampkit.asyncio.peer import Peer
from ampkit.asyncio.within import swallowed, within
from ampkit.errors import RemoteError, RemoteProtocolError
from ampkit.hooks import Ask, Hooks
from ampkit.policy.dispatch import Dispatch, Refusal
from ampkit.schema.command import Command
from ampkit.schema.descriptor import Carrier
from ampkit.schema.responders import Responder, Responders
from ampkit.wire.box import Box


class HookedResponders(Responders):
    """Responders, each within the hooks, for one connection.

    A hook comes before anything is said or done about an ask. So each ask, even one without a responder, has a
    coroutine that takes its whole box, and finds the responder and decodes the arguments behind the hooks.
    """

    def __init__(self, responders: Responders, hooks: tuple[Hooks, ...], dispatch: Dispatch) -> None:
        super().__init__(None)
        self.routes = None
        self._responders = responders
        self._hooks = [each.answering for each in hooks]
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

    async def _answer(
        self, name: bytes, responder: Responder | None, whole: tuple[Box, Carrier | None], peer: Peer
    ) -> Any:
        box, carrier = whole
        with within(self._hooks, Ask(peer, name, box)):
            if responder is None:
                raise _not_run(self._dispatch.unhandled(name))
            try:
                command = responder.command.decode(box, carrier)
            except RemoteProtocolError as error:
                raise _not_run(self._dispatch.malformed(error)) from error
            result = responder.function(command, peer=peer) if responder.takes_peer else responder.function(command)
            return await result if hasattr(result, "__await__") else result
        raise swallowed(name)


class _Unknown(Command[None]):
    """Stands for a command that this program does not know."""


def _whole(box: Mapping[bytes, bytes], carrier: Carrier | None = None) -> Any:
    return box, carrier


def _not_run(refusal: Refusal) -> RemoteError:
    return RemoteError(refusal.code.decode("ascii", "backslashreplace"), refusal.description.decode("utf-8", "replace"))
