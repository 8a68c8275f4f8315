"""Mistakes in a program on the Twisted face, each in a marked line that a type checker must complain about."""

from __future__ import annotations

from ampkit.twisted import amp


class Sum(amp.Command):
    """Add two integers."""

    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


class TextNames(amp.Command):
    """Names on the wire are bytes."""

    arguments = [("a", amp.Integer())]  # error: mypy=list-item, pyright=reportAssignmentType


class NoArgumentType(amp.Command):
    """A class of Python is no type of argument."""

    response = [(b"total", int)]  # error: mypy=list-item, pyright=reportAssignmentType


class TextCodes(amp.Command):
    """Codes on the wire are bytes."""

    errors = {ValueError: "VALUE"}  # error: mypy=dict-item, pyright=reportAssignmentType


class Calculator(amp.AMP):
    """Responders that return what is no response."""

    @Sum.responder  # error: mypy=type-var, pyright=reportArgumentType
    def number(self, a: int, b: int) -> int:
        """Return the number and no dictionary."""
        return a + b

    @Sum.responder  # error: mypy=type-var, pyright=reportArgumentType
    async def later(self, a: int, b: int) -> int:
        """Return the number and no dictionary, later."""
        return a + b

    @Sum.responder  # error: mypy=type-var, pyright=reportArgumentType
    def nothing(self, a: int, b: int) -> None:
        """Return nothing."""
        print(a, b)


async def call(peer: amp.AMP) -> None:
    """Call what is no command, and take the response for what it is not."""
    await peer.callRemote("Sum", a=13, b=81)  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.callRemote(Sum(a=13, b=81))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.callRemote(amp.AmpBox)  # error: mypy=arg-type, pyright=reportArgumentType
    reply = await peer.callRemote(Sum, a=13, b=81)
    print(reply.total)  # error: mypy=attr-defined, pyright=reportAttributeAccessIssue
    peer.callRemote(Sum, a=13, b=81)["total"]  # error: mypy=index, pyright=reportIndexIssue
    await peer.callRemoteString(b"Sum", a=13)  # error: mypy=arg-type, pyright=reportArgumentType
