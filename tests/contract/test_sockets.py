"""The contract over socket pairs, and over unix sockets with descriptors on both event loops."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from ampkit import Limits, Options, Peer, connect
from ampkit.schema.responders import Services
from ampkit.testing import served_pair
from ampkit.testing.contract import PeerContract

Pair = AbstractAsyncContextManager[tuple[Peer, Peer]]
DESCRIPTORS = Options(descriptors=True)


@asynccontextmanager
async def joined_by_socket_pair(
    left_service: Services, right_service: Services, limits: Limits
) -> AsyncGenerator[tuple[Peer, Peer]]:
    """Join two peers by a pair of sockets."""
    sockets = socket.socketpair()
    async with (
        connect(sockets[0], left_service, limits=limits) as left,
        connect(sockets[1], right_service, limits=limits) as right,
    ):
        yield left, right


class TestSocketPair(PeerContract):
    """A socket pair."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return joined_by_socket_pair(left_service, right_service, limits)


class OnUvloop(PeerContract):
    """The same on the other event loop."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()


class TestSocketPairOnUvloop(OnUvloop, TestSocketPair):
    """A socket pair on uvloop."""


class TestDescriptorsOnUvloop(OnUvloop):
    """A unix socket with descriptors on uvloop; on the standard loop every unix socket has them."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.addresses = (f"unix://{tmp_path}/{number}" for number in itertools.count())

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        address = next(self.addresses)
        return served_pair(address, left_service, right_service, limits=limits, options=DESCRIPTORS)
