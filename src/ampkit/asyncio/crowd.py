"""How many connections one server has, in all and from each address; opens and closes none."""

from __future__ import annotations

from collections import Counter
from typing import Any, Generic, Protocol, TypeVar

from ampkit.asyncio.log import logger
from ampkit.errors import ConnectionLost
from ampkit.wire.limits import Limits


class Member(Protocol):
    """A peer, as far as it is looked at here."""

    crowd: Any

    @property
    def remote_address(self) -> str:
        """Where it comes from, as a URL."""
        ...


M = TypeVar("M", bound=Member)


class Crowd(Generic[M]):
    """Counts those who are in; says in the log when one has to stay out, once until another one leaves."""

    def __init__(self, limits: Limits) -> None:
        self.peers: dict[M, None] = {}
        """Those who are in, and those who have left and whose responders still clean up.

        A set would take three times the memory of a dictionary.
        """
        self._limits = limits
        self._count = 0
        self._by_host: Counter[str] = Counter()
        self._has_complained = False

    def enter(self, peer: M) -> None:
        """Count a connection. Raises ConnectionLost if that would be one too many; then it does not count."""
        host = _host(peer.remote_address)
        if self._count >= self._limits.max_connections:
            raise self._full(f"there are max_connections={self._count} already")
        if host and self._by_host[host] >= self._limits.max_connections_per_address:
            raise self._full(f"{host} has max_connections_per_address={self._by_host[host]} already")
        self._count += 1
        if host:
            self._by_host[host] += 1
        self.peers[peer] = None
        peer.crowd = self

    def leave(self, peer: M) -> None:
        """Count it no more."""
        host = _host(peer.remote_address)
        self._count -= 1
        self._has_complained = False
        if host:
            self._by_host[host] -= 1
            if not self._by_host[host]:
                del self._by_host[host]

    def forget(self, peer: M) -> None:
        """Have nothing to do with it any more."""
        self.peers.pop(peer, None)

    def _full(self, why: str) -> ConnectionLost:
        if not self._has_complained:
            self._has_complained = True
            logger.warning("a connection was refused: %s", why)
        return ConnectionLost(why)


def _host(remote_address: str) -> str:
    """Return the part of a URL that tells hosts apart; nothing where all come from the same one."""
    scheme, _, rest = remote_address.partition("://")
    return rest.rpartition(":")[0] if scheme in {"tcp", "tls"} else ""
