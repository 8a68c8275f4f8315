"""A genuine Twisted AMP peer that secures or switches its connection; knows its command line, and no test.

`python -m tests.interop.twisted_changing ROLE PORT WHAT FOLDER`: ROLE is `serve` or `connect`; WHAT says what this end
does of its own accord: `ask-tls`, `ask-switch`, or `wait`; with `+bare` it has no certificate and trusts anyone. It
prints a JSON line for each thing that happened, and ends with the connection.
"""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"
# ruff: noqa: N802  (some names are Twisted's)

import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import ClientFactory, Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, PrivateCertificate
from twisted.internet.task import react
from twisted.protocols import amp
from twisted.python.failure import Failure


def say(**what: Any) -> None:
    """Print one line."""
    print(json.dumps(what), flush=True)


class Sum(amp.Command):
    """Add."""

    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]  # noqa: RUF012 - Twisted's way
    response = [(b"total", amp.Integer())]  # noqa: RUF012 - Twisted's way


class Become(amp.ProtocolSwitchCommand):
    """Become a shouter, or refuse."""

    arguments = [(b"name", amp.Unicode())]  # noqa: RUF012 - Twisted's way
    errors = {ValueError: b"NO"}  # noqa: RUF012 - Twisted's way


class Shouter(Protocol):
    """Answers in capitals, and says what came."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        """Shout."""
        say(received=data.decode())
        self.transport.write(data.upper())

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """Say so."""
        say(shouter="lost")


class Whisperer(Shouter):
    """Begins to speak, and says what comes."""

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        say(received=data.decode())
        self.transport.loseConnection()


class WhispererFactory(ClientFactory):
    """Makes a whisperer."""

    protocol: Any = Whisperer

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:  # noqa: ARG002
        """Say so."""
        say(switch="failed")


class Peer(amp.AMP):
    """Either end."""

    transport: Any

    def __init__(self, folder: Path, what: str) -> None:
        super().__init__()
        self.what, self.bare = what.removesuffix("+bare"), what.endswith("+bare")
        self.folder = folder
        self.done: Deferred[None] = Deferred()

    def secrets(self, name: str) -> dict[str, Any]:
        """What this end shows and whom it trusts."""
        if self.bare:
            return {}
        own = PrivateCertificate.loadPEM((self.folder / name).read_bytes())
        authority = Certificate.loadPEM((self.folder / "authority").read_bytes())
        return {"tls_localCertificate": own, "tls_verifyAuthorities": [authority]}

    @amp.StartTLS.responder
    def start(self) -> dict[str, Any]:
        """Agree."""
        return self.secrets("server" if self.transport._tlsClientDefault is False else "client")

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        """Add, and say how safe that was."""
        say(sum=a + b, secure=self.hostCertificate is not None)
        return {"total": a + b}

    @Become.responder
    def become(self, name: str) -> Any:
        """Agree or refuse."""
        if name == "no":
            raise ValueError("not today")
        factory = Factory()
        factory.protocol = Shouter
        return factory.buildProtocol(None)

    async def act(self) -> None:
        """Do what this end does of its own accord."""
        try:
            if self.what == "ask-tls":
                name = "server" if self.transport._tlsClientDefault is False else "client"
                started = self.callRemote(amp.StartTLS, **self.secrets(name))
                held = [self.callRemote(Sum, a=number, b=1) for number in range(3)]
                await started
                say(totals=[(await each)["total"] for each in held])
                if not self.bare:
                    say(peer=self.name_of_the_other())
            elif self.what == "ask-switch":
                try:
                    await self.callRemote(Become, WhispererFactory(), name="no")
                except ValueError as error:
                    say(refused=str(error))
                say(total=(await self.callRemote(Sum, a=1, b=2))["total"])
                await self.callRemote(Become, WhispererFactory(), name="shout")
        except Exception as error:  # noqa: BLE001 - whatever it was, the test wants to know
            say(failed=type(error).__name__)

    def name_of_the_other(self) -> str:
        """The common name of the other end's certificate, if it has one."""
        certificate: Any = self.peerCertificate
        name: bytes = certificate.getSubject().get("commonName", b"")
        return name.decode()

    def connectionMade(self) -> None:
        """Begin."""
        super().connectionMade()
        say(connected=True)
        _ = Deferred.fromCoroutine(self.act())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End."""
        super().connectionLost(reason)
        say(lost=repr(reason))
        self.done.callback(None)


async def main(reactor: Any, role: str, port: str, what: str, folder: str) -> None:
    """Be one end of one connection."""
    peer = Peer(Path(folder), what)
    if role == "connect":
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", int(port)), peer)
    else:
        endpoint = TCP4ServerEndpoint(reactor, int(port), interface="127.0.0.1")
        listening = await endpoint.listen(Factory.forProtocol(lambda: peer))
        say(port=listening.getHost().port)
    await peer.done


if __name__ == "__main__":
    react(main, sys.argv[1:])
