"""Real TLS over TCP between both modules, with certificates and without, and plaintext where TLS should be."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from OpenSSL.SSL import Error
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.ssl import DN, KeyPair
from twisted.protocols import amp as stock

from ampkit.twisted import amp as ours
from tests.twisted.rows.common import Watched, bytes_of
from tests.twisted.seams.common import calculator, commands, result, until

MODULES = {"stock": stock, "ours": ours}
Link = Callable[[Any, Any], Awaitable[None]]
HOST = "127.0.0.1"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # by which pyOpenSSL means Twisted
]


@functools.cache
def certificate(name: str) -> Any:
    """Make a certificate that vouches for itself."""
    key = KeyPair.generate(size=2048)
    request = key.certificateRequest(DN(CN=name))
    return key.newCertificate(key.signCertificateRequest(DN(CN=name), request, lambda _: True, 1))


@pytest.fixture(autouse=True)
def clock(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let TLS, which collects small writes, ask the reactor of the test when to send them."""
    monkeypatch.setattr("twisted.protocols.tls._get_default_clock", lambda: reactor, raising=False)


@pytest.fixture(params=["ours asks stock", "stock asks ours", "ours asks ours", "stock asks stock"])
def modules(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """The module of the end that is asked, and of the one that asks."""
    asking, _, asked = request.param.split()
    return MODULES[asked], MODULES[asking]


async def listen(reactor: Any, server: Any) -> Any:
    """Listen on a free port of this machine."""
    endpoint = TCP4ServerEndpoint(reactor, 0, interface=HOST)
    return await result(endpoint.listen(Factory.forProtocol(lambda: server)))


@pytest.fixture
async def link(reactor: Any) -> AsyncIterator[Link]:
    """Connect two protocols over TCP; at the end of the test both have lost it."""
    linked: list[Any] = []

    async def join(server: Any, client: Any) -> None:
        port = await listen(reactor, server)
        await result(connectProtocol(TCP4ClientEndpoint(reactor, HOST, port.getHost().port), client))
        await until(lambda: server.transport)
        await result(port.stopListening())
        linked.extend([server, client])

    yield join
    for end in linked:
        if end.transport:
            end.transport.loseConnection()
    await until(lambda: not any(end.transport for end in linked))


def presenting(amp: Any, **response: Any) -> Any:
    """A class that answers StartTLS with certificates."""

    class Presenting(calculator(amp)):  # type: ignore[misc]
        @amp.StartTLS.responder
        def start(self) -> Any:
            return response

    return Presenting


async def test_without_certificates_it_is_only_encrypted(modules: Any, link: Link) -> None:
    """Calls go both ways; the answering end has made a throw-away certificate, the asking one has none."""
    amp, far = modules
    server, client = calculator(amp)(), calculator(far)()
    await link(server, client)
    before = client.callRemote(commands(far).Sum, a=1, b=1)
    started = client.callRemote(far.StartTLS)
    meanwhile = client.callRemote(commands(far).Sum, a=13, b=81)
    assert await result(before) == {"total": 2}
    assert await result(started) == {}
    assert await result(meanwhile) == {"total": 94}
    assert await result(server.callRemote(commands(amp).Sum, a=1, b=2)) == {"total": 3}
    assert (client.transport.TLS, server.transport.TLS) == (True, True)
    assert client.peerCertificate.getSubject().commonName == b"TEMPORARY CERTIFICATE"
    assert isinstance(client.hostCertificate, far._NoCertificate)


async def test_with_certificates_both_know_each_other(modules: Any, link: Link) -> None:
    """Each has what the other presents, and a second StartTLS is refused."""
    amp, far = modules
    one, other = certificate("one"), certificate("other")
    server = presenting(amp, tls_localCertificate=one, tls_verifyAuthorities=[other])()
    client = calculator(far)()
    await link(server, client)
    own = {"tls_localCertificate": other, "tls_verifyAuthorities": [one]}
    await result(client.callRemote(far.StartTLS, **own))
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert await result(server.callRemote(commands(amp).Sum, a=1, b=2)) == {"total": 3}
    assert client.peerCertificate.digest() == one.digest()
    assert server.peerCertificate.digest() == other.digest()
    if far is ours:  # Twisted holds back all boxes from then on
        with pytest.raises(far.OnlyOneTLS, match="is trying to re-establish as"):
            client.callRemote(far.StartTLS, **own)
        assert await result(client.callRemote(commands(far).Sum, a=1, b=1)) == {"total": 2}


@pytest.mark.parametrize("who", ["asking", "asked"])
async def test_a_wrong_certificate_ends_the_connection(who: str, modules: Any, link: Link) -> None:
    """Whoever of the two does not trust it, calls behind it fail at both ends."""
    amp, far = modules
    one, other, stranger = certificate("one"), certificate("other"), certificate("stranger")
    trusted = {"asking": [stranger], "asked": [one]}[who]
    accepted = {"asking": [other], "asked": [stranger]}[who]
    server = presenting(amp, tls_localCertificate=one, tls_verifyAuthorities=accepted)()
    client = calculator(far)()
    await link(server, client)
    started = Watched(client.callRemote(far.StartTLS, tls_localCertificate=other, tls_verifyAuthorities=trusted))
    client.callRemote(commands(far).Note, text="secret")
    call = Watched(client.callRemote(commands(far).Sum, a=1, b=2))
    await until(lambda: server.transport is None and client.transport is None)
    assert started.result == {}
    assert isinstance(call.result, Error)
    assert server.notes == []


async def test_start_tls_that_is_refused_leaves_the_connection_as_it_is(modules: Any, link: Link) -> None:
    """The asking end learns why; calls go on in plain, where Twisted's would wait for ever."""
    amp, far = modules

    class Refusing(calculator(amp)):  # type: ignore[misc]
        @amp.StartTLS.responder
        def start(self) -> Any:
            raise amp.RemoteAmpError(b"NO", "not here")

    server, client = Refusing(), calculator(far)()
    await link(server, client)
    with pytest.raises(far.UnknownRemoteError, match="not here"):
        await result(client.callRemote(far.StartTLS))
    if far is ours:
        assert await result(server.callRemote(commands(amp).Sum, a=1, b=2)) == {"total": 3}
        assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}


