"""What the two programs of the demo agree on: their commands; nothing here runs."""

from ampkit import Command, Response


class Total(Response):
    """What `Sum` answers."""

    total: int


class Sum(Command[Total]):
    """Add two integers."""

    a: int
    b: int


class Quotient(Response):
    """What `Divide` answers."""

    result: float


class Divide(Command[Quotient], errors={ZeroDivisionError: "ZERO_DIVISION"}):
    """Divide two integers; that it can fail is declared."""

    numerator: int
    denominator: int


class Text(Response):
    """What `Greet` and `AskName` answer."""

    text: str


class Greet(Command[Text]):
    """Ask the server for a greeting; it will ask back for a name."""


class AskName(Command[Text]):
    """Ask the client for its name."""
