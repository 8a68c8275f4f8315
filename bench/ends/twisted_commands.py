"""The commands of the benchmark in Twisted's own words; knows no reactor."""

# mypy: allow-untyped-calls

from typing import ClassVar

from twisted.protocols import amp


class Sum(amp.Command):
    """Add two integers."""

    arguments: ClassVar = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response: ClassVar = [(b"total", amp.Integer())]


class Echo(amp.Command):
    """Send it back."""

    arguments: ClassVar = [(b"data", amp.String())]
    response: ClassVar = [(b"data", amp.String())]
