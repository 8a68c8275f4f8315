"""Fixtures of the interop tests: where to listen, a Twisted server, an ampkit server; every test here is `interop`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import ampkit
from tests.interop.ampkit_service import Twin
from tests.interop.twisted_child import TwistedClient, twisted_client, twisted_server

HERE = Path(__file__).parent
TRANSPORTS = ["tcp", "unix"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("interop")


def address(transport: str, folder: Path) -> str:
    """Where a server can listen that nobody else uses."""
    return "tcp://127.0.0.1:0" if transport == "tcp" else f"unix://{folder}/socket"


@pytest.fixture(scope="session")
def twisted_addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of a Twisted server for each transport; tests share them, each with a connection of its own."""
    with ExitStack() as servers:
        addresses = {}
        for transport in TRANSPORTS:
            folder = tmp_path_factory.mktemp(transport)
            server = twisted_server(address(transport, folder), folder / "server.log")
            addresses[transport], _ = servers.enter_context(server)
        yield addresses


@pytest.fixture(params=TRANSPORTS)
async def peer(request: pytest.FixtureRequest, twisted_addresses: dict[str, str]) -> AsyncIterator[ampkit.Peer]:
    """Our client, connected to a Twisted server and answering it too."""
    async with ampkit.connect(twisted_addresses[request.param], Twin()) as connected:
        yield connected


@pytest.fixture(params=TRANSPORTS)
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TwistedClient]:
    """A Twisted client, connected to our server."""
    async with (
        ampkit.serve(Twin, address(request.param, tmp_path)) as server,
        twisted_client(server.addresses[0], tmp_path / "client.log") as connected,
    ):
        yield connected
