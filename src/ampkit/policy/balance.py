"""Which member of a pool is asked next, and which is left out for a while; asks nobody and reads no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ampkit.errors import ConnectionLost, DeadlineExceeded
from ampkit.policy.backoff import Backoff
from ampkit.policy.retry import was_not_begun, was_not_sent

DEFAULT_REST: Final = Backoff(first=1.0, longest=60.0, steady=60.0)
"""A process that is restarted is well again after some seconds; what is ill for longer is checked once a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """When a pool leaves a member out, and how it looks after its members; pass it to `connect_pool`.

    Raises ValueError for numbers that make no sense.
    """

    failures: int = 5
    """Failures in a row after which a member is ejected: lost connections, missed deadlines, refusals as BUSY."""

    rest: Backoff = DEFAULT_REST
    """How long an ejected member rests before it is checked, and returns if it is well; longer each time."""

    check_every: float = 10.0
    """Seconds without an answer after which a member is asked for a sign of life."""

    check_timeout: float = 5.0
    """Seconds that a member has to give it."""

    def __post_init__(self) -> None:
        if self.failures < 1 or not (self.check_every > 0 and self.check_timeout > 0):
            raise ValueError(f"a balance needs at least one failure, and times above 0, not {self}")


DEFAULT_BALANCE: Final = Balance()


class Health:
    """What a pool knows of one member."""

    __slots__ = ("ejected", "ejections", "failures", "load", "quiet", "returned")

    def __init__(self) -> None:
        self.load = 0
        """Asks under way."""
        self.failures = 0
        """In a row."""
        self.quiet = False
        """Whether nothing was heard of it since this was last set."""
        self.ejected = False
        self.ejections = 0
        """In a row: how often it was ejected without having been well for long."""
        self.returned = -math.inf
        """When it last began to be asked."""

    def heard(self, balance: Balance, outcome: object, now: float) -> bool:
        """Note how an ask has ended; return true if the member is to be ejected for it."""
        if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
            return False  # whoever waited was cancelled, which says nothing
        if not is_failure(outcome):
            self.failures, self.quiet = 0, False
            return False
        self.failures += 1
        if self.ejected or self.failures < balance.failures:
            return False
        self.ejected = True
        self.ejections = balance.rest.failures_after(self.ejections, now - self.returned)
        return True

    def rest(self, balance: Balance, chance: float) -> float | None:
        """Return the seconds that an ejected member rests before its next check; None: it does not return."""
        return balance.rest.wait(self.ejections, chance)

    def checked(self, outcome: object, now: float) -> None:
        """Let an ejected member return if its check went well."""
        if is_failure(outcome):
            self.ejections += 1
        else:
            self.ejected, self.failures, self.returned = False, 0, now


def is_failure(outcome: object) -> bool:
    """Whether an outcome speaks against the member: any answer, an error too, shows that it works."""
    if isinstance(outcome, DeadlineExceeded):
        return True
    if not isinstance(outcome, Exception) or was_not_sent(outcome):
        return False
    return isinstance(outcome, ConnectionLost) or was_not_begun(outcome)


def choose(members: Sequence[Health], first: float, second: float) -> int:
    """Return the index of the member to ask next: the less loaded of two that chance has picked.

    Two choices spread almost as well as a look at all, and where many pools choose they do not all run to the same
    member. `first` and `second` are from 0 up to, but not including, 1. Ejected members are picked only if all
    are ejected: then each may be as good as any other. Raises ValueError if there is no member.
    """
    fit = _fit(members)
    one = int(first * len(fit))
    other = int(second * (len(fit) - 1))
    other += other >= one and len(fit) > 1  # any but the first one
    return fit[one] if members[fit[one]].load <= members[fit[other]].load else fit[other]


def least_loaded(members: Sequence[Health]) -> int:
    """Return the index of the member to ask many things, as its share of still more.

    Ejected members are left out as by `choose`. Raises ValueError if there is no member.
    """
    return min(_fit(members), key=lambda index: members[index].load)


def _fit(members: Sequence[Health]) -> Sequence[int]:
    if not members:
        raise ValueError("there is no member to choose")
    return [index for index, member in enumerate(members) if not member.ejected] or range(len(members))
