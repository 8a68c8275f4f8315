"""A server and a client: two commands, one service, three calls.

    python examples/calculator.py

The service also runs by itself, and answers clients in any language:

    cd examples
    ampkit serve calculator:Calculator tcp://127.0.0.1:1234
    ampkit call tcp://127.0.0.1:1234 Sum a=13 b=81
"""

import ampkit
from ampkit import Command, Response, Service


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
    """Divide two integers."""

    numerator: int
    denominator: int


class Calculator(Service):
    """Responds to both commands."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return Total(total=command.a + command.b)

    @Divide.responder
    async def divide(self, command: Divide) -> Quotient:
        return Quotient(result=command.numerator / command.denominator)


async def main() -> None:
    """Serve on any free port, connect to it, and call."""
    async with (
        ampkit.serve(Calculator(), "tcp://127.0.0.1:0") as server,
        ampkit.connect(server.addresses[0]) as peer,
    ):
        reply = await peer.call(Sum(a=13, b=81), timeout=2)
        print("13 + 81 =", reply.total)

        replies = await peer.call_many([Sum(a=number, b=number) for number in range(5)])
        print("doubled:", [reply.total for reply in replies])

        try:
            await peer.call(Divide(numerator=1, denominator=0))
        except ZeroDivisionError as error:
            print("the server says:", error)


if __name__ == "__main__":
    ampkit.run(main())
