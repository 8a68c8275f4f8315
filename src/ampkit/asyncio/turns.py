"""How many boxes one connection takes in a turn of the loop, so that others have theirs; takes none."""

from __future__ import annotations

from typing import Final

from ampkit.asyncio.portions import MOST_IN_TURN
from ampkit.speed import is_compiled

SHARED: Final = 64 if is_compiled else 32
"""Boxes that all of several connections take together, if each has more than a turn's worth; compiled, they take less
of the time that it costs to begin and end a turn."""

_FEWEST: Final = 8 if is_compiled else 2
"""Boxes that cost about as much as to begin and end a turn."""


class Turns:
    """What the connections of one server share: who has more than a turn's worth takes less while others have too.

    So the turn of the loop stays short for those who ask little, however many there are that ask without end.
    """

    __slots__ = ("busy", "size")

    def __init__(self) -> None:
        self.busy: set[object] = set()
        """Who has more than it took last time."""
        self.size = MOST_IN_TURN
        """How many boxes may be taken now."""

    def ended(self, connection: object, *, is_done: bool) -> None:
        """Note whether a connection has taken all that it had, or has to go on in another turn."""
        if is_done:
            self.busy.discard(connection)
        else:
            self.busy.add(connection)
        busy = len(self.busy)
        self.size = MOST_IN_TURN if busy < 2 else max(SHARED // busy, _FEWEST)
