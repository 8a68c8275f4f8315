"""The commands of the asyncio tests, and a service whose responders do what a test tells them; asserts nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from ampkit import Command, Peer, RemoteError, Response, Service


class Total(Response):
    """A number."""

    total: int


class Content(Response):
    """Some bytes."""

    data: bytes


class Sum(Command[Total]):
    """Add, at once."""

    a: int
    b: int


class Wait(Command[Total]):
    """Return the number when the test opens its gate."""

    number: int


class Reverse(Command[Content]):
    """Return the bytes backwards, at once."""

    data: bytes


class Zeros(Command[Content]):
    """Return so many zero bytes, from a coroutine."""

    size: int


class Ask(Command[Total]):
    """Ask the one who asks for a sum, so many levels deep."""

    depth: int


class Stubborn(Command[None]):
    """Run until the test opens the gate, though it is cancelled once."""

    number: int


class Raise(Command[None], errors={KeyError: "NO_SUCH_KEY"}, fatal_errors={EOFError: "THE_END"}):
    """Raise what the service has been given under this name."""

    name: str
    later: bool = False


class Return(Command[Total]):
    """Return what the service has been given under this name."""

    name: str
    later: bool = False


class Note(Command[None], answers=False):
    """Remember a text; nobody waits for an answer."""

    text: str


class SlowNote(Note, answers=False):
    """The same from a coroutine."""


class HangUp(Command[None]):
    """Close the connection from within the responder."""

    grace: float = 0.0


class Office(Service):
    """Responds to all of them, and tells the test what began and what was cancelled."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[int] = asyncio.Queue()
        self.cancelled: list[int] = []
        self.gates: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self.things: dict[str, object] = {}
        self.errors: dict[str, BaseException] = {
            "declared": KeyError("shelf"),
            "undeclared": ValueError("a secret"),
            "fatal": EOFError("enough"),
            "remote": RemoteError("CHOSEN", "by the responder"),
            "cancelled": asyncio.CancelledError(),
        }
        self.notes: asyncio.Queue[str] = asyncio.Queue()
        self.hung_up: asyncio.Queue[bool] = asyncio.Queue()

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)

    @Wait.responder
    async def wait(self, command: Wait) -> Total:
        """Wait for the gate."""
        self.started.put_nowait(command.number)
        try:
            await self.gates[command.number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(command.number)
            raise
        return Total(total=command.number)

    @Reverse.responder
    def reverse(self, command: Reverse) -> Content:
        """Reverse."""
        return Content(data=command.data[::-1])

    @Zeros.responder
    async def zeros(self, command: Zeros) -> Content:
        """Make zeros, in the next turn of the loop."""
        await asyncio.sleep(0)
        return Content(data=bytes(command.size))

    @Ask.responder
    async def ask(self, command: Ask, peer: Peer) -> Total:
        """Ask back."""
        if command.depth:
            return Total(total=1 + (await peer.call(Ask(depth=command.depth - 1))).total)
        return await peer.call(Sum(a=0, b=0))

    @Stubborn.responder
    async def stubborn(self, command: Stubborn) -> None:
        """Ignore the first cancellation."""
        self.started.put_nowait(command.number)
        try:
            await self.gates[command.number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(command.number)
        await self.gates[command.number].wait()

    @Raise.responder
    def raise_(self, command: Raise) -> None:
        """Raise, in a coroutine if it is to be later."""
        if command.later:
            return self._raise_later(command.name)  # type: ignore[return-value]
        raise self.errors[command.name].with_traceback(None)

    async def _raise_later(self, name: str) -> None:
        raise self.errors[name].with_traceback(None)

    @Return.responder
    def return_(self, command: Return) -> Total:
        """Return anything, from a coroutine if it is to be later."""
        if command.later:
            return self._return_later(command.name)  # type: ignore[return-value]
        return self.things[command.name]  # type: ignore[return-value]

    async def _return_later(self, name: str) -> object:
        return self.things[name]

    @Note.responder
    def note(self, command: Note) -> None:
        """Remember."""
        self.notes.put_nowait(command.text)

    @SlowNote.responder
    async def slow_note(self, command: SlowNote) -> None:
        """Remember in the next turn of the loop."""
        await asyncio.sleep(0)
        self.notes.put_nowait(command.text)

    @HangUp.responder
    async def hang_up(self, command: HangUp, peer: Peer) -> None:
        """Close, and say so when that is done."""
        await peer.close(command.grace)
        self.hung_up.put_nowait(True)
