"""`tls://`: who is let in, who is refused with which word, who the peer is, and certificates that are replaced."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from ampkit import (
    Command,
    ConnectionFailed,
    ConnectionLost,
    Limits,
    LocalProtocolError,
    Options,
    Peer,
    Response,
    Service,
    Tls,
    TlsFailed,
    connect,
    serve,
)
from ampkit.asyncio.tls import make_context
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import until
from tests.certificates import CERTIFICATES

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
HERE = "tls://localhost:0"
SERVER_PEM = Path(CERTIFICATES.files.server).read_text()


class Who(Response):
    """Who the server takes the client for."""

    name: str | None = None


class AskWho(Command[Who]):
    """Ask that."""


class Registry(Service):
    """Knows its clients by their certificates."""

    @AskWho.responder
    def who(self, command: AskWho, peer: Peer) -> Who:  # noqa: ARG002
        """Read the certificate."""
        return Who(name=peer.certificate.common_name if peer.certificate else None)


# Who is let in


@both_loops
async def test_both_ends_call_over_tls() -> None:
    """A client that trusts the server's authority connects, and either end may call."""
    office = Office()
    async with (
        serve(office, HERE, tls=CERTIFICATES.server()) as server,
        connect(server.addresses[0], Office(), tls=CERTIFICATES.client()) as peer,
    ):
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        (other,) = server.peers
        assert await other.call(Sum(a=1, b=2)) == Total(total=3)
        assert peer.is_secure
        assert other.is_secure
        assert peer.remote_address == server.addresses[0] == other.local_address
        assert peer.local_address == other.remote_address
        assert peer.local_address.startswith("tls://")


async def test_certificates_say_who_is_there() -> None:
    """Each end reads the verified certificate of the other: subject, alternative names, its end, and all of it."""
    async with (
        serve(Registry(), HERE, tls=CERTIFICATES.mutual_server()) as server,
        connect(server.addresses[0], tls=CERTIFICATES.mutual_client()) as peer,
    ):
        assert await peer.call(AskWho()) == Who(name="Ada")
        shown = peer.certificate
        assert shown is not None
        assert set(shown.alternative_names) == {("DNS", "localhost"), ("IP Address", "127.0.0.1")}
        assert shown.not_after == datetime(3000, 1, 1, tzinfo=UTC)
        assert shown.common_name is None
        assert dict(shown.subject)["organizationName"].startswith("trustme")
        assert ssl.DER_cert_to_PEM_cert(shown.der) in SERVER_PEM
        (client,) = (other.certificate for other in server.peers)
        assert client is not None
        assert client.alternative_names == (("email", "ada@example.org"),)


async def test_without_a_certificate_nobody_is_known() -> None:
    """A peer without TLS, an anonymous client, and a server that nobody verified have no certificate."""
    async with serve(Registry(), HERE, "tcp://localhost:0", tls=CERTIFICATES.server()) as server:
        secure, *_, plain = server.addresses
        async with connect(secure, tls=CERTIFICATES.client()) as peer:
            assert await peer.call(AskWho()) == Who()
        async with connect(secure, tls=Tls(unsafe_trust_anyone=True)) as peer:
            assert peer.certificate is None
            assert peer.is_secure
        async with connect(plain) as peer:
            assert peer.certificate is None
            assert not peer.is_secure


async def test_a_wanted_certificate_is_verified_and_may_be_missing() -> None:
    """With `wanted`, an anonymous client is let in, Ada is known, and a rogue Ada is refused."""
    files = CERTIFICATES.files
    tls = Tls(certificate=files.server, authority=files.authority, client_certificate="wanted")
    async with serve(Registry(), HERE, tls=tls) as server:
        async with connect(server.addresses[0], tls=CERTIFICATES.client()) as peer:
            assert await peer.call(AskWho()) == Who()
        async with connect(server.addresses[0], tls=CERTIFICATES.mutual_client()) as peer:
            assert await peer.call(AskWho()) == Who(name="Ada")
        async with connect(server.addresses[0], tls=CERTIFICATES.mutual_client(files.rogue_client)) as peer:
            with pytest.raises(ConnectionLost):
                await peer.call(AskWho())


