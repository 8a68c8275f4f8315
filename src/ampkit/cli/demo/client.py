"""The client of the demo, `python -m ampkit.cli.demo.client ADDRESS`: prints what its calls return; tells no story."""

import os
import sys
from time import perf_counter

import ampkit
from ampkit import Peer, Service
from ampkit.cli.demo.commands import AskName, Divide, Greet, Sum, Text


class Myself(Service):
    """Answers what the server asks back."""

    @AskName.responder
    def name(self, _: AskName) -> Text:
        return Text(text=f"process {os.getpid()}")


async def call(peer: Peer) -> None:
    """Call twice; a type checker knows what comes back."""
    reply = await peer.call(Sum(a=13, b=81), timeout=2)
    print(reply)
    quotient = await peer.call(Divide(numerator=reply.total, denominator=4))
    print(quotient)


async def be_called(peer: Peer) -> None:
    """Call a command whose responder calls back."""
    reply = await peer.call(Greet())
    print(reply.text)


async def fail(peer: Peer) -> None:
    """Get the exception that the responder raised."""
    try:
        await peer.call(Divide(numerator=1, denominator=0))
    except ZeroDivisionError as error:
        print(f"ZeroDivisionError: {error}")


async def hurry(peer: Peer) -> None:
    """Keep 64 calls in flight for half a second."""
    calls, begin = 0, perf_counter()
    while (seconds := perf_counter() - begin) < 0.5:
        replies = await peer.call_many([Sum(a=1, b=n) for n in range(64)])
        calls += len(replies)
        if [reply.total for reply in replies] != list(range(1, 65)):
            sys.exit("an answer is wrong")
    print(f"{calls:,} calls, 64 at a time: {calls / seconds:,.0f} a second")


async def main(address: str) -> None:
    """Do all of it on one connection."""
    async with ampkit.connect(address, Myself()) as peer:
        await call(peer)
        await be_called(peer)
        await fail(peer)
        await hurry(peer)


if __name__ == "__main__":
    ampkit.run(main(sys.argv[1]))
