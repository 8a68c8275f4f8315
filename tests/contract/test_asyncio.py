"""The contract over every transport of the asyncio face, on the standard event loop and on uvloop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from ampkit import Limits, Peer
from ampkit.schema.responders import Services
from ampkit.testing import Trouble, VirtualTimeLoop, peer_pair, served_pair
from ampkit.testing.contract import PeerContract
from tests.certificates import CERTIFICATES

HERE = "tls://127.0.0.1:0"

Pair = AbstractAsyncContextManager[tuple[Peer, Peer]]


class TestTcp(PeerContract):
    """A TCP socket."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return served_pair("tcp://127.0.0.1:0", left_service, right_service, limits=limits)


class TestTls(PeerContract):
    """TLS from the first byte; the client is anonymous."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        client, server = CERTIFICATES.client(), CERTIFICATES.server()
        return served_pair(HERE, left_service, right_service, left_tls=client, right_tls=server, limits=limits)


class TestMutualTls(PeerContract):
    """TLS from the first byte; both ends have shown a certificate."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        client, server = CERTIFICATES.mutual_client(), CERTIFICATES.mutual_server()
        return served_pair(HERE, left_service, right_service, left_tls=client, right_tls=server, limits=limits)


class TestStartTls(PeerContract):
    """TCP, where the end that connected has asked for TLS."""

    asker = 0

    @asynccontextmanager
    async def open_pair(
        self, left_service: Services, right_service: Services, limits: Limits
    ) -> AsyncGenerator[tuple[Peer, Peer], None]:
        client, server = CERTIFICATES.client(), CERTIFICATES.server()
        pair = served_pair(
            "tcp://127.0.0.1:0", left_service, right_service, left_tls=client, right_tls=server, limits=limits
        )
        async with pair as ends:
            await ends[self.asker].start_tls()
            while not all(end.is_secure for end in ends):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
            yield ends


class TestStartTlsFromTheServer(TestStartTls):
    """TCP, where the end that was connected to has asked for TLS."""

    asker = 1


class TestUnix(PeerContract):
    """A unix socket."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.addresses = (f"unix://{tmp_path}/{number}" for number in itertools.count())

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return served_pair(next(self.addresses), left_service, right_service, limits=limits)


class TestMemory(PeerContract):
    """A name in memory."""

    addresses = (f"memory://{number}" for number in itertools.count())

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return served_pair(next(self.addresses), left_service, right_service, limits=limits)


class TestPeerPair(PeerContract):
    """Two peers joined without a name."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return peer_pair(left_service, right_service, limits=limits)


class TestTrouble(PeerContract):
    """Two peers on a line that splits and delays."""

    def open_pair(self, left_service: Services, right_service: Services, limits: Limits) -> Pair:
        return peer_pair(left_service, right_service, limits=limits, trouble=Trouble(seed=1))


class TestVirtualTime(TestPeerPair):
    """Two peers joined without a name, where time is virtual."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return VirtualTimeLoop()


class OnUvloop(PeerContract):
    """The same on the other event loop."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return uvloop.new_event_loop()


class TestTcpOnUvloop(OnUvloop, TestTcp):
    """A TCP socket on uvloop."""


class TestTlsOnUvloop(OnUvloop, TestTls):
    """TLS on uvloop."""


class TestMutualTlsOnUvloop(OnUvloop, TestMutualTls):
    """TLS with two certificates on uvloop."""


class TestStartTlsOnUvloop(OnUvloop, TestStartTls):
    """STARTTLS on uvloop."""


class TestStartTlsFromTheServerOnUvloop(OnUvloop, TestStartTlsFromTheServer):
    """STARTTLS from the other end on uvloop."""


class TestUnixOnUvloop(OnUvloop, TestUnix):
    """A unix socket on uvloop."""


class TestMemoryOnUvloop(OnUvloop, TestMemory):
    """A name in memory on uvloop."""


class TestPeerPairOnUvloop(OnUvloop, TestPeerPair):
    """Two peers joined without a name on uvloop."""
