"""asyncio programs and Twisted protocols in one process: calls both ways, errors, addresses and the end."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.logger import LogLevel, capturedLogs
from twisted.protocols import amp as stock

import ampkit
from ampkit.twisted import amp as ours
from ampkit.twisted import bridge
from tests.twisted.seams.common import result as future
from tests.twisted.seams.common import until


class Total(ampkit.Response):
    """What Sum answers."""

    total: int


class Sum(ampkit.Command[Total], errors={ZeroDivisionError: "NOTHING"}):
    """As a new program has it."""

    a: int
    b: int


class Adding(ampkit.Service):
    """The asyncio program's responders."""

    @Sum.responder
    async def sum(self, command: Sum) -> Total:
        """Add in a later turn of the loop."""
        await asyncio.sleep(0)
        if command.b == 0:
            raise ZeroDivisionError("no b")
        return Total(total=command.a + command.b)


def classic(amp: Any) -> tuple[Any, Any]:
    """The same command and a class that answers it, as an old program has them."""

    class Sum(amp.Command):
        arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
        response = [(b"total", amp.Integer())]
        errors = {ZeroDivisionError: b"NOTHING"}

    class Calculator(amp.AMP):
        lost: Any = None

        @Sum.responder
        def sum(self, a: int, b: int) -> dict[str, int]:
            if b == 0:
                raise ZeroDivisionError("no b")
            return {"total": a + b}

        def connectionLost(self, reason: Any) -> None:
            self.lost = reason
            super().connectionLost(reason)

    return Sum, Calculator


