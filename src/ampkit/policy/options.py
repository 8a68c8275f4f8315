"""How one connection behaves, as far as the program may choose; what it may cost is in `Limits`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ampkit.hooks import Hooks
from ampkit.policy.dispatch import DEFAULT_DISPATCH, Dispatch

DEFAULT_CONNECT_TIMEOUT: Final = 30.0
"""Seconds; a TCP handshake that lost its first four packets takes 31, and nobody waits longer for a human."""

DEFAULT_HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds; a TLS handshake is two round trips, so this is for the worst of lines, and bounds whoever idles."""

DEFAULT_CLOSE_TIMEOUT: Final = 5.0
"""Seconds that asks under way have to end when a server closes; container runtimes kill after 10."""

DEFAULT_DRAIN_GRACE: Final = 30.0
"""Seconds that `drain` gives what was begun: what load balancers and process managers wait for by default."""

DEFAULT_PING_INTERVAL: Final = 30.0
"""Seconds; home routers forget a connection that says nothing for a minute or two."""

DEFAULT_PING_TIMEOUT: Final = 20.0
"""Seconds; TCP repeats a lost packet five times within 13, and a program that is that busy is of no use."""

DEFAULT_TRIES: Final = 3
"""More would multiply the load of what is overloaded, and an ask that kills every server that runs it has to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices for one connection, or for all of a server's; pass it to `connect` or `serve`."""

    timeout: float | None = None
    """Seconds for each call that does not say otherwise; None waits as long as the connection lasts."""

    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT
    """Seconds to reach an address, all its IP addresses together."""

    handshake_timeout: float = DEFAULT_HANDSHAKE_TIMEOUT
    """Seconds that a TLS handshake may take; with STARTTLS from the ask to its end."""

    close_timeout: float = DEFAULT_CLOSE_TIMEOUT
    """Seconds that `Server.close` gives the asks that run and the bytes that are not yet taken."""

    extensions: bool = True
    """Say more than AMP does: time limits, cancellation, pings. Every AMP peer ignores or refuses it; see the docs."""

    descriptors: bool = False
    """Make connections over unix sockets fit for file descriptors where only some are; see `Descriptor`."""

    ping_interval: float | None = DEFAULT_PING_INTERVAL
    """Seconds without a byte from the other end after which it is pinged; None never pings. Every AMP peer answers."""

    ping_timeout: float = DEFAULT_PING_TIMEOUT
    """Seconds without a byte after a ping, after which the connection is lost."""

    strict: bool = False
    """Close the connection on a stray answer or a box that means nothing; otherwise it is dropped."""

    dispatch: Dispatch = DEFAULT_DISPATCH
    """How errors cross the wire."""

    fail_fast: bool = False
    """Whether calls of a peer that comes back, or of a pool, raise NotSent at once while there is no connection."""

    tries: int = DEFAULT_TRIES
    """How often such a peer or pool sends an ask in all, where it may be repeated."""

    hooks: tuple[Hooks, ...] = ()
    """What the program sees of its connections and does around its calls; the first is the outermost."""


DEFAULT_OPTIONS: Final = Options()
