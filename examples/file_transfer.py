"""A connection that speaks AMP, and then becomes one file: no box around each piece, and back pressure all the way.

python examples/file_transfer.py
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path

import ampkit
from ampkit import Command, Response, Service, Switch

SIZE = 5_000_000
PIECE = 65_536


class Listing(Response):
    """What there is to fetch."""

    names: list[str]


class List(Command[Listing]):
    """Ask for the names of all files."""


class Fetch(Command[Switch], errors={FileNotFoundError: "NO_SUCH_FILE"}):
    """Behind the answer, the connection is this file, to its end."""

    name: str


class Files(Service):
    """Gives away the files of one folder, and nothing beside it."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.name: path for path in folder.iterdir()}

    @List.responder
    def list(self, command: List) -> Listing:  # noqa: ARG002 - the command says nothing
        """Name them."""
        return Listing(names=sorted(self.files))

    @Fetch.responder
    def fetch(self, command: Fetch) -> Switch:
        """Become a file."""
        path = self.files.get(command.name)
        if path is None:
            raise FileNotFoundError(command.name)

        async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with path.open("rb") as file:
                while piece := file.read(PIECE):
                    writer.write(piece)
                    await writer.drain()
            writer.close()

        return Switch(streams=send)


async def fetch(address: str) -> None:
    """Look what there is, ask for what is not there, and fetch what is."""
    async with ampkit.connect(address) as peer:
        (name,) = (await peer.call(List())).names
        try:
            await peer.switch_to_streams(Fetch(name="secrets.txt"))
        except FileNotFoundError as error:
            print("no such file:", error)
        reader, writer = await peer.switch_to_streams(Fetch(name=name), timeout=5)
    content = await reader.read()
    print(name, "has", len(content), "bytes;", "intact" if digest(content) == digest(bytes(SIZE)) else "broken")
    writer.close()
    await writer.wait_closed()


def digest(content: bytes) -> str:
    """Return a checksum."""
    return hashlib.sha256(content).hexdigest()


async def main() -> None:
    """Serve a folder with one file, and fetch it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "zeros.bin").write_bytes(bytes(SIZE))
        async with ampkit.serve(Files(Path(folder)), "tcp://127.0.0.1:0") as server:
            await fetch(server.addresses[0])


if __name__ == "__main__":
    ampkit.run(main())
