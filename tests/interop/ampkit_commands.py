"""The commands of the interop tests as typed classes, name by name those of `twisted_commands`; knows no Twisted."""

import types
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import GenericAlias
from typing import Any

from ampkit import Command, Record, Response


class FatalFault(Exception):
    """Declared as a fatal error: the connection ends after the answer."""


class Total(Response):
    """What `Sum` and `AskBack` answer."""

    total: int


class Sum(Command[Total]):
    """Add two integers."""

    a: int
    b: int


class Quotient(Response):
    """What `Divide` answers."""

    result: float


class Divide(Command[Quotient], errors={ZeroDivisionError: "ZERO_DIVISION"}):
    """Divide two integers; by zero is a declared error."""

    numerator: int
    denominator: int


class CarelessDivide(Command[Quotient], name="Divide"):
    """`Divide` as a program knows it that declares no error."""

    numerator: int
    denominator: int


class Explode(Command[None], fatal_errors={FatalFault: "FATAL_FAULT"}):
    """Always refused with a fatal error."""


class Surprise(Command[None]):
    """Its responder raises an error that nobody declared."""


class Absent(Command[None]):
    """No peer of these tests has a responder for it."""


class Note(Command[None], answers=False):
    """Wants no answer; `Notes` tells what arrived."""

    text: str


class Texts(Response):
    """What `Notes` answers."""

    texts: list[str]


class Notes(Command[Texts]):
    """The texts of all notes so far."""


class Named(Response):
    """What `Hold` answers."""

    name: str


class Hold(Command[Named]):
    """Is answered only when `Release` names it, so answers come in any order that a test wants."""

    name: str


class Release(Command[None]):
    """Answers a `Hold`."""

    name: str


class AskBack(Command[Total]):
    """Its responder asks the caller for the `Sum` and hands the total on."""

    a: int
    b: int


class Steps(Response):
    """What `Countdown` answers."""

    path: list[int]


class Countdown(Command[Steps]):
    """Its responder asks the caller for `Countdown` with one less, down to 0; `path` grows on the way back."""

    start: int


class Leave(Command[None]):
    """Its responder ends the connection without an answer."""


class Part(Record):
    """One part of an order."""

    number: int
    remark: str | None = None


class Order(Record):
    """A record with a list of records."""

    title: str
    sizes: list[int]
    parts: list[Part]


ELEMENTARY: dict[str, Any] = {
    "Integer": int,
    "Bytes": bytes,
    "Text": str,
    "Float": float,
    "Boolean": bool,
    "Decimal": Decimal,
    "DateTime": datetime,
    "Path": Path,
}
CONTAINERS: dict[str, Any] = {
    "Grid": list[list[int]],
    "Cube": list[list[list[str]]],
    "Orders": list[Order],
    "OptionalGrid": list[list[int]] | None,
    "OptionalOrders": list[Order] | None,
}


def echo_command(name: str, kind: Any) -> Any:
    """A command `Echo<name>` that sends one value and gets it back, with how it looked on the other side."""
    generic: Any = Command
    reply = type(f"Echo{name}Reply", (Response,), {"__annotations__": {"value": kind, "seen": str}})
    body = {"__annotations__": {"value": kind}}
    return types.new_class(f"Echo{name}", (generic[reply],), exec_body=lambda names: names.update(body))


ECHOES: dict[str, Any] = {
    **{name: echo_command(name, kind) for name, kind in [*ELEMENTARY.items(), *CONTAINERS.items()]},
    **{f"Optional{name}": echo_command(f"Optional{name}", kind | None) for name, kind in ELEMENTARY.items()},
    **{
        f"ListOf{name}": echo_command(f"ListOf{name}", GenericAlias(list, (kind,))) for name, kind in ELEMENTARY.items()
    },
}
