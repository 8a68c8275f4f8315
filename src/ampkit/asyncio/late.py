"""Parts of a connection that most connections never need: made when first looked at; knows not what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

__all__ = ["NOTHING", "late"]

NOTHING: Final[dict[Any, Any]] = {}
"""What a table is as long as nothing is in it: the same dictionary for all of them. Nobody writes to it.

Whoever adds to a table begins one: `if self._table is NOTHING: self._table = {}`.
"""

if TYPE_CHECKING:
    from builtins import property as late
else:

    class late:  # noqa: N801 - it decorates, as `property` does
        """Decorates a method that makes a part. Reading it as an attribute makes the part once, and keeps it.

        It is kept in the slot `_made_` and the name, without an underscore before that. `__init__` puts None there;
        what would rather have no part than make one reads that slot.
        """

        __slots__ = ("_make", "_slot")

        def __init__(self, make: Callable[[Any], Any]) -> None:
            self._make = make
            self._slot = f"_made_{make.__name__.removeprefix('_')}"

        def __get__(self, owner: object | None, kind: type) -> Any:
            """Return the part."""
            if owner is None:
                return self
            made = getattr(owner, self._slot)
            if made is None:
                made = self._make(owner)
                setattr(owner, self._slot, made)
            return made
