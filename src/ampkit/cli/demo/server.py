"""The server of the demo: one method a command; knows no socket, because `ampkit serve` opens it."""

import os

from ampkit import Peer, Service
from ampkit.cli.demo.commands import AskName, Divide, Greet, Quotient, Sum, Text, Total


class Calculator(Service):
    """Answers the commands of the demo."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        return Total(total=command.a + command.b)

    @Divide.responder
    def divide(self, command: Divide) -> Quotient:
        return Quotient(result=command.numerator / command.denominator)

    @Greet.responder
    async def greet(self, _: Greet, peer: Peer) -> Text:
        name = await peer.call(AskName(), timeout=2)
        return Text(text=f"Hello {name.text}, I am process {os.getpid()}")
