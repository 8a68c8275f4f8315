"""ampkit's responders for every command of the interop tests, the twin of `twisted_responders`; knows no socket."""

import asyncio
from functools import reduce
from typing import Any

from ampkit import Peer, Service
from tests.interop import ampkit_commands as commands
from tests.interop.values import fingerprint


class Twin(Service):
    """One end of a connection, which answers as a server and as a client; one instance a connection."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.held: dict[str, asyncio.Future[commands.Named]] = {}

    @commands.Sum.responder
    def sum(self, command: commands.Sum) -> commands.Total:
        return commands.Total(total=command.a + command.b)

    @commands.Divide.responder
    def divide(self, command: commands.Divide) -> commands.Quotient:
        return commands.Quotient(result=command.numerator / command.denominator)

    @commands.Explode.responder
    def explode(self, _: commands.Explode) -> None:
        raise commands.FatalFault("it is over")

    @commands.Surprise.responder
    def surprise(self, _: commands.Surprise) -> None:
        raise RuntimeError("a secret of this process")

    @commands.Note.responder
    def note(self, command: commands.Note) -> None:
        self.notes.append(command.text)

    @commands.Notes.responder
    def all_notes(self, _: commands.Notes) -> commands.Texts:
        return commands.Texts(texts=self.notes)

    @commands.Hold.responder
    async def hold(self, command: commands.Hold) -> commands.Named:
        self.held[command.name] = asyncio.get_running_loop().create_future()
        return await self.held[command.name]

    @commands.Release.responder
    def release(self, command: commands.Release) -> None:
        self.held.pop(command.name).set_result(commands.Named(name=command.name))

    @commands.AskBack.responder
    async def ask_back(self, command: commands.AskBack, peer: Peer) -> commands.Total:
        return await peer.call(commands.Sum(a=command.a, b=command.b))

    @commands.Countdown.responder
    async def countdown(self, command: commands.Countdown, peer: Peer) -> commands.Steps:
        if command.start == 0:
            return commands.Steps(path=[0])
        reply = await peer.call(commands.Countdown(start=command.start - 1))
        return commands.Steps(path=[*reply.path, command.start])

    def echo(self, command: Any) -> Any:
        """The value as it came, and how it looked here."""
        return {"value": command.value, "seen": fingerprint(command.value)}

    echo = reduce(lambda method, command: command.responder(method), commands.ECHOES.values(), echo)
