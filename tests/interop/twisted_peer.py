"""A genuine Twisted AMP server or client as a child process; knows command lines and JSON lines, no test.

`serve ADDRESS` prints `READY <address>` once it listens. `connect ADDRESS` prints it once connected, then reads a
call a line, `{"command": "Sum", "arguments": {"a": 1, "b": 2}}`, makes it at once, and prints a line when it ends:
`{"call": 0, "result": ...}`, `{"call": 0, "error": <type>, "message": ...}`, or `{"call": 0, "sent": true}`.
`{"lost": <reason>}` is the last line of a connection. Both end with standard input or on SIGTERM.
"""

# mypy: allow-untyped-calls, disable-error-code="import-untyped"
# ruff: noqa: N802  (some names are Twisted's)

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from twisted.internet import endpoints, stdio
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.interop.twisted_commands import BY_NAME
from tests.interop.twisted_responders import Peer
from tests.interop.twisted_values import from_twisted, to_twisted
from tests.interop.values import from_plain, to_plain


@implementer(IHalfCloseableProtocol)
class Terminal(LineReceiver):
    """Standard input and output, a line at a time; `on_line` and `on_end` say what to do with the input."""

    delimiter = b"\n"
    MAX_LENGTH = 10_000_000
    transport: Any

    def __init__(self, on_line: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self.on_line = on_line
        self.on_end = on_end
        self.closed: Deferred[None] = Deferred()

    def open(self, reactor: Any) -> None:
        """Begin to read and write."""
        protocol: Any = self
        stdio.StandardIO(protocol, reactor=reactor)

    def lineReceived(self, line: bytes) -> None:
        """Somebody wants something."""
        self.on_line(line)

    def readConnectionLost(self) -> None:
        """Standard input has ended."""
        self.on_end()

    def writeConnectionLost(self) -> None:
        """The reader of our lines is gone; the end of standard input ends us."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """All lines are out."""
        self.closed.callback(None)

    async def close(self) -> None:
        """Wait until all lines are out."""
        self.transport.loseConnection()
        await self.closed

    def say(self, message: Any) -> None:
        """Print one line: a text as it is, anything else as JSON."""
        self.sendLine((message if isinstance(message, str) else json.dumps(message)).encode())


class Caller:
    """Makes the calls that standard input asks for on one connection and prints what became of them.

    `done` fires when standard input has ended, every call has, and so has the connection.
    """

    def __init__(self) -> None:
        self.peer = Peer(self.lost)
        self.terminal = Terminal(self.call, self.end)
        self.started = 0
        self.unfinished: set[int] = set()
        self.input_ended = self.connection_ended = False
        self.done: Deferred[None] = Deferred()

    def call(self, line: bytes) -> None:
        """Make the call of one line."""
        request = json.loads(line)
        arguments = {name: to_twisted(from_plain(plain)) for name, plain in request["arguments"].items()}
        number, self.started = self.started, self.started + 1
        self.unfinished.add(number)
        answer: Deferred[Any] = maybeDeferred(self.peer.callRemote, BY_NAME[request["command"]], **arguments)
        _ = answer.addCallbacks(described, failed).addCallback(self.finish, number)

    def finish(self, outcome: dict[str, Any], number: int) -> None:
        """Print what became of a call."""
        self.terminal.say({"call": number, **outcome})
        self.unfinished.discard(number)
        self.end_when_finished()

    def end(self) -> None:
        """Take no more calls."""
        self.input_ended = True
        self.end_when_finished()

    def end_when_finished(self) -> None:
        """Close the connection when there is nothing left to do on it."""
        if self.input_ended and self.connection_ended:
            self.done.callback(None)
        elif self.input_ended and not self.unfinished:
            self.peer.transport.loseConnection()

    def lost(self, reason: Any) -> None:
        """Print why the connection has ended."""
        self.connection_ended = True
        self.terminal.say({"lost": reason.type.__name__})
        self.end_when_finished()


def described(reply: Any) -> dict[str, Any]:
    """The outcome of a call that succeeded."""
    return {"sent": True} if reply is None else {"result": to_plain(from_twisted(reply))["record"]}


def failed(failure: Any) -> dict[str, Any]:
    """The outcome of a call that failed."""
    return {"error": failure.type.__name__, "message": failure.getErrorMessage()}


def url(host: Any) -> str:
    """The address that a peer connects to, in the form that it came on the command line."""
    name = getattr(host, "name", None)
    return f"unix://{name.decode()}" if name else f"tcp://{host.host}:{host.port}"


async def serve(reactor: Any, address: str) -> None:
    """Listen on `address`, say so, and answer until standard input ends."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        endpoint: Any = endpoints.UNIXServerEndpoint(reactor, parts.path)
    else:
        endpoint = endpoints.TCP4ServerEndpoint(reactor, parts.port or 0, interface=parts.hostname or "")
    input_ended: Deferred[None] = Deferred()
    terminal = Terminal(lambda _: None, lambda: input_ended.callback(None))
    terminal.open(reactor)
    port = await endpoint.listen(Factory.forProtocol(Peer))
    terminal.say(f"READY {url(port.getHost())}")
    await input_ended
    await terminal.close()


async def connect(reactor: Any, address: str) -> None:
    """Connect to `address`, say so, and make the calls of standard input."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        endpoint: Any = endpoints.UNIXClientEndpoint(reactor, parts.path)
    else:
        endpoint = endpoints.TCP4ClientEndpoint(reactor, parts.hostname or "", parts.port or 0)
    caller = Caller()
    await endpoints.connectProtocol(endpoint, caller.peer)
    caller.terminal.open(reactor)
    caller.terminal.say(f"READY {address}")
    await caller.done
    await caller.terminal.close()


def main(reactor: Any, role: str, address: str) -> Any:
    """Be a server or a client."""
    return {"serve": serve, "connect": connect}[role](reactor, address)


if __name__ == "__main__":
    react(main, sys.argv[1:])
