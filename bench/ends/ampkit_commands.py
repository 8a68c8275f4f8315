"""The commands of the benchmark as typed classes; knows no event loop."""

from ampkit import Command, Response


class Total(Response):
    """The sum."""

    total: int


class Sum(Command[Total]):
    """Add two integers."""

    a: int
    b: int


class Content(Response):
    """What came."""

    data: bytes


class Echo(Command[Content]):
    """Send it back."""

    data: bytes
