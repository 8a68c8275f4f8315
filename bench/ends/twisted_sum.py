"""Both ends of the Sum benchmark on genuine `twisted.protocols.amp`; knows no other library.

`serve PATH` answers on a unix socket. `call PATH STYLE COUNT OUTSTANDING` prints the CPU seconds of both processes.
Whatever the style, the calls are chained by callbacks: nothing in Twisted is faster.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators

import sys
import time
from collections.abc import Coroutine
from typing import Any

from twisted.internet import endpoints, epollreactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols import amp

from bench.ends.twisted_commands import CpuTime, Sum


class Calculator(amp.AMP):
    """What the server answers."""

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        """Add."""
        return {"total": a + b}

    @CpuTime.responder
    def cpu_time(self) -> dict[str, float]:
        """Read the CPU clock."""
        return {"seconds": time.process_time()}


class Load:
    """Keeps `outstanding` calls in flight by callbacks alone, until `count` have been answered."""

    def __init__(self, peer: amp.AMP, count: int, outstanding: int) -> None:
        self.call = peer.callRemote
        self.unasked = count
        self.unanswered = count
        self.done: Deferred[None] = Deferred()
        for _ in range(min(count, outstanding)):
            self.ask()

    def ask(self) -> None:
        """Make one call."""
        self.unasked -= 1
        self.call(Sum, a=13, b=81).addCallbacks(self.answered, self.done.errback)

    def answered(self, reply: dict[str, int]) -> None:
        """Make the next call in place of the one that `reply` ended."""
        if reply["total"] != 94:
            raise ValueError(reply)
        self.unanswered -= 1
        if self.unasked:
            self.ask()
        elif not self.unanswered:
            self.done.callback(None)


async def both_clocks(peer: amp.AMP) -> float:
    """The CPU seconds that both processes have used so far."""
    reply = await peer.callRemote(CpuTime)
    return float(reply["seconds"]) + time.process_time()


async def measure(reactor: Any, path: str, count: int, outstanding: int) -> None:
    """Warm up, then print what `count` calls cost both ends."""
    peer = await endpoints.connectProtocol(endpoints.UNIXClientEndpoint(reactor, path), amp.AMP())
    await Load(peer, count // 4, outstanding).done
    start = await both_clocks(peer)
    await Load(peer, count, outstanding).done
    print(await both_clocks(peer) - start, flush=True)


async def serve(reactor: Any, path: str) -> None:
    """Listen, say so, and answer until SIGTERM."""
    await endpoints.UNIXServerEndpoint(reactor, path).listen(Factory.forProtocol(Calculator))
    print("READY", flush=True)
    await Deferred()


def main(reactor: Any, role: str, path: str, *numbers: str) -> Coroutine[Any, Any, None]:
    """Be one end."""
    return serve(reactor, path) if role == "serve" else measure(reactor, path, int(numbers[1]), int(numbers[2]))


if __name__ == "__main__":
    epollreactor.install()
    react(main, sys.argv[1:])