@pytest.fixture(params=[stock, ours], ids=["stock", "ours"])
def old(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """The old program's command and class, of either module."""
    return classic(request.param)


async def test_each_side_calls_the_other(old: Any) -> None:
    """The peer calls the protocol's responders, and the protocol those of the service; declared errors cross."""
    command, calculator = old
    protocol = calculator()
    async with bridge.connect(protocol, Adding()) as peer:
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        assert await future(protocol.callRemote(command, a=1, b=2)) == {"total": 3}
        with pytest.raises(ZeroDivisionError, match="no b"):
            await peer.call(Sum(a=1, b=0))
        with pytest.raises(ZeroDivisionError, match="no b"):
            await future(protocol.callRemote(command, a=1, b=0))


async def test_what_a_peer_answers_is_a_deferred_s_too(old: Any) -> None:
    """Twisted's own `Deferred.fromFuture` gives Deferreds of the peer's coroutines; cancelling one cancels the call."""
    async with bridge.connect(old[1]()) as peer:
        deferred = Deferred.fromFuture(asyncio.ensure_future(peer.call(Sum(a=13, b=81))))
        assert await future(deferred) == Total(total=94)
        call = asyncio.ensure_future(peer.call(Sum(a=13, b=81)))
        Deferred.fromFuture(call).addErrback(lambda _: None).cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_closing_the_peer_ends_the_protocol(old: Any) -> None:
    """With the reason that a reactor gives for a clean end; what it still asks then fails with it."""
    command, calculator = old
    protocol = calculator()
    async with bridge.connect(protocol):
        pass
    assert protocol.lost.type.__name__ == "ConnectionDone"
    with pytest.raises(protocol.lost.type):
        await future(protocol.callRemote(command, a=1, b=2))


async def test_a_protocol_that_closes_ends_the_peer(old: Any) -> None:
    """What the peer still asks fails as with any connection."""
    protocol = old[1]()
    async with bridge.connect(protocol) as peer:
        waiting = asyncio.ensure_future(peer.call(Sum(a=1, b=2)))
        protocol.transport.loseConnection()
        assert protocol.transport.disconnecting
        with pytest.raises(ampkit.ConnectionLost):
            await waiting
        await peer.wait_closed()
    assert protocol.transport is None


async def test_services_that_cannot_be_joined_are_refused_at_once() -> None:
    """Before anything is opened."""
    with pytest.raises(TypeError):
        _ = bridge.connect(ours.AMP(), [Adding(), Adding()])


async def test_an_asyncio_server_serves_a_twisted_class(old: Any) -> None:
    """On its own sockets; the protocol knows both addresses by Twisted's types."""
    loop, served = asyncio.get_running_loop(), old[1]()
    async with await loop.create_server(lambda: bridge.OnAsyncio(served), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ampkit.connect(f"tcp://127.0.0.1:{port}", Adding()) as peer:
            assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
            assert await future(served.callRemote(old[0], a=1, b=2)) == {"total": 3}
            assert served.transport.getHost() == IPv4Address("TCP", "127.0.0.1", port)
            assert peer.local_address == f"tcp://127.0.0.1:{served.transport.getPeer().port}"
        await until(lambda: served.lost)


async def test_an_asyncio_client_may_be_a_twisted_class(old: Any, tmp_path: Path) -> None:
    """On a unix socket, whose one end has a name."""
    loop, client, path = asyncio.get_running_loop(), old[1](), str(tmp_path / "socket")
    async with ampkit.serve(Adding(), f"unix://{path}"):
        await loop.create_unix_connection(lambda: bridge.OnAsyncio(client), path)
        assert await future(client.callRemote(old[0], a=1, b=2)) == {"total": 3}
        assert client.transport.getPeer() == UNIXAddress(path.encode())
        assert client.transport.getHost() == UNIXAddress(None)
    await until(lambda: client.lost)


async def test_a_connection_that_breaks_is_lost(old: Any) -> None:
    """The reason then is ConnectionLost."""
    protocol = old[1]()
    async with bridge.connect(protocol) as peer:
        assert peer.channel.transport is not None
        peer.channel.transport.abort()
        await until(lambda: protocol.lost)
    assert protocol.lost.type.__name__ == "ConnectionLost"


def test_addresses_are_of_twisted_s_types() -> None:
    """Also those of IPv6, which not every machine has."""
    transport: Any = SimpleNamespace(get_extra_info={"peername": ("::1", 7, 0, 0), "sockname": ("10.0.0.1", 8)}.get)
    adapted = bridge.TwistedTransport(transport)
    assert adapted.getPeer() == IPv6Address("TCP", "::1", 7)
    assert adapted.getHost() == IPv4Address("TCP", "10.0.0.1", 8)


class Odd(Protocol):
    """A protocol that uses the rest of its transport, and breaks on demand."""

    lost: Any = None
    transport: Any

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        """Do what the bytes say."""
        self.received.append(data)
        if data == b"abort":
            self.transport.abortConnection()
        elif data.startswith(b"stop"):
            self.transport.stopProducing()
            if b"write" in data:
                self.transport.write(b"too late")
        elif data == b"pause":
            self.transport.pauseProducing()
            self.transport.write(b"paused")
        elif data == b"echo":
            self.transport.writeSequence([b"ec", b"ho"])
        else:
            raise LookupError(data)

    def connectionLost(self, reason: Any = None) -> None:
        """Keep the reason."""
        self.lost = reason


async def talk(odd: Odd, *parts: bytes) -> bytes:
    """Say things to a protocol over a unix socket pair, and return what it said until it closed."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    await loop.connect_accepted_socket(lambda: bridge.OnAsyncio(odd), here)
    reader, writer = await asyncio.open_unix_connection(sock=there)
    said = b""
    for part in parts:
        writer.write(part)
        said += await reader.read(10)
    writer.close()
    await writer.wait_closed()
    return said


@pytest.mark.parametrize("word", [b"abort", b"stop", b"stop and write"])
async def test_a_protocol_may_end_in_any_way(word: bytes) -> None:
    """What was written before is delivered, and nothing behind; the reason is a clean end of its own."""
    odd = Odd()
    assert await talk(odd, b"echo", word) == b"echo"
    assert odd.lost.type.__name__ == "ConnectionDone"


async def test_a_protocol_may_receive_nothing_for_a_while() -> None:
    """What comes meanwhile is delivered when it receives again."""
    odd = Odd()
    talking = asyncio.ensure_future(talk(odd, b"pause", b"echo", b"stop"))
    await until(lambda: odd.received)
    for _ in range(9):
        await asyncio.sleep(0)
    assert odd.received == [b"pause"]
    odd.transport.resumeProducing()
    assert await talking == b"pausedecho"


async def test_a_protocol_that_raises_is_dropped_and_logged() -> None:
    """As a reactor does it: with the exception as the reason."""
    odd = Odd()
    with capturedLogs() as events:
        assert await talk(odd, b"echo", b"nonsense") == b"echo"
    assert odd.lost.check(LookupError)
    assert [event["log_failure"].type for event in events if event["log_level"] is LogLevel.critical] == [LookupError]


PROGRAM = """
import asyncio
from twisted.internet import asyncioreactor
asyncioreactor.install()
from twisted.internet import endpoints, protocol, reactor, task
from twisted.internet.defer import Deferred
import ampkit
from ampkit.twisted import amp, bridge
from tests.twisted.test_bridge import Adding, Sum, classic

OldSum, Calculator = classic(amp)

async def new(address):
    async with ampkit.connect(address) as peer, bridge.connect(Calculator(), Adding()) as inside:
        loop = asyncio.get_running_loop()
        here = (await peer.call(Sum(a=1, b=2))).total, (await inside.call(Sum(a=3, b=4))).total
        async with ampkit.serve(Adding(), "tcp://127.0.0.1:0") as server:
            port = int(server.addresses[0].rpartition(":")[2])
            endpoint = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)
            old = await endpoints.connectProtocol(endpoint, amp.AMP()).asFuture(loop)
            answer = await old.callRemote(OldSum, a=5, b=6).asFuture(loop)
            old.transport.loseConnection()
    return (*here, answer["total"])

async def main(reactor):
    server = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port = await server.listen(protocol.Factory.forProtocol(Calculator))
    answers = await Deferred.fromFuture(asyncio.ensure_future(new(f"tcp://127.0.0.1:{port.getHost().port}")))
    await port.stopListening()
    print(type(reactor).__name__, *answers)

task.react(main)
"""


def test_both_faces_share_the_asyncio_reactor() -> None:
    """One process, one loop: Twisted's endpoints, ampkit's servers and clients, and Deferreds awaited as futures."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("AsyncioSelectorReactor 3 7 11\n", "")
