"""How many connections a server takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ampkit import ConnectionLost, Limits, connect, serve
from ampkit.asyncio.crowd import Crowd
from tests.asyncio.office import Office, Sum, Total


@pytest.mark.parametrize("limits", [Limits(max_connections=2), Limits(max_connections_per_address=2)])
async def test_a_full_server(
    limits: Limits, make_address: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    """It closes who comes too much, says so once, serves the others, and takes the next one when one has left."""
    async with serve(Office(), make_address("tcp"), limits=limits) as server:
        (address,) = server.addresses
        async with connect(address) as first, connect(address) as second:
            for _ in range(3):
                async with connect(address) as third:
                    await third.wait_closed()
                    with pytest.raises(ConnectionLost):
                        await third.call(Sum(a=1, b=2))
            assert await first.call(Sum(a=13, b=81)) == Total(total=94)
            await second.close()
            while len(server.peers) > 1:
                await first.call(Sum(a=1, b=2))
            async with connect(address) as fourth:
                assert await fourth.call(Sum(a=13, b=81)) == Total(total=94)
    (record,) = caplog.records
    assert "max_connections" in record.getMessage()


@dataclass(eq=False)
class Someone:
    """Has an address."""

    remote_address: str
    crowd: object = None


def test_each_address_counts_for_itself() -> None:
    """Hosts are told apart, IPv6 ones too; those on this machine's own sockets are not."""
    crowd: Crowd[Someone] = Crowd(Limits(max_connections_per_address=1))
    for address in ("tcp://10.0.0.1:5", "tls://10.0.0.2:5", "tcp://[::1]:5", "tcp://[::2]:5", "unix:///x", "unix:///x"):
        crowd.enter(Someone(address))
    for address in ("tcp://10.0.0.1:6", "tcp://[::2]:6"):
        with pytest.raises(ConnectionLost, match="max_connections_per_address=1"):
            crowd.enter(Someone(address))
        crowd.leave(Someone(address))
        crowd.enter(Someone(address))
