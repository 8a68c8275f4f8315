"""Mistakes in services, each in a marked line that a type checker must complain about, in the marked words."""

from __future__ import annotations

from ampkit import Peer, Service
from typing_tests.declarations import Note, Ping, Sum, Total


class Wrong(Service):
    """Every responder of it."""

    @Sum.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    def wrong_return(self, command: Sum) -> int:
        """Return the number and not the response."""
        return command.a + command.b

    @Sum.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    async def wrong_return_later(self, command: Sum) -> int:
        """Return the number and not the response, later."""
        return command.a + command.b

    @Sum.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    def no_return(self, command: Sum) -> None:
        """Return nothing."""
        print(command)

    @Ping.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    def return_too_much(self, command: Ping) -> Total:
        """Return what nobody asked for."""
        return Total(total=len(repr(command)))

    @Sum.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    def wrong_command(self, command: Ping) -> Total:
        """Take another command than it responds to."""
        return Total(total=len(repr(command)))

    @Sum.responder  # error: mypy=arg-type, pyright=reportArgumentType reportCallIssue
    def no_command(self) -> Total:
        """Take no command."""
        return Total(total=0)

    @Note.responder
    def wrong_field(self, command: Note) -> None:
        """Read a field that the command has not, or as what it is not."""
        print(command.txt)  # error: mypy=attr-defined, pyright=reportAttributeAccessIssue
        print(command.text + 1)  # error: mypy=operator, pyright=reportOperatorIssue

    @Sum.responder
    async def wrong_response(self, command: Sum, peer: Peer) -> Total:
        """Make a response from the wrong values, or pass on another one."""
        if command.a:
            return Total(total="94")  # error: mypy=arg-type, pyright=reportArgumentType
        if command.b:
            return Total(sum=94)  # error: mypy=call-arg, pyright=reportCallIssue
        return await peer.call(Ping())  # error: mypy=arg-type, pyright=reportReturnType
