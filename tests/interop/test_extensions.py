"""What ampkit says beside AMP, to genuine Twisted peers: nothing breaks, and no connection is dropped by it."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import DeadlineExceeded, Options, Peer, connect
from tests.interop import ampkit_commands as commands
from tests.interop.ampkit_service import Twin

OFTEN = Options(ping_interval=0.04, ping_timeout=20)


async def still_works(peer: Peer) -> None:
    """Check that the connection is as good as new."""
    assert (await peer.call(commands.Sum(a=13, b=81), timeout=20)).total == 94
    assert peer.end_reason is None


async def test_time_limits(peer: Peer) -> None:
    """Twisted does not look at them: a call in time is answered, one that is late ends here."""
    with pytest.raises(DeadlineExceeded):
        await peer.call(commands.Hold(name="late"), timeout=0.05)
    await still_works(peer)
    await peer.call(commands.Release(name="late"))
    await still_works(peer)


async def test_cancelling(peer: Peer) -> None:
    """Twisted refuses the first `_cancel` and gets no other; its late answers are dropped, and nothing is left here."""
    for _ in range(3):
        call = asyncio.create_task(peer.call(commands.Hold(name="held")))
        await still_works(peer)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await still_works(peer)
        assert not peer.channel.connection.pending
        await peer.call(commands.Release(name="held"))
    before = peer.channel.connection.asked
    call = asyncio.create_task(peer.call(commands.Hold(name="held")))
    await still_works(peer)
    call.cancel()
    await asyncio.wait([call])
    await peer.call(commands.Release(name="held"))
    assert peer.channel.connection.asked == before + 3


@pytest.mark.parametrize("transport", ["tcp", "unix"])
async def test_pings(twisted_addresses: dict[str, str], transport: str) -> None:
    """Twisted refuses them, which is a sign of life."""
    async with connect(twisted_addresses[transport], Twin(), options=OFTEN) as peer:
        async with asyncio.timeout(20):
            while peer.round_trip is None:  # noqa: ASYNC110 - nothing says that a ping was answered
                await asyncio.sleep(0.01)
        assert 0 < peer.round_trip < 20
        await still_works(peer)


async def test_closing_in_peace(peer: Peer) -> None:
    """Twisted refuses to hear of it; what is under way ends, and the connection is closed at once after that."""
    call = asyncio.create_task(peer.call(commands.Hold(name="last")))
    await still_works(peer)
    await peer.call(commands.Release(name="last"))
    async with asyncio.timeout(20):
        await peer.close(grace=60)
    assert (await call).name == "last"
