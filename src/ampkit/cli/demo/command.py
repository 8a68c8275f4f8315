"""`ampkit demo`: tells the story and says whether it was true; knows none of its chapters."""

from __future__ import annotations

import asyncio

from ampkit.cli.demo.children import StoryBroken
from ampkit.cli.demo.narrator import Narrator
from ampkit.cli.demo.story import tell
from ampkit.cli.exits import REFUSED, Failure
from ampkit.cli.signals import on_stop_signal


def demo() -> None:
    """See two programs call each other, in a short story.

    For example:

        ampkit demo

    It starts a server and a client on this machine, shows their source and what
    they say, then does the same with a genuine Twisted AMP server and client, if
    Twisted is installed. It takes some seconds and leaves nothing behind.

    Exit codes: 0 all happened as told, 1 it did not.
    """
    narrator = Narrator()
    try:
        asyncio.run(_tell(narrator))
    except StoryBroken as error:
        for line in error.lines:
            narrator.heard("", line, as_told=False)
        raise Failure(f"the story is not true: {error}", REFUSED) from error
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    narrator.say("That is AMP. To write your own: ampkit --help")


async def _tell(narrator: Narrator) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - narrows the type: a coroutine that runs has a task
    with on_stop_signal(task.cancel):
        await tell(narrator)
