"""The commands of the benchmark as typed classes; knows no event loop."""

from ampkit import Command, Response


class Total(Response):
    """The sum."""

    total: int


class Sum(Command[Total]):
    """Add two integers."""

    a: int
    b: int


class Seconds(Response):
    """A reading of a clock."""

    seconds: float


class CpuTime(Command[Seconds]):
    """The CPU seconds that the answering process has used."""