async def test_contexts_of_the_program_are_taken_as_they_are() -> None:
    """An `ssl.SSLContext` does on either side, with another version and another protocol name."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(CERTIFICATES.files.server)
    client_side = ssl.create_default_context(cafile=CERTIFICATES.files.authority)
    client_side.maximum_version = ssl.TLSVersion.TLSv1_2
    async with (
        serve(Office(), HERE, tls=server_side) as server,
        connect(server.addresses[0], tls=client_side) as peer,
    ):
        assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
        assert peer.channel.transport is not None
        assert peer.channel.transport.get_extra_info("ssl_object").version() == "TLSv1.2"


async def test_the_protocol_has_a_name_within_tls() -> None:
    """Both ends of ours agree on the ALPN name `amp`, and on a version of TLS that is not old."""
    async with (
        serve(Office(), HERE, tls=CERTIFICATES.server()) as server,
        connect(server.addresses[0], tls=CERTIFICATES.client()) as peer,
    ):
        assert peer.channel.transport is not None
        tls = peer.channel.transport.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == "amp"
        assert tls.version() in {"TLSv1.2", "TLSv1.3"}
        assert tls.context.minimum_version is ssl.TLSVersion.TLSv1_2


# Who is refused

REFUSED: dict[str, Callable[[], tuple[Tls, Tls]]] = {
    "wrong host": lambda: (CERTIFICATES.server(CERTIFICATES.files.nameless), CERTIFICATES.client()),
    "unknown authority": lambda: (CERTIFICATES.server(CERTIFICATES.files.rogue_server), CERTIFICATES.client()),
    "expired": lambda: (CERTIFICATES.server(CERTIFICATES.files.expired), CERTIFICATES.client()),
    "not yet valid": lambda: (CERTIFICATES.server(CERTIFICATES.files.early), CERTIFICATES.client()),
    "self-signed": lambda: (CERTIFICATES.server(CERTIFICATES.files.self_signed), CERTIFICATES.client()),
}


@pytest.mark.parametrize("fault", REFUSED)
@both_loops
async def test_a_server_that_cannot_prove_itself_is_refused(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """By default; the error says which fault it is, the server logs one line, and serves on."""
    server_tls, client_tls = REFUSED[fault]()
    async with serve(Office(), HERE, tls=server_tls) as server:
        with pytest.raises(TlsFailed, match="cannot connect to tls://") as caught:
            await connect(server.addresses[0], tls=client_tls)
        assert caught.value.fault == fault
        assert isinstance(caught.value, ConnectionFailed)
        async with connect(server.addresses[0], tls=Tls(unsafe_trust_anyone=True)) as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    assert lines(caplog) == ["refused"]


async def test_the_system_trusts_no_rogue() -> None:
    """Without an authority of its own, a client trusts those of the system, and the test's is none of them."""
    async with serve(Office(), HERE, tls=CERTIFICATES.server()) as server:
        with pytest.raises(TlsFailed) as caught:
            await connect(server.addresses[0])
        assert caught.value.fault == "unknown authority"


CLIENTS: dict[str, Callable[[], Tls]] = {
    "no certificate": CERTIFICATES.client,
    "unknown authority": lambda: CERTIFICATES.mutual_client(CERTIFICATES.files.rogue_client),
    "expired": lambda: CERTIFICATES.mutual_client(CERTIFICATES.files.expired),
    "self-signed": lambda: CERTIFICATES.mutual_client(CERTIFICATES.files.self_signed),
}


