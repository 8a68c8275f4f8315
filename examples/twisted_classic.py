"""The command classes of a Twisted program, moved to ampkit as they are, call the Twisted server they were written for.

    pip install 'ampkit[twisted]'
    python examples/twisted_classic.py

The server, `peers/twisted_shop.py`, is genuine Twisted in a process of its own.
"""

# Type checkers cannot see into the classic lists; for typed calls write the fields as annotations.
# mypy: disable-error-code="call-arg"
# pyright: reportCallIssue=false
# ruff: noqa: RUF012

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ampkit
from ampkit import AmpList, Boolean, Command, Integer, Unicode


class OutOfStock(Exception):
    """There are not so many."""


class Catalogue(Command[Any]):
    """Ask what there is."""

    response = [(b"items", AmpList([(b"name", Unicode()), (b"price", Integer())]))]


class Order(Command[Any], errors={OutOfStock: "OUT_OF_STOCK"}):  # `errors` is the one thing that is said elsewhere
    """Order some of it."""

    arguments = [(b"item-name", Unicode()), (b"count", Integer()), (b"gift", Boolean(optional=True))]
    response = [(b"total", Integer())]


async def main(address: str) -> None:
    """Call the Twisted server."""
    async with ampkit.connect(address) as peer:
        catalogue = await peer.call(Catalogue())
        for item in catalogue.items:
            print(f"{item.name} costs {item.price}")

        reply = await peer.call(Order(item_name="tea", count=2, gift=True))
        print("two, as a gift, cost", reply.total)

        try:
            await peer.call(Order(item_name="tea", count=1_000))
        except OutOfStock as error:
            print("OutOfStock:", error)


@contextmanager
def twisted_shop() -> Generator[str]:
    """Start the Twisted server, and end it; gives its address."""
    program = [sys.executable, str(Path(__file__).parent / "peers" / "twisted_shop.py")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


if __name__ == "__main__":
    with twisted_shop() as its_address:
        ampkit.run(main(its_address))
