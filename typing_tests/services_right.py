"""Responders as they should be: plain functions and coroutines, with and without the peer."""

from __future__ import annotations

from typing import Any, assert_type

from ampkit import Peer, ProcessServer, Server, Service, Switch, serve
from typing_tests.calls_right import Shouter
from typing_tests.declarations import Become, Classic, Early, Late, Note, Ping, Sum, Total


class Calculator(Service):
    """All forms of a responder."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Respond at once."""
        assert_type(command.a, int)
        return Total(total=command.a + command.b)

    @Ping.responder
    async def ping(self, command: Ping, peer: Peer) -> None:
        """Respond later, and call back."""
        assert_type(await peer.call(Sum(a=1, b=2)), Total)
        await peer.call(command)

    @Early.responder
    async def early(self, command: Early) -> Late:
        """Respond later."""
        return Late(text=repr(command))

    @Classic.responder
    def classic(self, command: Any) -> dict[str, int]:
        """Respond to a classic command, of which nothing is known."""
        return {"total": command.a}


class Louder(Calculator):
    """A subclass overrides a responder, and calls the one it overrides."""

    def sum(self, command: Sum) -> Total:
        """Respond with more."""
        assert_type(super().sum(command), Total)
        return Total(total=super().sum(command).total * 10)


class Shifter(Service, require_tls=True):
    """Becomes something else."""

    @Become.responder
    async def become(self, command: Become) -> Switch:
        """Agree."""
        assert_type(command.name, str)
        return Switch(Shouter)


class Several(Service):
    """One method for two commands."""

    @Ping.responder
    @Note.responder
    def take(self, command: Ping | Note) -> None:
        """Respond to either."""
        print(command)


assert_type(Calculator().sum(Sum(a=1, b=2)), Total)


async def servers(count: int) -> None:
    """One process is a Server; of any number all have what both kinds have."""
    assert_type(await serve(Calculator(), "memory://it"), Server)
    assert_type(await serve(Calculator(), "memory://it", processes=1), Server)
    async with serve(Calculator(), "tcp://:1234", processes=count) as server:
        assert_type(server, Server | ProcessServer)
        assert_type(server.addresses, list[str])
        await server.drain()
        await server.wait_closed()
