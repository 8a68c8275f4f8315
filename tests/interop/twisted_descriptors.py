"""A genuine Twisted AMP peer on a unix socket, whose commands have descriptors: `serve PATH` or `connect PATH`.

It prints READY when it listens or is connected, and ends with standard input.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators, disable-error-code="import-untyped"
# ruff: noqa: RUF012  (that is how Twisted declares commands)

import os
import sys
from typing import Any

from twisted.internet import endpoints
from twisted.internet import reactor as _reactor
from twisted.internet.defer import gatherResults
from twisted.internet.protocol import Factory
from twisted.protocols import amp

reactor: Any = _reactor


class Read(amp.Command):
    """Read a file to its end, and close it."""

    arguments = [(b"name", amp.Unicode()), (b"file", amp.Descriptor())]
    response = [(b"text", amp.Unicode())]


class Open(amp.Command):
    """Open a pipe that has a text in it."""

    arguments = [(b"text", amp.Unicode())]
    response = [(b"file", amp.Descriptor())]


class ReadAll(amp.Command):
    """Read several files: two of the box, and those in a list."""

    arguments = [
        (b"second", amp.Descriptor()),
        (b"first", amp.Descriptor()),
        (b"parts", amp.AmpList([(b"file", amp.Descriptor())])),
    ]
    response = [(b"texts", amp.ListOf(amp.Unicode()))]


class Sum(amp.Command):
    """Add; no descriptor is about."""

    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


class CallBack(amp.Command):
    """Make so many of these calls at once, and return what became of them."""

    arguments = [(b"count", amp.Integer())]
    response = [(b"texts", amp.ListOf(amp.Unicode()))]


def text_of(number: int) -> str:
    """Read a file to its end."""
    with os.fdopen(number) as file:
        return file.read()


class Peer(amp.AMP):
    """Answers all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[int] = []

    def pipe(self, text: str) -> int:
        """Open a pipe with a text in it; Twisted sends it later, so it stays open until the connection ends."""
        read_from, write_to = os.pipe()
        os.write(write_to, text.encode())
        os.close(write_to)
        self.kept.append(read_from)
        return read_from

    @Read.responder
    def read(self, name: str, file: int) -> dict[str, str]:
        return {"text": f"{name}: {text_of(file)}"}

    @Open.responder
    def open(self, text: str) -> dict[str, int]:
        return {"file": self.pipe(text)}

    @ReadAll.responder
    def read_all(self, first: int, second: int, parts: list[dict[str, int]]) -> dict[str, list[str]]:
        return {"texts": [text_of(number) for number in (first, second, *(part["file"] for part in parts))]}

    @Sum.responder
    def sum(self, a: int, b: int) -> dict[str, int]:
        return {"total": a + b}

    @CallBack.responder
    def call_back(self, count: int) -> Any:
        calls: list[Any] = []
        for i in range(count):
            calls.append(
                self.callRemote(Read, name=f"{i}", file=self.pipe(f"read {i}")).addCallback(lambda r: r["text"])
            )
            calls.append(self.callRemote(Sum, a=i, b=1).addCallback(lambda r: f"{r['total']}"))
            calls.append(self.callRemote(Open, text=f"open {i}").addCallback(lambda r: text_of(r["file"])))
            files = [self.pipe(f"{part}{i}") for part in "abcd"]
            parts = [{"file": file} for file in files[2:]]
            everything = self.callRemote(ReadAll, second=files[1], first=files[0], parts=parts)
            calls.append(everything.addCallback(lambda r: " ".join(r["texts"])))
        return gatherResults(calls).addCallback(lambda texts: {"texts": texts})


def main(role: str, path: str) -> None:
    """Be a server or a client."""
    if role == "serve":
        opened = endpoints.UNIXServerEndpoint(reactor, path).listen(Factory.forProtocol(Peer))
    else:
        opened = endpoints.connectProtocol(endpoints.UNIXClientEndpoint(reactor, path), Peer())
    opened.addCallback(lambda _: print("READY", flush=True))
    reactor.callInThread(lambda: (sys.stdin.read(), reactor.callFromThread(reactor.stop)))
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
