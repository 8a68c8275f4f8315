"""How long to wait before the next attempt to connect, and when to give up; waits for nothing and draws no lots."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How a connection is tried again: pass it as `connect(address, reconnect=Backoff())`.

    Each wait is a random time between nothing and a bound that grows with every failure in a row: clients that
    lost a server in the same moment do not all come back in the same moment. Raises ValueError for numbers that
    make no sense.
    """

    first: float = 0.1
    """Seconds, the bound of the first wait: a server that restarts in a second is found again in about that time."""

    factor: float = 2.0
    """By how much the bound grows with each failure."""

    longest: float = 30.0
    """Seconds that no bound exceeds: how late, at most, a server that was away for long is found."""

    attempts: int | None = None
    """Failures in a row after which no further attempt is made; None: it is tried for ever."""

    steady: float = 10.0
    """Seconds that a connection must have lasted, or its end is one more failure in the row.

    So a server that accepts connections and closes them at once is not overrun.
    """

    def __post_init__(self) -> None:
        if not (0 <= self.first <= self.longest and self.factor >= 1 and self.steady >= 0):
            raise ValueError(f"a backoff needs 0 <= first <= longest, factor >= 1 and steady >= 0, not {self}")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"a backoff makes at least one attempt, not {self.attempts}")

    def wait(self, failures: int, chance: float) -> float | None:
        """Return the seconds to wait after so many failures in a row, None to give up; `chance` is between 0 and 1."""
        if self.attempts is not None and failures >= self.attempts:
            return None
        try:
            bound = min(self.longest, self.first * self.factor**failures)
        except OverflowError:
            bound = self.longest
        return bound * chance

    def failures_after(self, failures: int, lasted: float) -> int:
        """Return how many failures in a row there are when a connection that followed on some has ended."""
        return 0 if lasted >= self.steady else failures + 1
