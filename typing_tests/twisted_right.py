"""The Twisted face as it should be used: no word from a type checker, and what comes back is known."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_type

from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols import amp as stock

from ampkit.twisted import amp


class Sum(amp.Command):
    """Ours, with an argument of Twisted's own."""

    arguments = [(b"a", amp.Integer()), (b"b", stock.Integer(optional=True))]
    response = [(b"total", amp.Integer())]
    errors = {OverflowError: b"OVERFLOW"}


class Switch(amp.ProtocolSwitchCommand):
    """Its responder returns a protocol."""


class StockSum(stock.Command):
    """Twisted's."""

    arguments = [(b"a", stock.Integer())]


class Calculator(amp.AMP):
    """Responders of every kind, which stay what they are."""

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        """Respond at once."""
        return {"total": a + b}

    @Sum.responder
    def later(self, a: int, b: int) -> Deferred[dict[str, int]]:
        """Respond by a Deferred."""
        return succeed({"total": a + b})

    @Sum.responder
    async def waiting(self, a: int, b: int) -> dict[str, Any]:
        """Respond by a coroutine."""
        return await self.callRemote(Sum, a=a, b=b)

    @Sum.responder
    @inlineCallbacks
    def yielding(self, a: int, b: int) -> Generator[Deferred[Any], Any, dict[str, int]]:
        """Respond by a generator."""
        reply = yield self.callRemote(Sum, a=a, b=b)
        return {"total": reply["total"]}

    @Switch.responder
    def switch(self) -> Protocol:
        """Become another protocol."""
        return Protocol()


async def calls_are_for_dictionaries(peer: amp.AMP, factory: Factory) -> None:
    """Ours, Twisted's, by position and by keyword."""
    question = peer.callRemote(Sum, a=13, b=81)
    _ = assert_type(question, Deferred[dict[str, Any]])
    assert_type((await question)["total"], Any)
    assert_type(await peer.callRemote(StockSum, a=13), dict[str, Any])
    assert_type(await peer.callRemote(Switch, factory), dict[str, Any])
    assert_type(await peer.callRemote(commandType=Sum, a=13), dict[str, Any])
    assert_type(await peer.callRemoteString(b"Sum", a=b"13"), amp.Box)


def responders_stay_what_they_are(calculator: Calculator) -> None:
    """The decorator returns the function itself."""
    assert_type(calculator.sum(13, b=81), dict[str, int])
    _ = assert_type(calculator.later(13, 81), Deferred[dict[str, int]])


def errors_are_twisteds_too(error: amp.RemoteAmpError) -> stock.RemoteAmpError:
    """Who expects Twisted's takes ours, and knows what is in it."""
    assert_type(error.errorCode, bytes)
    assert_type(error.fatal, bool)
    return error


def boxes_are_dictionaries(data: bytes) -> bytes:
    """Captured bytes become boxes, and boxes bytes."""
    boxes = amp.parseString(data)
    assert_type(boxes, list[amp.AmpBox])
    assert_type(boxes[0].copy().serialize(), bytes)
    return b"".join(box.serialize() for box in boxes)
