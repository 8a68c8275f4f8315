"""A reactor on the loop of a test, and connections on the reactor; knows no test."""

# mypy: allow-untyped-calls

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.endpoints import UNIXClientEndpoint, UNIXServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory

from tests.twisted.seams.common import result, until


@pytest.fixture
async def reactor() -> AsyncIterator[Any]:
    """A Twisted reactor on the event loop of the test."""
    own = AsyncioSelectorReactor(asyncio.get_running_loop())
    yield own
    for each in own.removeAll():
        each.connectionLost(None)
    own.removeReader(own.waker)
    own.waker.connectionLost(None)


@pytest.fixture
async def link(reactor: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """Connect two protocols over a unix socket; at the end of the test both have lost it."""
    linked: list[Any] = []

    async def join(server: Any, client: Any) -> None:
        path = f"{tmp_path}/{len(linked)}"
        port = await result(UNIXServerEndpoint(reactor, path).listen(Factory.forProtocol(lambda: server)))
        await result(connectProtocol(UNIXClientEndpoint(reactor, path), client))
        await until(lambda: server.transport)
        await result(port.stopListening())
        linked.extend([server, client])

    yield join
    for end in linked:
        if end.transport:
            end.transport.loseConnection()
    await until(lambda: not any(end.transport and end.transport.connected for end in linked))
