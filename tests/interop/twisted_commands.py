"""The commands of the interop tests in Twisted's own words; knows no ampkit."""

# mypy: allow-untyped-calls
# ruff: noqa: N815  (the names are Twisted's)

from typing import ClassVar

from twisted.protocols import amp


class FatalFault(Exception):
    """Declared as a fatal error: the connection ends after the answer."""


class Sum(amp.Command):
    """Add two integers."""

    arguments: ClassVar = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response: ClassVar = [(b"total", amp.Integer())]


class Divide(amp.Command):
    """Divide two integers; by zero is a declared error."""

    arguments: ClassVar = [(b"numerator", amp.Integer()), (b"denominator", amp.Integer())]
    response: ClassVar = [(b"result", amp.Float())]
    errors: ClassVar = {ZeroDivisionError: b"ZERO_DIVISION"}


class Explode(amp.Command):
    """Always refused with a fatal error."""

    fatalErrors: ClassVar = {FatalFault: b"FATAL_FAULT"}


class Surprise(amp.Command):
    """Its responder raises an error that nobody declared."""


class Absent(amp.Command):
    """No peer of these tests has a responder for it."""


class Note(amp.Command):
    """Wants no answer; `Notes` tells what arrived."""

    arguments: ClassVar = [(b"text", amp.Unicode())]
    requiresAnswer = False


class Notes(amp.Command):
    """The texts of all notes so far."""

    response: ClassVar = [(b"texts", amp.ListOf(amp.Unicode()))]


class Hold(amp.Command):
    """Is answered only when `Release` names it, so answers come in any order that a test wants."""

    arguments: ClassVar = [(b"name", amp.Unicode())]
    response: ClassVar = [(b"name", amp.Unicode())]


class Release(amp.Command):
    """Answers a `Hold`."""

    arguments: ClassVar = [(b"name", amp.Unicode())]


class AskBack(amp.Command):
    """Its responder asks the caller for the `Sum` and hands the total on."""

    arguments: ClassVar = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response: ClassVar = [(b"total", amp.Integer())]


class Countdown(amp.Command):
    """Its responder asks the caller for `Countdown` with one less, down to 0; `path` grows on the way back."""

    arguments: ClassVar = [(b"start", amp.Integer())]
    response: ClassVar = [(b"path", amp.ListOf(amp.Integer()))]


class Leave(amp.Command):
    """Its responder ends the connection without an answer."""


ELEMENTARY: dict[str, type[amp.Argument]] = {
    "Integer": amp.Integer,
    "Bytes": amp.String,
    "Text": amp.Unicode,
    "Float": amp.Float,
    "Boolean": amp.Boolean,
    "Decimal": amp.Decimal,
    "DateTime": amp.DateTime,
    "Path": amp.Path,
}
PART: list[tuple[bytes, amp.Argument]] = [
    (b"number", amp.Integer()),
    (b"remark", amp.Unicode(optional=True)),
]
ORDER: list[tuple[bytes, amp.Argument]] = [
    (b"title", amp.Unicode()),
    (b"sizes", amp.ListOf(amp.Integer())),
    (b"parts", amp.AmpList(PART)),
]
CONTAINERS: dict[str, amp.Argument] = {
    **{f"ListOf{name}": amp.ListOf(kind()) for name, kind in ELEMENTARY.items()},
    "Grid": amp.ListOf(amp.ListOf(amp.Integer())),
    "Cube": amp.ListOf(amp.ListOf(amp.ListOf(amp.Unicode()))),
    "Orders": amp.AmpList(ORDER),
}


def echo_command(name: str, argument: amp.Argument) -> type[amp.Command]:
    """A command `Echo<name>` that sends one value and gets it back, with how it looked on the other side."""
    fields = {
        "arguments": [(b"value", argument)],
        "response": [(b"value", argument), (b"seen", amp.Unicode())],
    }
    return type(f"Echo{name}", (amp.Command,), fields)


ECHOES: list[type[amp.Command]] = [
    *(echo_command(name, kind()) for name, kind in ELEMENTARY.items()),
    *(echo_command(f"Optional{name}", kind(optional=True)) for name, kind in ELEMENTARY.items()),
    *(echo_command(name, argument) for name, argument in CONTAINERS.items()),
    echo_command("OptionalOrders", amp.AmpList(ORDER, optional=True)),
    echo_command("OptionalGrid", amp.ListOf(amp.ListOf(amp.Integer()), optional=True)),
]
PLAIN: list[type[amp.Command]] = [
    Sum,
    Divide,
    Explode,
    Surprise,
    Absent,
    Note,
    Notes,
    Hold,
    Release,
    AskBack,
    Countdown,
    Leave,
]
BY_NAME: dict[str, type[amp.Command]] = {command.__name__: command for command in [*PLAIN, *ECHOES]}
