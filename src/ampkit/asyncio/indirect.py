"""Calls through whichever peer is there, and again through the next where that is safe; connects and chooses none."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from ampkit.asyncio.peer import Peer
from ampkit.asyncio.presence import Presence, PresenceBoard
from ampkit.asyncio.remote import UNSET, Remote, Unset
from ampkit.asyncio.tries import Tries
from ampkit.errors import AmpError, DeadlineExceeded, NotSent
from ampkit.policy.options import Options
from ampkit.policy.retry import may_repeat
from ampkit.schema.command import Command
from ampkit.schema.descriptor import CHECKING
from ampkit.wire.box import Box

R = TypeVar("R")
T = TypeVar("T")

Asking: TypeAlias = Callable[[Peer, float | None], Awaitable[T]]
"""Asks a peer, within some seconds."""


class Indirect(Remote):
    """A remote that has no connection of its own.

    Each call takes a peer, and gives it back with how that went. An ask is sent again, at most
    `Options.tries` times in all, if it certainly never ran, or if an answer was lost and its command is
    `idempotent`. All of it together has the call's `timeout`.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.board = PresenceBoard()

    # Whether it is there

    @property
    def presence(self) -> Presence:
        """CONNECTED, WAITING while there is no connection, or CLOSED for good."""
        return self.board.now

    @property
    @abstractmethod
    def end_reason(self) -> AmpError | None:
        """Why the last connection ended, or could not be made; None if nothing has gone wrong yet."""

    async def wait_for(self, presence: Presence) -> None:
        """Wait until it is so. Raises what made it CLOSED, a ConnectionLost, if it will not be so any more."""
        while self.board.now is not presence:
            if self.board.now is Presence.CLOSED:
                raise self.end_reason or self._absent()
            await self.board.news()

    def changes(self) -> AsyncGenerator[Presence]:
        """Give the present state, then each further one up to CLOSED: `async for presence in peer.changes()`.

        What has come and gone while the program did not ask for the next one is left out.
        """
        return self.board.changes()

    # What a subclass has to do

    @abstractmethod
    def _find(self, count: int) -> Peer | None:
        """Return a peer that can be asked so many things; None if there is none but may be. Raises NotSent."""

    @abstractmethod
    def _absent(self) -> NotSent:
        """Return the error that says why there is none."""

    def _give_back(self, peer: Peer, count: int, outcomes: Sequence[object]) -> None:
        """Take a peer back, with the exceptions and other outcomes of asks that have ended."""

    def _width(self) -> int:
        """Return over how many peers it is worthwhile to spread."""
        return 1

    # Calling

    async def call(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> R:
        """Ask, and return the response: as `Peer.call`, over as many connections as it takes.

        Raises as `Peer.call` does: ConnectionLost only if the command may have run and is not `idempotent`, or
        if there were too many tries; NotSent if there is no connection any more, or with `Options.fail_fast` if
        there is none now. DeadlineExceeded includes the time that was waited for a connection.
        """
        return await self._ask(
            lambda peer, seconds: peer.call(command, timeout=seconds), timeout, command.__command__.idempotent
        )

    async def tell(self, command: Command[Any]) -> None:
        """Send a command without asking for an answer, once there is a connection; it is never repeated."""
        await self._ask(lambda peer, _: peer.tell(command), UNSET)

    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | Unset | None = UNSET
    ) -> Box:
        """Ask with a box of bytes: as `Peer.call_raw`, repeated only if it certainly never ran."""
        return await self._ask(lambda peer, seconds: peer.call_raw(command, box, timeout=seconds), timeout)

    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        """Send a box of bytes without asking for an answer, as `tell` does."""
        await self._ask(lambda peer, _: peer.tell_raw(command, box), UNSET)

    # Inside

    async def _ask(self, asking: Asking[T], timeout: float | Unset | None, idempotent: bool = False) -> T:
        tries = self._tries(timeout)
        while True:
            peer = self._find(1) or await self._wait_for_peer(1, tries)
            try:
                result = await asking(peer, tries.left())
            except BaseException as error:
                self._give_back(peer, 1, [error])
                if not (isinstance(error, AmpError) and may_repeat(error, idempotent=idempotent)):
                    raise
                if not await tries.another([error]):
                    raise
            else:
                self._give_back(peer, 1, [result])
                return result

    async def _call_each(self, commands: Sequence[Command[Any]], timeout: float | Unset | None) -> list[Any]:
        tries = self._tries(timeout)
        width = min(self._width(), len(commands))
        if width <= 1:
            return await self._ask_part(commands, tries)
        for command in commands:  # or some would have been sent when one of the last cannot be
            command.__command__.encode(command, CHECKING)
        asking = (self._ask_part(commands[at::width], self._tries(tries.left())) for at in range(width))
        outcomes: list[Any] = [None] * len(commands)
        for at, part in enumerate(await asyncio.gather(*asking, return_exceptions=True)):
            if isinstance(part, BaseException):
                raise part
            outcomes[at::width] = part
        return outcomes

    async def _ask_part(self, commands: Sequence[Command[Any]], tries: Tries) -> list[Any]:
        """Ask some things through one peer at a time, and return how each has ended."""
        outcomes: list[Any] = [None] * len(commands)
        left: Sequence[int] = range(len(commands))
        while left:
            try:
                peer = self._find(len(left)) or await self._wait_for_peer(len(left), tries)
            except AmpError as error:
                return [error if i in left else outcome for i, outcome in enumerate(outcomes)]
            results = await self._ask_all(peer, [commands[i] for i in left], tries.left())
            for i, result in zip(left, results, strict=True):
                outcomes[i] = result
            left = [i for i in left if _may_repeat(outcomes[i], commands[i])]
            if left and not await tries.another([outcomes[i] for i in left]):
                break
        return outcomes

    async def _ask_all(self, peer: Peer, commands: Sequence[Command[Any]], seconds: float | None) -> list[Any]:
        results: list[Any] = []
        try:
            results = await peer.call_many(commands, timeout=seconds, return_exceptions=True)
        finally:
            self._give_back(peer, len(commands), results)
        return results

    async def _wait_for_peer(self, count: int, tries: Tries) -> Peer:
        while (peer := self._find(count)) is None:
            try:
                await tries.within(self.board.news())
            except DeadlineExceeded as error:
                raise DeadlineExceeded(f"not in time: {self._absent()}") from error
        return peer

    def _tries(self, timeout: float | Unset | None) -> Tries:
        return Tries(self._options.timeout if isinstance(timeout, Unset) else timeout, self._options.tries)


def _may_repeat(outcome: object, command: Command[Any]) -> bool:
    return isinstance(outcome, AmpError) and may_repeat(outcome, idempotent=command.__command__.idempotent)
