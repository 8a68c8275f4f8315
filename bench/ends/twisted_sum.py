"""Genuine `twisted.protocols.amp` on a unix socket, on the epoll or the asyncio reactor.

The calls are chained by callbacks: nothing in Twisted is faster.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from twisted.internet import asyncioreactor, endpoints, epollreactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols import amp

from bench.ends.end import measure, ready
from bench.ends.twisted_commands import Echo, Sum
from bench.job import Job

Ask: TypeAlias = Callable[[], Any]
"""What makes one call. It returns a Deferred, but mypy wants those to be awaited."""


class Calculator(amp.AMP):
    """What the server answers."""

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        """Add."""
        return {"total": a + b}

    @Echo.responder
    def echo(self, data: bytes) -> dict[str, bytes]:
        """Send it back."""
        return {"data": data}


class CoroutineCalculator(amp.AMP):
    """The same with a coroutine."""

    @Sum.responder
    def sum(self, a: int, b: int) -> Deferred[dict[str, int]]:
        """Add."""

        async def add() -> dict[str, int]:
            return {"total": a + b}

        return Deferred.fromCoroutine(add())


@dataclass(frozen=True)
class Calls:
    """What is asked, and what checks an answer; raises ValueError if it is wrong."""

    asks: list[Ask]
    check: Callable[[dict[str, Any]], None]

    def load(self, count: int, latencies: list[float] | None) -> Deferred[None]:
        """Make so many calls."""
        return Run(self, count, latencies).done


class Run:
    """Keeps one call in flight for each of `asks`, by callbacks alone, until `count` have been answered."""

    def __init__(self, calls: Calls, count: int, latencies: list[float] | None) -> None:
        self.check = calls.check
        self.unasked = self.unanswered = count
        self.latencies = latencies
        self.done: Deferred[None] = Deferred()
        for ask in calls.asks[:count]:
            self.ask(ask)

    def ask(self, ask: Ask) -> None:
        """Make one call."""
        self.unasked -= 1
        if self.latencies is None:
            ask().addCallbacks(self.answered, self.done.errback, callbackArgs=(ask,))
        else:
            ask().addCallbacks(self.timed, self.done.errback, callbackArgs=(ask, time.perf_counter(), self.latencies))

    def timed(self, reply: dict[str, Any], ask: Ask, began: float, all_: list[float]) -> None:
        """Remember how long it took."""
        all_.append(time.perf_counter() - began)
        self.answered(reply, ask)

    def answered(self, reply: dict[str, Any], ask: Ask) -> None:
        """Make the next call in place of the one that has ended."""
        self.check(reply)
        self.unanswered -= 1
        if self.unasked:
            self.ask(ask)
        elif not self.unanswered:
            self.done.callback(None)


def sums(peers: list[amp.AMP], outstanding: int) -> Calls:
    """Sums on each of the connections."""

    def check(reply: dict[str, Any]) -> None:
        if reply["total"] != 94:
            raise ValueError(reply)

    return Calls([partial(peer.callRemote, Sum, a=13, b=81) for peer in peers for _ in range(outstanding)], check)


def echoes(peers: list[amp.AMP], outstanding: int, size: int) -> Calls:
    """Echoes on each of the connections."""

    def check(reply: dict[str, Any]) -> None:
        if len(reply["data"]) != size:
            raise ValueError(reply)

    data = bytes(size)
    return Calls([partial(peer.callRemote, Echo, data=data) for peer in peers for _ in range(outstanding)], check)


async def call(reactor: Any, address: str, job: Job) -> None:
    """Connect as often as the job says, and measure."""
    endpoint = endpoints.UNIXClientEndpoint(reactor, address)
    peers = [await endpoints.connectProtocol(endpoint, amp.AMP()) for _ in range(job.connections)]
    calls = echoes(peers, job.outstanding, job.size) if job.size else sums(peers, job.outstanding)
    await measure(calls.load, address, job)


async def serve(reactor: Any, address: str, responder: str) -> None:
    """Answer until SIGTERM."""
    protocol = CoroutineCalculator if responder == "coroutine" else Calculator
    await endpoints.UNIXServerEndpoint(reactor, address, backlog=1024).listen(Factory.forProtocol(protocol))
    ready()
    await Deferred()


def main(reactor: Any, role: str, address: str, *words: str) -> Coroutine[Any, Any, None]:
    """Be one end."""
    if role == "serve":
        return serve(reactor, address, words[0])
    return call(reactor, address, Job.from_json(sys.stdin.readline()))


if __name__ == "__main__":
    if os.environ.get("BENCH_REACTOR") == "asyncio":
        asyncioreactor.install(asyncio.new_event_loop())
    else:
        epollreactor.install()
    react(main, sys.argv[1:])
