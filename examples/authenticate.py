"""Hooks that refuse every ask until whoever asks has said who it is: with a token, or by its TLS certificate.

    python examples/authenticate.py

The library knows nothing of users. `Authenticate` stands before all responders, also before those that do not exist, so
a stranger learns nothing of what there is. Whoever connects over `tls://` with a certificate is known by it, if the
server asks for one: `serve(..., tls=Tls(..., authority="clients.pem", client_certificate="wanted"))`.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakKeyDictionary

import ampkit
from ampkit import Command, Hooks, Options, Peer, RemoteError, Response, Service
from ampkit.hooks import Ask

user: ContextVar[str] = ContextVar("user")
"""Who asks, for responders."""


class LogIn(Command[None], errors={PermissionError: "WRONG_TOKEN"}):
    """Say who you are; the only command for strangers."""

    token: str


class Name(Response):
    """What `WhoAmI` answers."""

    name: str


class WhoAmI(Command[Name]):
    """Ask by which name the server knows you."""


class Authenticate(Hooks):
    """Lets in who has logged in on the same connection, or has shown a certificate that TLS has verified."""

    def __init__(self) -> None:
        self._names: WeakKeyDictionary[Peer, str] = WeakKeyDictionary()

    def accept(self, peer: Peer, name: str) -> None:
        """Let a connection in, from now on."""
        self._names[peer] = name

    @contextmanager
    def answering(self, ask: Ask) -> Generator[None]:
        """Refuse strangers, and tell the responder who asks."""
        name = self._names.get(ask.peer) or certified_name(ask.peer)
        if name is None:
            if ask.command != LogIn.__command__.name:
                raise RemoteError("UNAUTHENTICATED", "log in first")
            yield
            return
        before = user.set(name)
        try:
            yield
        finally:
            user.reset(before)


def certified_name(peer: Peer) -> str | None:
    """Return the name in the certificate of a peer, if it has shown one."""
    return peer.certificate.common_name if peer.certificate else None


class Gate(Service):
    """Responds to `LogIn`."""

    def __init__(self, authenticate: Authenticate, tokens: Mapping[str, str]) -> None:
        self._authenticate = authenticate
        self._tokens = tokens

    @LogIn.responder
    def log_in(self, command: LogIn, peer: Peer) -> None:
        for name, token in self._tokens.items():
            if secrets.compare_digest(token.encode(), command.token.encode()):
                self._authenticate.accept(peer, name)
                return
        raise PermissionError("nobody has this token")


class Office(Service):
    """What is behind the gate."""

    @WhoAmI.responder
    def who_am_i(self, _: WhoAmI) -> Name:
        return Name(name=user.get())


async def main() -> None:
    """Knock, be refused, log in."""
    authenticate = Authenticate()
    gate = Gate(authenticate, {"Ada": "ada-secret"})
    async with (
        ampkit.serve([gate, Office()], "memory://office", options=Options(hooks=(authenticate,))),
        ampkit.connect("memory://office") as peer,
    ):
        for command in (b"WhoAmI", b"OpenSafe"):
            try:
                await peer.call_raw(command)
            except RemoteError as error:
                print(command.decode(), "-", error)
        try:
            await peer.call(LogIn(token="guess"))
        except PermissionError as error:
            print("LogIn -", error)
        await peer.call(LogIn(token="ada-secret"))
        print("WhoAmI -", (await peer.call(WhoAmI())).name)


if __name__ == "__main__":
    ampkit.run(main())
