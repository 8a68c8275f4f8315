"""The commands of the demo as a Twisted program has had them since 2005; knows no ampkit."""

# mypy: allow-untyped-calls
# ruff: noqa: RUF012  (this is how such programs look)

from twisted.protocols import amp


class Sum(amp.Command):
    """Add two integers."""

    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


class Divide(amp.Command):
    """Divide two integers."""

    arguments = [(b"numerator", amp.Integer()), (b"denominator", amp.Integer())]
    response = [(b"result", amp.Float())]
    errors = {ZeroDivisionError: b"ZERO_DIVISION"}


class Greet(amp.Command):
    """Ask the server for a greeting."""

    response = [(b"text", amp.Unicode())]


class AskName(amp.Command):
    """Ask the client for its name."""

    response = [(b"text", amp.Unicode())]
