"""A genuine Twisted AMP protocol with responders for every command of the interop tests; knows no socket."""

# mypy: allow-untyped-calls, allow-untyped-decorators
# ruff: noqa: N802  (some names are Twisted's)

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols import amp
from twisted.python.failure import Failure

from tests.interop import twisted_commands as commands
from tests.interop.twisted_values import from_twisted
from tests.interop.values import fingerprint


class Peer(amp.AMP):
    """One end of a connection, answering as a server and as a client; `on_lost` gets the reason when it has ended."""

    transport: Any

    def __init__(self, on_lost: Callable[[Failure], None] = lambda _: None) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.held: dict[str, Deferred[dict[str, str]]] = {}
        self.on_lost = on_lost

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.on_lost(reason)

    @commands.Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        return {"total": a + b}

    @commands.Divide.responder
    def divide(self, numerator: int, denominator: int) -> dict[str, float]:
        return {"result": numerator / denominator}

    @commands.Explode.responder
    def explode(self) -> dict[str, Any]:
        raise commands.FatalFault("it is over")

    @commands.Surprise.responder
    def surprise(self) -> dict[str, Any]:
        raise RuntimeError("a secret of this process")

    @commands.Note.responder
    def note(self, text: str) -> dict[str, Any]:
        self.notes.append(text)
        return {}

    @commands.Notes.responder
    def all_notes(self) -> dict[str, list[str]]:
        return {"texts": self.notes}

    @commands.Hold.responder
    def hold(self, name: str) -> Deferred[dict[str, str]]:
        self.held[name] = Deferred()
        return self.held[name]

    @commands.Release.responder
    def release(self, name: str) -> dict[str, Any]:
        self.held.pop(name).callback({"name": name})
        return {}

    @commands.AskBack.responder
    def ask_back(self, a: int, b: int) -> Any:
        return self.callRemote(commands.Sum, a=a, b=b)

    @commands.Countdown.responder
    def countdown(self, start: int) -> Any:
        if start == 0:
            return {"path": [0]}
        answer = self.callRemote(commands.Countdown, start=start - 1)
        return answer.addCallback(lambda reply: {"path": [*reply["path"], start]})

    @commands.Leave.responder
    def leave(self) -> Deferred[dict[str, Any]]:
        self.transport.loseConnection()
        return Deferred()

    def locateResponder(self, name: bytes) -> Any:
        """Echo commands share one responder, so they are found here and not by a method each."""
        command = commands.BY_NAME.get(name.decode("ascii", "replace"))
        if command in commands.ECHOES:
            return self._wrapWithSerialization(echo, command)
        return super().locateResponder(name)


def echo(value: Any) -> dict[str, Any]:
    """The value as it came, and how it looked here."""
    return {"value": value, "seen": fingerprint(from_twisted(value))}
