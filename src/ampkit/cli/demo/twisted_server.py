"""The server of the demo in Twisted, `python -m ampkit.cli.demo.twisted_server`; knows no ampkit."""

# mypy: allow-untyped-calls
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# Twisted has few annotations, and what it hands out is unknown.

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols import amp

from ampkit.cli.demo.twisted_commands import AskName, Divide, Greet, Sum


class Calculator(amp.AMP):
    """Answers the commands of the demo."""

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        return {"total": a + b}

    @Divide.responder
    def divide(self, numerator: int, denominator: int) -> dict[str, float]:
        return {"result": numerator / denominator}

    @Greet.responder
    async def greet(self) -> dict[str, str]:
        name = await self.callRemote(AskName)
        return {"text": f"Hello {name['text']}, I am process {os.getpid()}"}


async def main(reactor: Any) -> None:
    """Listen, say where, and serve until SIGTERM."""
    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Calculator))
    print(f"tcp://127.0.0.1:{port.getHost().port}", flush=True)
    await Deferred[None]()


if __name__ == "__main__":
    react(main)
