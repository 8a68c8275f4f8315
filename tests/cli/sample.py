"""Commands of every kind, and a service for them, as a user's module that `ampkit` loads; knows no command line."""

import asyncio
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated

from ampkit import Command, Peer, Record, Response, Service, Wire


class Colour(Enum):
    """By value."""

    RED = "red"
    BLUE = "blue"


class Part(Record):
    """One of a list of records."""

    number: int
    remark: str | None = None
    sizes: list[float] = field(default_factory=list)


class Everything(Response):
    """A field of each type."""

    integer: int
    text: str
    data: bytes
    real: float
    exact: Decimal
    yes: bool
    when: datetime
    path: Path
    colour: Colour
    numbers: list[int]
    grid: list[list[str]]
    parts: list[Part]
    absent: int | None


class Echo(Command[Everything]):
    """Sends all of it back."""

    integer: int
    text: str
    data: bytes
    real: float
    exact: Decimal
    yes: bool
    when: datetime
    path: Path
    colour: Colour
    numbers: list[int]
    grid: list[list[str]]
    parts: list[Part]
    absent: int | None


class Total(Response):
    """What `Sum` answers."""

    total: int


class Sum(Command[Total]):
    """Has a default, and a field with another name on the wire."""

    a: int
    from_: int = 0
    extra: Annotated[int, Wire(name="more-of-it")] = 0

    def __post_init__(self) -> None:
        """Refuse what is unlucky."""
        if self.a == 13:
            raise ValueError("13 is unlucky")


class Rude(Exception):
    """Declared, and said with control characters."""


class Insult(Command[None], errors={Rude: "RUDE"}):
    """Always refused."""


class Wait(Command[None]):
    """Never answered."""


class Leave(Command[None]):
    """Answered by the end of the connection."""


class Note(Command[None], answers=False):
    """Wants no answer."""

    text: str


class Nothing(Command[None]):
    """Answered without values."""


class Noted(Response):
    """What the next note is."""

    text: str


class NextNote(Command[Noted], name="next-note"):
    """Waits for a note."""


class Either(Command[Noted], name="ambiguous"):
    """Has the same name on the wire as the next one."""


class Other(Command[Noted], name="ambiguous"):
    """Has the same name on the wire as the one before."""


class WrongSum(Command[Noted], name="Sum"):
    """Declares what the responder of `Sum` does not answer."""

    a: int


class Begun(Command[None]):
    """From the server: `Stopped` runs."""


class Finish(Command[Total]):
    """Asks the caller `Begun`, and is answered when that is."""


class Sample(Service):
    """Responds to all of them."""

    def __init__(self) -> None:
        self.notes: asyncio.Queue[str] = asyncio.Queue()

    @Echo.responder
    def echo(self, command: Echo) -> Everything:
        return Everything(**vars(command))

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return Total(total=command.a + command.from_ + command.extra)

    @Insult.responder
    def insult(self, _: Insult) -> None:
        raise Rude("\x1b[31mred\n\x07 you")

    @Wait.responder
    async def wait(self, _: Wait) -> None:
        await asyncio.get_running_loop().create_future()

    @Leave.responder
    async def leave(self, _: Leave, peer: Peer) -> None:
        await peer.close()

    @Nothing.responder
    def nothing(self, _: Nothing) -> None:
        """Answer."""

    @Note.responder
    def note(self, command: Note) -> None:
        self.notes.put_nowait(command.text)

    @NextNote.responder
    async def next_note(self, _: NextNote) -> Noted:
        return Noted(text=await self.notes.get())

    @Finish.responder
    async def finish(self, _: Finish, peer: Peer) -> Total:
        await peer.call(Begun())
        return Total(total=1)
