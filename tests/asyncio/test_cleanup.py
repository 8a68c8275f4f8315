"""A responder that cleans up slowly: whoever closes a server finds it ended."""

from __future__ import annotations

import asyncio

import pytest

import ampkit
from ampkit import Command, ConnectionLost, Service


class Hold(Command[None]):
    """Is never answered."""


class Holder(Service):
    """Cleans up for some turns of the loop when it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.log: list[str] = []

    @Hold.responder
    async def hold(self, command: Hold) -> None:  # noqa: ARG002
        """Wait for the end, and then some."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _turn in range(10):
                await asyncio.sleep(0)
            self.log.append("ended")


async def test_a_server_closes_behind_responders_whose_peer_is_gone() -> None:
    """The connection may be closed long before its responder has ended: closing the server waits for both."""
    holder = Holder()
    server = await ampkit.serve(holder, "memory://hold")
    peer = await ampkit.connect("memory://hold")
    call = asyncio.ensure_future(peer.call(Hold()))
    await holder.begun.wait()
    await peer.close()
    assert server.peers == frozenset()
    before = list(holder.log)
    await server.close()
    assert (before, holder.log) == ([], ["ended"])
    with pytest.raises(ConnectionLost):
        await call
