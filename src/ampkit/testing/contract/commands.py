"""The commands of the contract, and the service that responds to them; knows no connection."""

from __future__ import annotations

import asyncio
import enum
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from ampkit.asyncio.peer import Peer
from ampkit.errors import RemoteError
from ampkit.schema.command import Command
from ampkit.schema.record import Record, Response
from ampkit.schema.responders import Service


class Total(Response):
    """A number."""

    total: int


class Content(Response):
    """Some bytes."""

    data: bytes


class Sum(Command[Total]):
    """Add."""

    a: int
    b: int


class SumForContent(Command[Content], name="Sum"):
    """`Sum`, declared with a response that no end sends."""

    a: int
    b: int


class Reverse(Command[Content]):
    """Return the bytes backwards."""

    data: bytes


class Zeros(Command[Content]):
    """Return so many zero bytes."""

    count: int


class Wait(Command[Total]):
    """Return the number when the test opens its gate."""

    number: int
    load: bytes = b""


class Note(Command[None], answers=False):
    """Write a line down."""

    line: str


class CountDown(Command[Total]):
    """Have both ends ask each other in turns until 0, and return how often."""

    start: int


class HangUp(Command[None]):
    """Close the connection that this came on."""


class Nobody(Command[None]):
    """Find no responder."""


class Mishap(Exception):
    """What `Refuse` raises for a declared error."""


class Ruin(Exception):
    """What `Refuse` raises for a fatal error."""


class Refuse(Command[None], errors={Mishap: "MISHAP"}, fatal_errors={Ruin: "RUIN"}):
    """Fail in one of several ways."""

    how: str


class Shade(enum.Enum):
    """Some names."""

    LIGHT = "light"
    DARK = "dark"


class Item(Record):
    """An element of a list, with another list."""

    name: str
    amounts: list[int]


class Values(Record):
    """One value of each type."""

    integer: int
    raw: bytes
    text: str
    real: float
    truth: bool
    decimal: Decimal
    moment: datetime
    path: Path
    shade: Shade
    numbers: list[int]
    table: list[list[str]]
    items: list[Item]
    maybe: int | None = None


class SameValues(Values, Response):
    """What came."""


class Echo(Values, Command[SameValues]):
    """Return what came."""


class Desk(Service):
    """Responds to all of them but `Nobody`, and remembers what the tests ask about."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.running = 0
        self.most_running = 0
        self.started: asyncio.Queue[int] = asyncio.Queue()
        """The number of each `Wait` that runs."""
        self.cancelled: asyncio.Queue[int] = asyncio.Queue()
        """The number of each `Wait` that was cancelled."""
        self._gates: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    def open_gates(self, *numbers: int) -> None:
        """Let these `Wait`s end."""
        for number in numbers:
            self._gates[number].set()

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return Total(total=command.a + command.b)

    @Reverse.responder
    async def reverse(self, command: Reverse) -> Content:
        return Content(data=command.data[::-1])

    @Zeros.responder
    def zeros(self, command: Zeros) -> Content:
        return Content(data=bytes(command.count))

    @Wait.responder
    async def wait(self, command: Wait) -> Total:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.started.put_nowait(command.number)
        try:
            await self._gates[command.number].wait()
        except asyncio.CancelledError:
            self.cancelled.put_nowait(command.number)
            raise
        finally:
            self.running -= 1
        return Total(total=command.number)

    @Note.responder
    def note(self, command: Note) -> None:
        self.notes.append(command.line)

    @CountDown.responder
    async def count_down(self, command: CountDown, peer: Peer) -> Total:
        if not command.start:
            return Total(total=0)
        below = await peer.call(CountDown(start=command.start - 1))
        return Total(total=below.total + 1)

    @HangUp.responder
    async def hang_up(self, command: HangUp, peer: Peer) -> None:  # noqa: ARG002 - the command says nothing
        await peer.close()

    @Refuse.responder
    def refuse(self, command: Refuse) -> None:
        raise {
            "declared": Mishap("it slipped"),
            "fatal": Ruin("all is lost"),
            "own code": RemoteError("TEAPOT", "short and stout"),
            "undeclared": RuntimeError("a secret"),
        }[command.how]

    @Echo.responder
    def echo(self, command: Echo) -> SameValues:
        return SameValues(**vars(command))


class Liar(Service):
    """Responds to `Sum` with what that does not declare."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return cast("Total", Content(data=b"%d" % command.a))
