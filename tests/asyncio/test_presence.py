"""The word that says whether a remote is there: who waits for it and who watches it."""

from __future__ import annotations

import asyncio

from ampkit import Presence
from ampkit.asyncio.presence import PresenceBoard
from tests.asyncio.turning import turns


async def test_closed_is_the_last_word() -> None:
    """What comes late changes nothing, and is no news."""
    board = PresenceBoard()
    board.become(Presence.CLOSED)
    news = asyncio.create_task(board.news())
    await turns()
    board.become(Presence.CONNECTED)
    await turns()
    assert (board.now, news.done()) == (Presence.CLOSED, False)
    board.tell()
    await news


async def test_everybody_hears_the_news() -> None:
    """Whoever is told at once hears it before those who wait; the same word again is no news."""
    board, heard = PresenceBoard(), list[str]()
    board.on_news = lambda: heard.append(f"told {board.now.value}")

    async def wait(name: str) -> None:
        await board.news()
        heard.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in ("a", "b")]
    await turns()
    board.become(Presence.WAITING)
    await turns()
    assert heard == []
    board.become(Presence.CONNECTED)
    await asyncio.gather(*tasks)
    assert heard == ["told connected", "a", "b"]
