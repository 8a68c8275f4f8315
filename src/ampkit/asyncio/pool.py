"""Several connections as one remote: asks whom the policy chooses, and looks after each; decides nothing itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextvars import Context
from typing import Final, Self, TypeVar
from weakref import WeakKeyDictionary

from ampkit.asyncio.client import opener
from ampkit.asyncio.handshakes import AnyTls
from ampkit.asyncio.indirect import Indirect
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.peer import Peer
from ampkit.asyncio.presence import Presence
from ampkit.asyncio.reconnect import ReconnectingPeer
from ampkit.asyncio.remote import UNSET, Unset
from ampkit.core.states import State
from ampkit.errors import AmpError, NotSent
from ampkit.policy.backoff import Backoff
from ampkit.policy.balance import DEFAULT_BALANCE, Balance, Health, choose, least_loaded
from ampkit.policy.extensions import PING
from ampkit.policy.options import DEFAULT_OPTIONS, Options
from ampkit.schema.command import Command
from ampkit.schema.responders import Services
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

R = TypeVar("R")

DEFAULT_BACKOFF: Final = Backoff()


def connect_pool(
    *addresses: str,
    service: Services = None,
    connections: int = 1,
    reconnect: Backoff = DEFAULT_BACKOFF,
    balance: Balance = DEFAULT_BALANCE,
    tls: AnyTls | None = None,
    limits: Limits = DEFAULT_LIMITS,
    options: Options = DEFAULT_OPTIONS,
) -> Opening[Pool]:
    """Connect to one or several addresses, `connections` times each, and use all of them as one remote.

    `async with connect_pool("tcp://a:1", "tcp://b:1") as pool:` is awaited until one connection is there; the
    others are made meanwhile. Each comes back as `connect(..., reconnect=...)` has it, and serves the service.

    Raises LocalProtocolError and TypeError as `connect` does, and ValueError for no address or no connection; awaited,
    ConnectionFailed if `reconnect` gives up all of them.
    """
    if not addresses or connections < 1:
        raise ValueError("a pool needs at least one address and one connection to each")
    openers = [(address, opener(address, service, tls=tls, limits=limits, options=options)) for address in addresses]
    return Opening(
        lambda: Pool(
            [ReconnectingPeer(*each, reconnect, options) for each in openers for _ in range(connections)],
            balance,
            options,
        ).open()
    )


class _Member:
    """One connection that comes back, and what is known of it."""

    def __init__(self, remote: ReconnectingPeer) -> None:
        self.remote = remote
        self.health = Health()
        self.ejected = asyncio.Event()

    @property
    def peer(self) -> Peer | None:
        """The connection that can be asked now."""
        peer = self.remote.peer
        return peer if peer is not None and peer.state is State.OPEN and not peer.is_draining else None

    def absent(self) -> NotSent:
        """Return the error that says why it cannot be asked."""
        return NotSent(f"no connection to {self.remote.address}: {self.remote.end_reason}")


class Pool(Indirect):
    """Several connections as one: made by `connect_pool`.

    Each call goes to the less loaded of two connections that chance picks, a `call_many` to all of them in parts. A
    member that fails often in a row is ejected: it rests, is checked, and returns.
    """

    def __init__(self, members: Sequence[ReconnectingPeer], balance: Balance, options: Options) -> None:
        super().__init__(options)
        self._balance = balance
        self._loop = asyncio.get_running_loop()
        self._members = [_Member(remote) for remote in members]
        self._asked: WeakKeyDictionary[Peer, _Member] = WeakKeyDictionary()
        self._nurses: list[asyncio.Task[None]] = []

    async def open(self) -> Self:
        """Connect; returns when there is one connection. Raises the last ConnectionFailed if there will be none."""
        for member in self._members:
            member.remote.board.on_news = self._member_changed
            member.remote.start()
            # In an empty context: if a responder makes the pool, its deadline is not that of the checks.
            self._nurses.append(self._loop.create_task(self._look_after(member), context=Context()))
        try:
            await self.wait_for(Presence.CONNECTED)
        except BaseException:
            await self.close()
            raise
        return self

    @property
    def members(self) -> tuple[ReconnectingPeer, ...]:
        """All connections, in the order of the addresses, be they there or not."""
        return tuple(member.remote for member in self._members)

    @property
    def ejected(self) -> tuple[ReconnectingPeer, ...]:
        """The members that rest, because they failed too often in a row."""
        return tuple(member.remote for member in self._members if member.health.ejected)

    @property
    def end_reason(self) -> AmpError | None:
        """What went wrong last with any member that is not there; None if nothing has."""
        reasons = [member.remote.end_reason for member in self._members if member.peer is None]
        return next((reason for reason in reasons if reason is not None), None)

    async def call_all(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> list[R | Exception]:
        """Ask every member, and return what each came to, a response or an exception, in the order of `members`.

        Nothing is repeated. A member that is not connected is not waited for: its outcome is a NotSent.
        """
        return await asyncio.gather(*(self._ask_member(member, command, timeout) for member in self._members))

    # The end

    async def close(self, grace: float = 0.0) -> None:
        """Close all connections for good, each as `Peer.close` does. Calls that wait for one raise NotSent."""
        self.board.become(Presence.CLOSED)
        self._dismiss_nurses()
        closer = asyncio.current_task()
        await asyncio.gather(*(member.remote.close_for(closer, grace) for member in self._members))
        await asyncio.gather(*self._nurses, return_exceptions=True)

    async def wait_closed(self) -> None:
        """Wait until it is closed for good, by `close` or because there were too many failures."""
        await asyncio.gather(*(member.remote.wait_closed() for member in self._members))

    def __repr__(self) -> str:
        there = sum(member.peer is not None for member in self._members)
        return f"<Pool of {len(self._members)}, {there} connected, {len(self.ejected)} ejected>"

    # Choosing

    def _find(self, count: int) -> Peer | None:
        there = [(member, peer) for member in self._members if (peer := member.peer) is not None]
        if self.board.now is Presence.CLOSED or not there:
            if self.board.now is Presence.CLOSED or self._options.fail_fast:
                raise self._absent()
            return None
        healths = [member.health for member, _ in there]
        at = choose(healths, random.random(), random.random()) if count == 1 else least_loaded(healths)  # noqa: S311
        member, peer = there[at]
        member.health.load += count
        self._asked[peer] = member
        return peer

    def _give_back(self, peer: Peer, count: int, outcomes: Sequence[object]) -> None:
        member = self._asked[peer]
        member.health.load -= count
        for outcome in outcomes:
            self._heard(member, outcome)

    def _width(self) -> int:
        there = [member for member in self._members if member.peer is not None]
        return len([member for member in there if not member.health.ejected]) or len(there)

    def _absent(self) -> NotSent:
        error = NotSent(f"no connection of {len(self._members)}: {self.end_reason or self.presence.value}")
        error.__cause__ = self.end_reason
        return error

    async def _ask_member(self, member: _Member, command: Command[R], timeout: float | Unset | None) -> R | Exception:
        peer = member.peer
        if peer is None:
            return member.absent()
        member.health.load += 1
        try:
            response = await peer.call(command, timeout=timeout)
        except Exception as error:  # noqa: BLE001 - it is this member's outcome
            self._heard(member, error)
            return error
        finally:
            member.health.load -= 1
        self._heard(member, response)
        return response

    # Looking after members

    def _member_changed(self) -> None:
        states = {member.remote.presence for member in self._members}
        if Presence.CONNECTED in states:
            self.board.become(Presence.CONNECTED)
        elif Presence.WAITING in states:
            self.board.become(Presence.WAITING)
        else:
            self.board.become(Presence.CLOSED)
            self._dismiss_nurses()
        self.board.tell()

    def _dismiss_nurses(self) -> None:
        for nurse in self._nurses:
            nurse.cancel()

    def _heard(self, member: _Member, outcome: object) -> None:
        if member.health.heard(self._balance, outcome, self._loop.time()):
            member.ejected.set()

    async def _look_after(self, member: _Member) -> None:
        """Check a member when nothing is heard of it, and when it has rested, until that is given up."""
        while True:
            if not member.health.ejected:
                await self._wait_for_silence(member)
            elif (rest := member.health.rest(self._balance, random.random())) is not None:  # noqa: S311 - no secret
                await asyncio.sleep(rest)
                member.health.checked(await self._check(member), self._loop.time())
                member.ejected.clear()
            else:
                return

    async def _wait_for_silence(self, member: _Member) -> None:
        """Check the member once if nothing is heard of it for long; return at once when it is ejected."""
        member.health.quiet = True
        try:
            async with asyncio.timeout(self._balance.check_every):
                await member.ejected.wait()
        except TimeoutError:
            if member.health.quiet and member.peer is not None:
                self._heard(member, await self._check(member))

    async def _check(self, member: _Member) -> object:
        """Ask for a sign of life, and return the outcome: any answer is one, a refusal too.

        Nothing is asked, and nothing speaks against the member, if the program wants no `Options.extensions`.
        """
        peer = member.peer
        if peer is None or not self._options.extensions:
            return None
        try:
            return await peer.call_raw(PING, timeout=self._balance.check_timeout)
        except AmpError as error:
            return error
