"""The layer of TLS against asyncio's own: records in and out, both kinds of end, and what a transport promises."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from ampkit import ConnectionLost, Peer, Tls, TlsFailed, connect, encode_box, parse_string, serve
from ampkit.asyncio.tls import make_context
from tests.asyncio.office import Office, Sum, Total
from tests.asyncio.turning import until
from tests.certificates import CERTIFICATES

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])

ASK = encode_box({b"_ask": b"1", b"_command": b"Sum", b"a": b"13", b"b": b"81"})
ANSWER = {b"_answer": b"1", b"total": b"94"}


@asynccontextmanager
async def stranger() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Peer]]:
    """A client with asyncio's TLS, and the peer that it is for an office with ours."""
    context = make_context(CERTIFICATES.client(), server_side=False)
    async with serve(Office(), "tls://localhost:0", tls=CERTIFICATES.server()) as server:
        port = int(server.addresses[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        await until(lambda: server.peers)
        (peer,) = server.peers
        try:
            yield reader, writer, peer
        finally:
            writer.transport.abort()
            await peer.wait_closed()


def below(writer: asyncio.StreamWriter) -> socket.socket:
    """Return the socket below TLS, a second time."""
    return socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))


@both_loops
async def test_asyncio_s_own_tls_understands_it() -> None:
    """In pieces of any size, and with a goodbye."""
    async with stranger() as (reader, writer, peer):
        for byte in ASK:
            writer.write(bytes([byte]))
            await writer.drain()
        data = await reader.readuntil(b"94\0\0")
        assert parse_string(data) == [ANSWER]
        await peer.close()
        assert await reader.read() == b""


@both_loops
async def test_our_client_understands_asyncio_s_own_tls() -> None:
    """The other way round, with a megabyte in between."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0\0\0")
        writer.write(encode_box({b"_answer": b"1", **{b"%d" % key: bytes(60_000) for key in range(16)}}))
        await writer.drain()
        await reader.read()
        writer.close()

    context = make_context(CERTIFICATES.server(), server_side=True)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"tls://127.0.0.1:{port}", tls=CERTIFICATES.client()) as peer:
            box = await peer.call_raw(b"Much\0\0\0", {})
            assert sum(map(len, box.values())) == 960_000


@both_loops
async def test_an_end_without_a_goodbye_is_no_orderly_one() -> None:
    """Bytes may be missing that nobody knows of; a plain transport would say that it broke."""
    async with stranger() as (_, writer, peer):
        with below(writer) as sock:
            sock.shutdown(socket.SHUT_WR)
        await peer.wait_closed()
        assert isinstance(peer.end_reason, ConnectionLost)
        assert "goodbye" in str(peer.end_reason)


@both_loops
async def test_a_goodbye_is_an_orderly_end() -> None:
    """As an end of file is on a plain transport."""
    async with stranger() as (_, writer, peer):
        writer.close()
        await peer.wait_closed()
        assert str(peer.end_reason) == "the other end closed the connection"


@both_loops
async def test_a_record_that_was_changed_on_the_way_ends_the_connection() -> None:
    """With a TlsFailed, and nothing of it is read."""
    async with stranger() as (_, writer, peer):
        with below(writer) as sock:
            sock.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        await peer.wait_closed()
        assert isinstance(peer.end_reason, TlsFailed)
        assert peer.end_reason.fault == "not TLS"


@both_loops
async def test_an_ended_connection_drops_what_is_written() -> None:
    """As a plain transport does; behind an end of file of this end's own it is a mistake of the program's."""
    async with stranger() as (_, writer, peer):
        transport = peer.channel.transport
        assert transport is not None
        transport.write_eof()
        transport.write_eof()
        with pytest.raises(RuntimeError, match="write_eof"):
            transport.write(b"late")
        transport.close()
        transport.close()
        assert transport.is_closing()
        writer.close()
        await peer.wait_closed()


async def test_it_is_a_transport_like_any() -> None:
    """What it does not know of itself, the one below does."""
    async with (
        serve(Office(), "tls://localhost:0", tls=CERTIFICATES.server()) as server,
        connect(server.addresses[0], tls=CERTIFICATES.client()) as peer,
    ):
        transport = peer.channel.transport
        assert transport is not None
        assert isinstance(transport.get_extra_info("ssl_object"), ssl.SSLObject)
        assert transport.get_extra_info("peername")[0] == "127.0.0.1"
        assert transport.get_extra_info("nothing", "of that name") == "of that name"
        assert transport.get_protocol() is peer.channel
        assert transport.is_reading()
        assert transport.get_write_buffer_limits()[1] == 65_536
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


async def test_a_context_that_does_not_fit_is_said_when_it_is_used() -> None:
    """What OpenSSL refuses of a context of the program's own is a TlsFailed."""
    context = make_context(Tls(unsafe_trust_anyone=True), server_side=False)
    async with serve(Office(), "tls://localhost:0", tls=CERTIFICATES.server()) as server:
        opening = connect(server.addresses[0], tls=context)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(TlsFailed):
            await opening


@both_loops
async def test_big_answers_are_held_back_by_a_slow_reader() -> None:
    """The layer keeps nothing itself: what is not taken is the transport's, and callers wait for it."""
    async with stranger() as (reader, writer, peer):
        transport = cast(asyncio.Transport, writer.transport)
        transport.pause_reading()
        for tag in range(200):
            ask = {b"_ask": b"%d" % tag, b"_command": b"Zeros", b"size": b"60000"}
            writer.write(encode_box(ask))
        await until(lambda: peer.channel.is_full)
        assert peer.channel.buffered() < 5_000_000
        transport.resume_reading()
        size = 0
        while size < 200 * 60_000:
            size += len(await reader.read(1_000_000))