PLAIN = bytes_of(_ask=b"9", _command=b"Note", text=b"plain")


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "behind the answer"])
async def test_who_goes_on_in_plain_is_dropped_by_who_was_asked(apart: bool, reactor: Any) -> None:
    """Nothing behind the boundary reaches a responder, and what comes back is the answer and TLS."""
    server = calculator(ours)()
    port = await listen(reactor, server)
    reader, writer = await asyncio.open_connection(HOST, port.getHost().port)
    writer.write(bytes_of(_ask=b"1", _command=b"StartTLS") + (b"" if apart else PLAIN))
    answer = bytes_of(_answer=b"1")
    assert await reader.readexactly(len(answer)) == answer
    writer.write(PLAIN)
    assert bytes_of(_answer=b"9") not in await reader.read()
    writer.close()
    await writer.wait_closed()
    await until(lambda: server.transport is None)
    await result(port.stopListening())
    assert server.notes == []


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "behind the answer"])
async def test_who_goes_on_in_plain_is_dropped_by_who_asked(apart: bool, reactor: Any) -> None:
    """No call is answered behind the boundary, and all of them end."""

    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = bytes_of(_ask=b"2", _command=b"StartTLS")
        received = b""
        while not received.endswith(start):
            received += await reader.read(1_000)
        behind = PLAIN + bytes_of(_answer=b"1", total=b"0") + bytes_of(_answer=b"3", total=b"0")
        writer.write(bytes_of(_answer=b"2") + (b"" if apart else behind))
        await reader.read(1)  # it has begun its handshake
        writer.write(behind)
        await reader.read()
        writer.close()

    attacker = await asyncio.start_server(attack, HOST)
    client = calculator(ours)()
    endpoint = TCP4ClientEndpoint(reactor, HOST, attacker.sockets[0].getsockname()[1])
    await result(connectProtocol(endpoint, client))
    before = Watched(client.callRemote(commands(ours).Sum, a=1, b=2))
    started = Watched(client.callRemote(ours.StartTLS))
    behind = Watched(client.callRemote(commands(ours).Sum, a=13, b=81))
    await until(lambda: client.transport is None)
    attacker.close()
    await attacker.wait_closed()
    assert (started.result, client.notes) == ({}, [])
    assert isinstance(before.result, Exception)
    assert isinstance(behind.result, Exception)
