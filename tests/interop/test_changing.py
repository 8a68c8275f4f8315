"""STARTTLS and protocol switch with a genuine Twisted peer: either end connects, either end asks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ampkit import Command, ConnectionLost, Peer, Response, Service, Switch, Tls, TlsFailed, connect, serve
from tests.certificates import CERTIFICATES

ROOT = Path(__file__).parents[2]


class Total(Response):
    """A sum."""

    total: int


class Sum(Command[Total]):
    """Add."""

    a: int
    b: int


class Become(Command[Switch], errors={ValueError: "NO"}):
    """Become a shouter, or refuse."""

    name: str


class Shouter(asyncio.Protocol):
    """Answers in capitals."""

    transport: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Shout."""
        self.transport.write(data.upper())


class Office(Service):
    """Adds, and becomes a shouter."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)

    @Become.responder
    def become(self, command: Become) -> Switch:
        """Agree or refuse."""
        if command.name == "no":
            raise ValueError("not today")
        return Switch(Shouter)


class Twisted:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, key: str) -> Any:
        """Skip to the next line that tells of this."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            if key in said:
                return said[key]
        raise AssertionError(f"Twisted has ended and said nothing of {key!r}")


@asynccontextmanager
async def twisted(role: str, port: int, what: str) -> AsyncGenerator[Twisted]:
    """A Twisted peer, which is killed in the end if it has not ended."""
    command = [sys.executable, "-m", "tests.interop.twisted_changing", role, str(port), what]
    process = await asyncio.create_subprocess_exec(
        *command, str(CERTIFICATES.files.folder), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Twisted(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def ends(role: str, what: str, tls: Tls) -> AsyncGenerator[tuple[Peer, Twisted]]:
    """Our peer and Twisted, which connects or serves."""
    if role == "serve":
        async with twisted("serve", 0, what) as other:
            port = await other.says("port")
            async with connect(f"tcp://127.0.0.1:{port}", Office(), tls=tls) as peer:
                yield peer, other
        return
    accepted: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    def accept(peer: Peer) -> Office:
        accepted.set_result(peer)
        return Office()

    async with serve(accept, "tcp://127.0.0.1:0", tls=tls) as server:
        port = int(server.addresses[0].rpartition(":")[2])
        async with twisted("connect", port, what) as other:
            yield await accepted, other


def ours(role: str, other: str = "") -> Tls:
    """What our end has, when Twisted has that role; both ends show certificates, and verify."""
    files = CERTIFICATES.files
    if role == "serve":
        return Tls(certificate=other or files.client, authority=files.authority)
    return Tls(certificate=other or files.server, authority=files.authority, client_certificate="required")


roles = pytest.mark.parametrize("role", ["serve", "connect"])


@roles
async def test_we_ask_a_twisted_peer_for_tls(role: str) -> None:
    """Both ends verify; calls made meanwhile leave behind the handshake, and Twisted sees that they are secure."""
    async with ends(role, "wait", ours(role)) as (peer, other):
        await peer.call(Sum(a=0, b=0))
        assert await other.says("secure") is False
        starting = asyncio.create_task(peer.start_tls())
        await asyncio.sleep(0)
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        await starting
        assert await other.says("secure") is True
        assert peer.certificate is not None
        assert peer.certificate.common_name == ("Ada" if role == "connect" else None)


@roles
async def test_a_twisted_peer_asks_us_for_tls(role: str) -> None:
    """It holds its calls back too, and reads our certificate."""
    async with ends(role, "ask-tls", ours(role)) as (peer, other):
        assert await other.says("totals") == [1, 2, 3]
        assert await other.says("peer") == ("Ada" if role == "serve" else "")
        assert peer.is_secure
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        assert await other.says("secure") is True


@roles
async def test_a_twisted_peer_without_certificates(role: str) -> None:
    """As TLS server it makes a certificate that nobody can verify: we want that said; as client it shows none."""
    files = CERTIFICATES.files
    tls = Tls(unsafe_trust_anyone=True) if role == "serve" else Tls(certificate=files.server)
    async with ends(role, "wait+bare", tls) as (peer, other):
        await peer.start_tls()
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        assert await other.says("secure") is True
        assert peer.certificate is None


async def test_a_twisted_server_that_cannot_prove_itself_is_refused() -> None:
    """By default."""
    async with ends("serve", "wait+bare", ours("serve")) as (peer, other):
        with pytest.raises(TlsFailed) as caught:
            await peer.start_tls()
        assert caught.value.fault == "self-signed"
        await other.says("lost")


@roles
async def test_a_twisted_peer_refuses_us(role: str) -> None:
    """If our certificate is none of its authority's, both ends end."""
    files = CERTIFICATES.files
    rogue = files.rogue_client if role == "serve" else files.rogue_server
    async with ends(role, "wait", ours(role, rogue)) as (peer, other):
        outcomes = await asyncio.gather(peer.start_tls(), peer.call(Sum(a=1, b=2)), return_exceptions=True)
        assert isinstance(outcomes[1], ConnectionLost)
        await other.says("lost")
        assert isinstance(peer.end_reason, ConnectionLost)


@roles
async def test_we_ask_a_twisted_peer_to_switch(role: str) -> None:
    """A refusal leaves AMP working; behind an agreement its protocol and ours talk."""
    async with ends(role, "wait", ours(role)) as (peer, other):
        with pytest.raises(ValueError, match="not today"):
            await peer.switch_to_streams(Become(name="no"))
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        reader, writer = await peer.switch_to_streams(Become(name="shout"))
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.close()
        await writer.wait_closed()
        assert await other.says("shouter") == "lost"


@roles
async def test_a_twisted_peer_asks_us_to_switch(role: str) -> None:
    """The same the other way round."""
    async with ends(role, "ask-switch", ours(role)) as (peer, other):
        assert await other.says("refused") == "not today"
        assert await other.says("total") == 3
        assert await other.says("received") == "HELLO"
        assert await other.says("shouter") == "lost"
        await peer.wait_closed()


@roles
async def test_a_secure_connection_switches(role: str) -> None:
    """First TLS, then another protocol."""
    async with ends(role, "wait", ours(role)) as (peer, other):
        await peer.start_tls()
        reader, writer = await peer.switch_to_streams(Become(name="shout"))
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.close()
        assert await other.says("received") == "hello"
