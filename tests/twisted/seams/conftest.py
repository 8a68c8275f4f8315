"""Both modules, each for either end, and real connections between their protocols; knows no seam."""

# mypy: allow-untyped-calls

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.endpoints import UNIXClientEndpoint, UNIXServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.protocols import amp as stock

from ampkit.twisted import amp as ours
from tests.twisted.seams import common
from tests.twisted.seams.common import result, until

MODULES = {"stock": stock, "ours": ours}
Link = Callable[[Any, Any], Awaitable[None]]


@pytest.fixture(params=MODULES)
def amp(request: pytest.FixtureRequest) -> Any:
    """The module of the end that uses a seam."""
    return MODULES[request.param]


@pytest.fixture(params=MODULES)
def far(request: pytest.FixtureRequest) -> Any:
    """The module of the other end."""
    return MODULES[request.param]


@pytest.fixture
def calculator(amp: Any) -> Any:
    """The class of an end that answers the commands, to be subclassed."""
    return common.calculator(amp)


@pytest.fixture
async def link(reactor: Any, tmp_path: Path) -> AsyncIterator[Link]:
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
