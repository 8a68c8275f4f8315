"""Whether the other end is there: one word that programs can await and watch; connects nothing."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncGenerator


class Presence(enum.Enum):
    """Whether a remote that comes back can be called at once."""

    CONNECTED = "connected"
    WAITING = "waiting"
    """There is no connection; one is being made, or will be."""
    CLOSED = "closed"
    """There will be none any more: it was closed here, or there were too many failures."""


class PresenceBoard:
    """The present word, and all who wait for another one."""

    def __init__(self) -> None:
        self.now = Presence.WAITING
        self._news = asyncio.Event()

    def become(self, presence: Presence) -> None:
        """Change the word. CLOSED is the last one."""
        if self.now not in {presence, Presence.CLOSED}:
            self.now = presence
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def change(self) -> None:
        """Wait for the next change."""
        await self._news.wait()

    async def changes(self) -> AsyncGenerator[Presence]:
        """Give the present word, then each further one; what has passed while nobody asked is left out."""
        shown: Presence | None = None
        while shown is not Presence.CLOSED:
            if shown is self.now:
                await self.change()
            else:
                shown = self.now
                yield shown
