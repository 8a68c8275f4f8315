"""Whether a connection is alive, idle, or stuck in half a box: looks now and then, and ends it; knows no command."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from ampkit.asyncio.channel import Channel
from ampkit.asyncio.extending import Extending
from ampkit.asyncio.outcome import Ended
from ampkit.asyncio.rota import Rota
from ampkit.core.states import State
from ampkit.errors import AmpError, ConnectionLost, RemoteProtocolError
from ampkit.policy.extensions import PING
from ampkit.policy.options import Options
from ampkit.wire.limits import Limits

_LOOKS: Final = 2
"""How often it looks within the shortest of its times. Reading a clock with each read would cost more than a box."""


def seconds_between_looks(limits: Limits, options: Options) -> float:
    """Return the seconds that usually lie between two looks; 0 if there is nothing to look for."""
    times = [limits.box_timeout, limits.idle_timeout, options.ping_interval if options.extensions else None]
    return min((seconds for seconds in times if seconds is not None), default=0.0) / _LOOKS


def make_rota(limits: Limits, options: Options) -> Rota | None:
    """Return a rota for connections with these limits and options; None if there is nothing to look for."""
    seconds = seconds_between_looks(limits, options)
    return Rota(seconds, options.ping_timeout) if seconds else None


class Watched(Protocol):
    """A peer, as far as it is looked at here."""

    channel: Channel
    rota: Rota | None
    """Who says when to look at all connections of a server; one that is alone has a timer."""

    @property
    def deeds(self) -> int | None:
        """How many commands have gone in both directions; None while one is under way."""
        ...

    @property
    def extending(self) -> Extending:
        """Who pings."""
        ...


class Keepalive:
    """Looks at one connection from `start` to `stop`.

    After `Options.ping_interval` seconds without a byte it pings, and gives the answer `Options.ping_timeout`
    seconds: so a dead peer is found within one and a half of the first and one of the second. What this end holds
    back itself is no silence.
    """

    __slots__ = (
        "_box_began",
        "_box_since",
        "_channel",
        "_deeds",
        "_heard_at",
        "_idle_since",
        "_is_asking",
        "_limits",
        "_options",
        "_peer",
        "_period",
        "_pinged_at",
        "_rota",
        "_tick",
        "_timer",
        "_unsent",
        "round_trip",
    )

    def __init__(self, peer: Watched, *, limits: Limits, options: Options) -> None:
        self.round_trip: float | None = None
        """Seconds that the last ping took; None before."""
        self._peer: Watched | None = peer
        self._channel = peer.channel
        self._limits = limits
        self._options = options
        self._rota = rota = peer.rota
        self._period = seconds_between_looks(limits, options) if rota is None else rota.period
        self._heard_at = self._idle_since = self._box_since = peer.channel.loop.time()
        self._pinged_at: float | None = None
        self._is_asking = False
        self._unsent = 0
        self._deeds: int | None = 0
        self._box_began: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tick: int | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._period:
            self._look_again(self._period)

    def stop(self) -> None:
        """Look no more."""
        self._peer = None  # which has this object: a cycle would keep all of the connection
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rota is not None and self._tick is not None:
            self._rota.remove(self, self._tick)
            self._tick = None

    def _look_again(self, seconds: float) -> None:
        if self._rota is None:
            self._timer = self._channel.loop.call_later(seconds, self.look)
        else:
            self._tick = self._rota.add(self, seconds)

    def look(self) -> None:
        """Do what is to be done now, and look again later."""
        self._tick = None
        now = self._channel.loop.time()
        self._look_for_life(now)
        error = self._dead(now) or self._half_box(now)
        if error is not None:
            self._channel.fail(error)
        elif self._is_idle(now):
            idle = ConnectionLost(f"idle for {self._limits.idle_timeout} s")
            self._channel.close(idle, self._options.close_timeout)
        if self._channel.connection.state is not State.CLOSED:
            self._look_again(self._ping(now))

    def _look_for_life(self, now: float) -> None:
        channel = self._channel
        unsent = channel.buffered()
        holds_back = not channel.is_reading and (not unsent or unsent < self._unsent)
        if channel.heard or holds_back:
            channel.heard = False
            self._heard_at = now
        self._unsent = unsent

    # Dead or alive

    def _ping(self, now: float) -> float:
        """Ping if it is time to, and return when to look again."""
        interval, timeout = self._options.ping_interval, self._options.ping_timeout
        if self._pinged_at is not None and self._heard_at > self._pinged_at:
            self._pinged_at = None  # it lives, whether it answers or not
        if interval is None or self._pinged_at is not None or now - self._heard_at < interval - 1e-6:
            return self._period
        # One that answers nothing gets one ping, not one after another.
        if not self._is_asking and self._peer is not None:
            self._is_asking = self._peer.extending.notify(PING, ended=self._pong)
        if self._is_asking:
            self._pinged_at = now
        return min(self._period, timeout)

    def _pong(self, outcome: Any) -> None:
        if self._pinged_at is not None and not isinstance(outcome, Ended):
            self.round_trip = self._channel.loop.time() - self._pinged_at
        self._pinged_at = None
        self._is_asking = False

    def _dead(self, now: float) -> AmpError | None:
        if self._pinged_at is None or self._heard_at > self._pinged_at:
            return None
        if now - self._pinged_at < self._options.ping_timeout - 1e-6:
            return None
        return ConnectionLost(f"no sign of life for {now - self._heard_at:.1f} s, and no answer to a ping")

    # Half a box

    def _half_box(self, now: float) -> AmpError | None:
        """Say that a box which has begun some time ago has not come to its end."""
        began, timeout = self._channel.connection.box_begun, self._limits.box_timeout
        if began is None or began != self._box_began or not self._channel.is_reading:
            self._box_began, self._box_since = began, now
            return None
        # It had begun at some time since the look before that which first saw it.
        if timeout is None or now - self._box_since + self._period < timeout - 1e-6:
            return None
        return RemoteProtocolError(f"a box that was not complete within box_timeout={timeout} s", began)

    # Idle

    def _is_idle(self, now: float) -> bool:
        """Whether no command has gone in either direction for so long, and none is under way. Pings are none."""
        timeout = self._limits.idle_timeout
        if timeout is None or self._peer is None:
            return False
        deeds = self._peer.deeds
        if deeds is None or deeds != self._deeds:
            self._deeds, self._idle_since = deeds, now
        return now - self._idle_since >= timeout - 1e-6
