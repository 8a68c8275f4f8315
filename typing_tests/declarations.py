"""Commands and records for the other files here; all of it is right."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

from ampkit import Argument, Command, Integer, Record, Response, Switch, Wire

R = TypeVar("R")


class Total(Response):
    """The answer to a Sum."""

    total: int


class Sum(Command[Total], errors={OverflowError: "OVERFLOW"}):
    """Add two integers."""

    a: int
    b: int


class Ping(Command[None]):
    """Answered without values."""


class Note(Command[None], answers=False, name="note"):
    """Not answered at all."""

    text: str


class Colour(enum.Enum):
    """Sent by value."""

    RED = "red"


class Upper(Argument[str]):
    """A type of argument of a program's own."""

    def encode(self, value: str) -> bytes:
        """Send it in capitals."""
        return value.upper().encode()

    def decode(self, data: bytes) -> str:
        """Read it in small letters."""
        return data.decode().lower()


class Part(Record):
    """An element of a list."""

    number: int
    remark: str | None = None


class Receipt(Response):
    """One field of each type."""

    when: datetime
    price: Decimal
    weight: float
    paid: bool
    files: list[Path]
    parts: list[Part]
    colour: Colour
    shout: Annotated[str, Upper()]
    sender: Annotated[str | None, Wire(name="from")] = None
    tags: list[str] = dataclasses.field(default_factory=lambda: [])


class Order(Command[Receipt]):
    """Has fields with defaults."""

    parts: list[Part]
    express: bool = False
    remark: str | None = None


class RushOrder(Order):
    """Inherits fields and response, and adds a field."""

    hours: int


class Signed(Command[R]):
    """A generic command between Command and others."""

    signature: bytes


class SignedSum(Signed[Total]):
    """Answered by what stands in the brackets of its base."""

    a: int


class Early(Command["Late"]):
    """Answered by what is defined below."""


class Late(Response):
    """Named above."""

    text: str


class Become(Command[Switch], require_tls=True):
    """Behind its answer the connection is another protocol's."""

    name: str


class Classic(Command[Any]):
    """The classic form, of which a type checker knows nothing."""

    arguments = ((b"a", Integer()),)
    response = ((b"total", Integer()),)
