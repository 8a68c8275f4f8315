"""A peer that shows its connection and its boxes to hooks; its calls are those of any peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

from ampkit.asyncio.address import Address
from ampkit.asyncio.hooked_responders import HookedResponders
from ampkit.asyncio.peer import Peer
from ampkit.core.connection import Connection
from ampkit.core.watched import WatchedConnection
from ampkit.errors import AmpError
from ampkit.hooks import Hooks, overriding
from ampkit.policy.options import Options
from ampkit.schema.responders import Responders
from ampkit.wire.limits import Limits


class HookedPeer(Peer):
    """A peer that shows its connection to the program's hooks, and answers within them."""

    __slots__ = ("_hooks", "_opened")

    def __init__(
        self, make_responders: Callable[[Peer], Responders], address: Address, *, limits: Limits, options: Options
    ) -> None:
        self._hooks = options.hooks
        self._opened: list[Hooks] = []
        super().__init__(partial(_begin, make_responders), address, limits=limits, options=options)

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


def _begin(make_responders: Callable[[Peer], Responders], peer: Peer) -> Responders:
    return cast(HookedPeer, peer).begin(make_responders)
