"""A chat room: clients call the server, and the server calls every client back on the connection that it opened.

python examples/chat.py
"""

import ampkit
from ampkit import Command, ConnectionLost, Peer, Service


class Join(Command[None]):
    """From a client: take part under a name."""

    name: str


class Say(Command[None]):
    """From a client: tell everybody."""

    text: str


class Hear(Command[None]):
    """From the server: somebody said something."""

    speaker: str
    text: str


class Room(Service):
    """The server's side, one for all connections."""

    def __init__(self) -> None:
        self.names: dict[Peer, str] = {}

    @Join.responder
    async def join(self, command: Join, peer: Peer) -> None:
        self.names[peer] = command.name
        await self.announce("room", f"{command.name} is here")

    @Say.responder
    async def say(self, command: Say, peer: Peer) -> None:
        await self.announce(self.names[peer], command.text)

    async def announce(self, speaker: str, text: str) -> None:
        """Call everybody who is still there."""
        for peer in list(self.names):
            try:
                await peer.call(Hear(speaker=speaker, text=text), timeout=5)
            except ConnectionLost:
                del self.names[peer]


class Screen(Service):
    """A client's side: shows what it hears."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    @Hear.responder
    def hear(self, command: Hear) -> None:
        print(f"[{self.owner}'s screen] {command.speaker}: {command.text}")


async def main() -> None:
    """Let two people chat."""
    async with ampkit.serve(Room(), "tcp://127.0.0.1:0") as server:
        address = server.addresses[0]
        async with ampkit.connect(address, Screen("Ada")) as ada:
            await ada.call(Join(name="Ada"))
            async with ampkit.connect(address, Screen("Bob")) as bob:
                await bob.call(Join(name="Bob"))
                await ada.call(Say(text="Hello Bob!"))
            await ada.call(Say(text="Gone already?"))


if __name__ == "__main__":
    ampkit.run(main())
