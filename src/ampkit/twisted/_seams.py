"""Whether a program has put something of its own where a shorter way would pass by; calls none of it."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final


class Seams:
    """Attributes that subclasses may override, as they are in the class that overrides none of them.

    `assigned` are attributes that no class has and an instance may get; `elsewhere` are further classes with
    attributes of theirs, for whoever patches those.
    """

    def __init__(
        self,
        plain: type,
        *names: str,
        assigned: tuple[str, ...] = (),
        elsewhere: tuple[tuple[type, tuple[str, ...]], ...] = (),
    ) -> None:
        self._names: Final = frozenset((*names, *assigned))
        self._get: Final = attrgetter(*names)
        self._plain: Final = self._get(plain)
        self._elsewhere: Final = [(attrgetter(*theirs), cls, attrgetter(*theirs)(cls)) for cls, theirs in elsewhere]

    def areKeptBy(self, instance: Any) -> bool:
        """Say whether an instance and its class have what the plain class had when this was made."""
        for get, cls, plain in self._elsewhere:
            if get(cls) != plain:
                return False
        return bool(self._get(type(instance)) == self._plain) and instance.__dict__.keys().isdisjoint(self._names)
