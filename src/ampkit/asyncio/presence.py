"""Whether the other end is there: one word that programs can await and watch; connects nothing."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncGenerator, Callable


class Presence(enum.Enum):
    """Whether a remote that comes back can be called at once."""

    CONNECTED = "connected"
    WAITING = "waiting"
    """There is no connection; one is being made, or will be."""
    CLOSED = "closed"
    """There will be none any more: it was closed here, or there were too many failures."""


class PresenceBoard:
    """The present word, and all who wait for news of it."""

    def __init__(self) -> None:
        self.now = Presence.WAITING
        self.on_news: Callable[[], object] = lambda: None
        """Called at each piece of news, before those who wait."""
        self._news = asyncio.Event()

    def become(self, presence: Presence) -> None:
        """Change the word. CLOSED is the last one."""
        if self.now not in {presence, Presence.CLOSED}:
            self.now = presence
            self.tell()

    def tell(self) -> None:
        """Wake all who wait for news."""
        news, self._news = self._news, asyncio.Event()
        self.on_news()
        news.set()

    async def news(self) -> None:
        """Wait for the next piece of news; the word may still be the same."""
        await self._news.wait()

    async def changes(self) -> AsyncGenerator[Presence]:
        """Give the present word, then each further one; what has passed while nobody asked is left out."""
        shown: Presence | None = None
        while shown is not Presence.CLOSED:
            if shown is self.now:
                await self.news()
            else:
                shown = self.now
                yield shown
