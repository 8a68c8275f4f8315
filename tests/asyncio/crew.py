"""A service that tells in which process it is, and services that fail there; asserts nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

from ampkit import Command, Peer, Response, Service


class Self(Response):
    """A process."""

    pid: int
    loop: str


class WhoAreYou(Command[Self]):
    """Ask which process answers."""


class Begun(Command[None]):
    """From the server: `Finish` runs."""


class Finish(Command[Self]):
    """Asks the caller `Begun`, and is answered when that is."""


class Block(Command[None]):
    """Says `Begun` and lets the process do nothing else from then on."""


class Fate(Response):
    """How a process ended."""

    status: int


class StartAndEnd(Command[Fate]):
    """Start a process, which sends SIGTERM to itself."""


class Crew(Service):
    """Responds to all of them; makes itself anew in each process, unless a file says that it cannot."""

    def __init__(self, obstacle: Path = Path("/nowhere")) -> None:
        self.obstacle = obstacle

    def __setstate__(self, state: dict[str, Path]) -> None:
        """Take over what was pickled, if that may be."""
        vars(self).update(state)
        if self.obstacle.exists():
            raise ValueError("there is an obstacle")

    @WhoAreYou.responder
    def who(self, _: WhoAreYou) -> Self:
        """Answer at once."""
        return this_process()

    @Finish.responder
    async def finish(self, _: Finish, peer: Peer) -> Self:
        """Answer later."""
        await peer.call(Begun())
        return this_process()

    @Block.responder
    async def block(self, _: Block, peer: Peer) -> None:
        """Block."""
        await peer.call(Begun())
        time.sleep(60)  # noqa: ASYNC251 - it is to block; the process is ended long before

    @StartAndEnd.responder
    def start_and_end(self, _: StartAndEnd) -> Fate:
        """Start a shell."""
        return Fate(status=subprocess.run(["sh", "-c", "kill -TERM $$; sleep 9"], check=False).returncode)


def this_process() -> Self:
    """Return this process."""
    return Self(pid=os.getpid(), loop=type(asyncio.get_running_loop()).__module__)


class Exits(Service):
    """Ends every process but the one that makes it."""

    def __setstate__(self, state: object) -> None:
        """Exit."""
        os._exit(3)

    def __getstate__(self) -> object:
        """Have a state, so that it is restored."""
        return True


class Watch(Service):
    """The caller's end: says that something has begun, and when it may go on."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.gate = asyncio.Event()

    @Begun.responder
    async def on_begun(self, _: Begun) -> None:
        """Wait for the gate."""
        self.begun.put_nowait(None)
        await self.gate.wait()