@pytest.mark.parametrize("fault", CLIENTS)
@both_loops
async def test_a_client_that_cannot_prove_itself_is_refused(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is told why with its first call at the latest; no responder runs; the server says which fault it is."""
    office = Office()
    async with serve(office, HERE, tls=CERTIFICATES.mutual_server()) as server:
        async with connect(server.addresses[0], tls=CLIENTS[fault]()) as peer:
            with pytest.raises(ConnectionLost) as caught:
                await peer.call(Sum(a=1, b=2))
            assert isinstance(caught.value.__cause__, TlsFailed)
            assert caught.value.__cause__ is peer.end_reason
            assert caught.value.__cause__.fault == "refused"
            assert "certificate" in str(caught.value)
        assert not server.peers
    assert lines(caplog) == [fault]


async def test_a_client_with_an_older_tls_is_told_at_once() -> None:
    """In TLS 1.2 the server's verdict on the client belongs to the handshake, so connecting fails."""
    client_side = make_context(CERTIFICATES.client(), server_side=False)
    client_side.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serve(Office(), HERE, tls=CERTIFICATES.mutual_server()) as server:
        with pytest.raises(TlsFailed, match="requires a certificate") as caught:
            await connect(server.addresses[0], tls=client_side)
        assert caught.value.fault == "refused"


async def test_too_old_a_version_is_refused() -> None:
    """A server that speaks TLS 1.1 at most is refused."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        server_side.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        server_side.maximum_version = ssl.TLSVersion.TLSv1_1
    server_side.set_ciphers("ALL:@SECLEVEL=0")
    server_side.load_cert_chain(CERTIFICATES.files.server)
    async with serve(Office(), HERE, tls=server_side) as server:
        with pytest.raises(TlsFailed) as caught:
            await connect(server.addresses[0], tls=CERTIFICATES.client())
        assert caught.value.fault in {"version", "refused"}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the faults that the server has logged; each is one line that names the other end."""
    words = {
        "refuses TLS": "refused",
        "has shown no certificate": "no certificate",
        "authority that is not trusted": "unknown authority",
        "self-signed, and": "self-signed",
        "has expired": "expired",
        "not TLS": "not TLS",
        "not the TLS": "not TLS",
        "HTTP request": "not TLS",
        "no TLS handshake within": "timeout",
        "closed the connection": "ended",
    }
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert all(message.isprintable() and message.startswith("no TLS with tls://") for message in messages)
    return [next(fault for text, fault in words.items() if text in message) for message in messages]


# Strangers


@both_loops
async def test_what_is_not_tls_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Plain AMP, HTTP and noise end that connection, with one line in the log; others do not notice."""
    async with serve(Office(), HERE, tls=CERTIFICATES.server()) as server:
        plain = server.addresses[0].replace("tls:", "tcp:")
        for data in (b"\0\4_ask\0\x011\0\0", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 50, b"\x1b[31m"):
            async with await RawEnd.connect(plain) as stranger:
                stranger.transport.write(data + b"\0" * 50)
                await stranger.lost
        async with connect(server.addresses[0], tls=CERTIFICATES.client()) as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    assert len(lines(caplog)) == 4


async def test_whoever_hangs_up_in_the_handshake_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    """An end of file in place of a hello."""
    async with (
        serve(Office(), HERE, tls=CERTIFICATES.server()) as server,
        await RawEnd.connect(server.addresses[0].replace("tls:", "tcp:")) as stranger,
    ):
        stranger.transport.write_eof()
        await stranger.lost
    assert lines(caplog) == ["ended"]


@both_loops
async def test_a_handshake_has_a_time_limit(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever connects and says nothing is let go, and so is a server that says nothing."""
    options = Options(handshake_timeout=0.05)
    async with (
        serve(Office(), HERE, tls=CERTIFICATES.server(), options=options) as server,
        await RawEnd.connect(server.addresses[0].replace("tls:", "tcp:")) as stranger,
    ):
        await stranger.lost
    assert lines(caplog) == ["timeout"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TlsFailed) as caught:
            await connect(f"tls://127.0.0.1:{port}", options=options)
        assert caught.value.fault == "timeout"
        with pytest.raises(ConnectionFailed, match=r"not within 0\.05 s"):
            await connect(f"tls://127.0.0.1:{port}", options=Options(connect_timeout=0.05))


@both_loops
async def test_closing_a_server_ends_handshakes() -> None:
    """Who has not come through yet is let go at once."""
    server = await serve(Office(), HERE, tls=CERTIFICATES.server())
    async with await RawEnd.connect(server.addresses[0].replace("tls:", "tcp:")) as stranger:
        await asyncio.sleep(0)
        await server.close()
        await stranger.lost


@both_loops
async def test_so_many_may_wait_in_the_handshake_and_no_more() -> None:
    """As many as may be connected; who comes above that is let go at once, and there is room again when one leaves."""
    limits = Limits(max_connections=2, max_connections_per_address=2)
    async with serve(Office(), HERE, tls=CERTIFICATES.server(), limits=limits) as server:
        plain = server.addresses[0].replace("tls:", "tcp:")
        idlers = [await RawEnd.connect(plain) for _ in range(2)]
        async with await RawEnd.connect(plain) as third:
            await third.lost
        assert not any(idler.lost.done() for idler in idlers)
        for idler in idlers:
            idler.transport.abort()
            await idler.lost
        lobby = server._lobby
        assert lobby is not None
        await until(lambda: not lobby._waiting)
        async with connect(server.addresses[0], tls=CERTIFICATES.client()) as peer:
            assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


# What cannot be


def test_a_tls_that_makes_no_sense_is_a_value_error() -> None:
    """A key without its certificate, clients without an authority, a name that is not verified, another word."""
    mistakes: list[dict[str, Any]] = [
        {"key": "key.pem"},
        {"certificate": "a.pem", "client_certificate": "required"},
        {"unsafe_trust_anyone": True, "host_name": "example.org"},
        {"client_certificate": "maybe", "authority": "a.pem"},
    ]
    for mistake in mistakes:
        with pytest.raises(ValueError, match=r"^Tls\."):
            Tls(**mistake)


async def test_what_cannot_work_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    """A server without a certificate, files that are no certificates, a context for the other side, no name."""
    (tmp_path / "noise.pem").write_text("noise")
    for tls in (None, Tls(), Tls(certificate=tmp_path / "none.pem"), Tls(certificate=tmp_path / "noise.pem")):
        with pytest.raises(LocalProtocolError, match=r"certificate|none\.pem|noise\.pem"):
            _ = serve(Office(), HERE, tls=tls)
    with pytest.raises(LocalProtocolError, match=r"none\.pem"):
        _ = connect("tls://localhost:1", tls=Tls(authority=tmp_path / "none.pem"))
    with pytest.raises(LocalProtocolError, match="the TLS client"):
        _ = connect("tls://localhost:1", tls=make_context(CERTIFICATES.server(), server_side=True))
    with pytest.raises(LocalProtocolError, match="the TLS server"):
        _ = serve(Office(), HERE, tls=make_context(CERTIFICATES.client(), server_side=False))
    with pytest.raises(LocalProtocolError, match="host name"):
        _ = connect("memory://nobody", tls=Tls())


async def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal."""
    key = serialization.load_pem_private_key(SERVER_PEM.encode(), None)
    (tmp_path / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(LocalProtocolError, match="password"):
        _ = serve(Office(), HERE, tls=Tls(certificate=CERTIFICATES.files.server, key=tmp_path / "key"))


# Certificates that are replaced


async def test_a_replaced_certificate_is_used_from_the_next_connection_on(tmp_path: Path) -> None:
    """Without a restart; connections that are open go on."""
    files = CERTIFICATES.files
    current = tmp_path / "current.pem"
    shutil.copy(files.expired, current)
    async with serve(Office(), HERE, tls=Tls(certificate=current)) as server:
        with pytest.raises(TlsFailed):
            await connect(server.addresses[0], tls=CERTIFICATES.client())
        async with connect(server.addresses[0], tls=Tls(unsafe_trust_anyone=True)) as old:
            replace(current, files.server)
            async with connect(server.addresses[0], tls=CERTIFICATES.client()) as peer:
                assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
            assert await old.call(Sum(a=1, b=2)) == Total(total=3)


async def test_a_spoilt_certificate_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server goes on with what it had, says so once, and takes the next good one."""
    current = tmp_path / "current.pem"
    shutil.copy(CERTIFICATES.files.server, current)
    (tmp_path / "noise").write_text("noise")
    async with serve(Office(), HERE, tls=Tls(certificate=current)) as server:

        async def total() -> Total:
            async with connect(server.addresses[0], tls=CERTIFICATES.client()) as peer:
                return await peer.call(Sum(a=1, b=2))

        replace(current, str(tmp_path / "noise"))
        assert [await total(), await total()] == [Total(total=3)] * 2
        current.unlink()
        assert await total() == Total(total=3)
        replace(current, CERTIFICATES.files.rogue_server)
        with pytest.raises(TlsFailed):
            await total()
    spoilt = [record.getMessage() for record in caplog.records if "goes on" in record.getMessage()]
    assert len(spoilt) == 2


def replace(current: Path, by: str) -> None:
    """Put a copy of a file in the place of another, as programs that renew certificates do."""
    fresh = current.with_suffix(".new")
    shutil.copy(by, fresh)
    os.utime(fresh, ns=(1, 1))
    fresh.replace(current)
