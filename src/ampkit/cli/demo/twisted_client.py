"""The client of the demo in Twisted, `python -m ampkit.cli.demo.twisted_client ADDRESS`; knows no ampkit."""

# mypy: allow-untyped-calls
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Twisted has few annotations, and what it hands out is unknown.

import os
import sys
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import react
from twisted.protocols import amp

from ampkit.cli.demo.twisted_commands import AskName, Divide, Greet, Sum


class Myself(amp.AMP):
    """Answers what the server asks back."""

    @AskName.responder
    def name(self) -> dict[str, str]:
        return {"text": f"process {os.getpid()}"}


async def call(peer: amp.AMP) -> None:
    """Call each command once."""
    print(f"I speak {amp.__name__}")
    print(await peer.callRemote(Sum, a=13, b=81))
    print(await peer.callRemote(Greet))
    try:
        await peer.callRemote(Divide, numerator=1, denominator=0)
    except ZeroDivisionError as error:
        print(f"ZeroDivisionError: {error}")


async def main(reactor: Any, address: str) -> None:
    """Connect and call."""
    parts = urlsplit(address)
    peer: Any = await connectProtocol(TCP4ClientEndpoint(reactor, parts.hostname or "", parts.port or 0), Myself())
    await call(peer)
    peer.transport.loseConnection()


if __name__ == "__main__":
    react(main, sys.argv[1:])
