"""STARTTLS: from either end, who is refused, what waits, and what becomes of bytes that have no business there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from ampkit import (
    Command,
    ConnectionLost,
    Limits,
    LocalProtocolError,
    Options,
    Peer,
    RemoteError,
    RemoteProtocolError,
    Service,
    State,
    Tls,
    TlsFailed,
    UnhandledCommand,
    connect,
    encode_box,
    serve,
)
from ampkit.asyncio.handshakes import AnyTls
from tests.asyncio.office import Office, Reverse, Sum, Total, Wait
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import turns, until
from tests.certificates import CERTIFICATES

both_loops = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
either_end = pytest.mark.parametrize("end", [0, 1], ids=["client", "server"])

ASK = encode_box({b"_ask": b"1", b"_command": b"StartTLS"})
ANSWER = encode_box({b"_answer": b"1"})
PLAINTEXT = encode_box({b"_ask": b"2", b"_command": b"Sum", b"a": b"1", b"b": b"2"})


def client() -> Tls:
    """What a client has that comes to an address without a host."""
    return Tls(authority=CERTIFICATES.files.authority, host_name="localhost")


@asynccontextmanager
async def ends(
    address: str, client_tls: AnyTls | None, server_tls: AnyTls | None, options: Options | None = None
) -> AsyncGenerator[tuple[Peer, Peer]]:
    """Two offices: the one that has connected, the one that serves."""
    chosen = options or Options()
    async with (
        serve(Office(), address, tls=server_tls, options=chosen) as server,
        connect(server.addresses[0], Office(), tls=client_tls, options=chosen) as peer,
    ):
        await peer.call(Sum(a=0, b=0))
        (other,) = server.peers
        yield peer, other


@asynccontextmanager
async def raw_client(options: Options | None = None) -> AsyncGenerator[tuple[RawEnd, Peer]]:
    """A bare client, and the peer that it is for an office with TLS."""
    tls = CERTIFICATES.server()
    async with (
        serve(Office(), "tcp://localhost:0", tls=tls, options=options or Options()) as server,
        await RawEnd.connect(server.addresses[0]) as raw,
    ):
        await until(lambda: len(server.peers) == 1)
        (peer,) = server.peers
        yield raw, peer


@asynccontextmanager
async def raw_server() -> AsyncGenerator[tuple[RawEnd, Peer]]:
    """A bare server, and the peer that it is for a client with TLS."""
    accepted: asyncio.Future[RawEnd] = asyncio.get_running_loop().create_future()

    def accept() -> RawEnd:
        accepted.set_result(RawEnd())
        return accepted.result()

    listener = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with (
        listener,
        connect(f"tcp://127.0.0.1:{port}", Office(), tls=CERTIFICATES.client()) as peer,
        await accepted as raw,
    ):
        yield raw, peer


@either_end
@both_loops
async def test_either_end_may_ask(end: int, address: str) -> None:
    """On every transport; what was called before, meanwhile and after is answered, in both directions."""
    async with ends(address, client(), CERTIFICATES.server()) as pair:
        before = [asyncio.create_task(peer.call(Reverse(data=b"x" * 20_000))) for peer in pair]
        starting = asyncio.create_task(pair[end].start_tls())
        await asyncio.sleep(0)
        meanwhile = [peer.call(Sum(a=number, b=1)) for number in range(50) for peer in pair]
        totals = await asyncio.gather(*meanwhile)
        assert totals == [Total(total=number + 1) for number in range(50) for _ in pair]
        await asyncio.gather(starting, *before)
        assert [peer.is_secure for peer in pair] == [True, True]
        assert pair[0].certificate is not None
        assert [await peer.call(Sum(a=1, b=2)) for peer in pair] == [Total(total=3)] * 2


async def test_both_ends_may_show_certificates() -> None:
    """As with `tls://`; the Tls may also be given to `start_tls`."""
    async with ends("tcp://localhost:0", None, CERTIFICATES.mutual_server()) as (peer, other):
        await peer.start_tls(CERTIFICATES.mutual_client())
        await peer.call(Sum(a=1, b=2))
        assert other.certificate is not None
        assert other.certificate.common_name == "Ada"


@both_loops
async def test_calls_from_before_are_answered_behind() -> None:
    """An answer that comes late goes over TLS."""
    async with ends("tcp://localhost:0", client(), CERTIFICATES.server()) as (peer, other):
        waiting = asyncio.create_task(other.call(Wait(number=1)))
        await until(lambda: len(other.channel.connection.pending) == 1)
        await peer.start_tls()
        assert not waiting.done()
        waiting.cancel()
        assert await other.call(Sum(a=1, b=2)) == Total(total=3)


# Refused


@either_end
async def test_an_end_without_tls_refuses(end: int, address: str) -> None:
    """As if it did not know the command; all goes on without, but for what was to go over TLS."""
    given: list[Tls | None] = [client(), CERTIFICATES.server()]
    given[1 - end] = None
    async with ends(address, given[0], given[1]) as pair:
        starting = asyncio.create_task(pair[end].start_tls())
        await asyncio.sleep(0)
        secret = asyncio.create_task(pair[end].call(Sum(a=1, b=2)))
        with pytest.raises(UnhandledCommand):
            await starting
        with pytest.raises(TlsFailed, match="not sent"):
            await secret
        assert not pair[end].is_secure
        assert [await peer.call(Sum(a=1, b=2)) for peer in pair] == [Total(total=3)] * 2
        assert pair[end].channel.connection.pending == {}


async def test_a_call_that_was_queued_already_is_not_sent_either() -> None:
    """What came to the connection itself while it was securing is given back."""
    async with ends("memory://test", client(), None) as (peer, _):
        starting = asyncio.create_task(peer.start_tls())
        await until(lambda: peer.state is State.SECURING)
        outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        peer.channel.connection.ask(b"Sum", {b"a": b"1", b"b": b"2"}, outcome)
        with pytest.raises(UnhandledCommand):
            await starting
        assert isinstance((await outcome).reason, TlsFailed)  # type: ignore[attr-defined]


@either_end
async def test_a_second_time_is_an_error(end: int) -> None:
    """On a connection that is secure, however it became that, nothing is sent."""
    for address in ("tcp://localhost:0", "tls://localhost:0"):
        async with ends(address, CERTIFICATES.client(), CERTIFICATES.server()) as pair:
            if address.startswith("tcp"):
                await pair[1 - end].start_tls()
            with pytest.raises(LocalProtocolError, match="secure already"):
                await pair[end].start_tls()
            assert await pair[end].call(Sum(a=1, b=2)) == Total(total=3)


async def test_an_end_that_is_secure_refuses_to_become_it() -> None:
    """Another implementation may ask again: it is told, and the connection goes on."""
    async with ends("tls://localhost:0", CERTIFICATES.client(), CERTIFICATES.server()) as (peer, _):
        with pytest.raises(RemoteError) as caught:
            await peer.call_raw(b"StartTLS")
        assert (caught.value.code, caught.value.description) == ("TLS_ERROR", "the connection is secure already")
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)


async def test_without_a_tls_nothing_is_asked() -> None:
    """Nor with one that cannot be used on this side."""
    async with ends("tcp://localhost:0", None, None) as (peer, other):
        with pytest.raises(LocalProtocolError, match="needs a Tls"):
            await peer.start_tls()
        with pytest.raises(LocalProtocolError, match="certificate"):
            await other.start_tls(Tls())
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    async with ends("memory://test", None, None) as (peer, _):
        with pytest.raises(LocalProtocolError, match="host name"):
            await peer.start_tls(CERTIFICATES.client())


DISTRUST: dict[str, Callable[[], tuple[Tls, Tls]]] = {
    "wrong host": lambda: (client(), CERTIFICATES.server(CERTIFICATES.files.nameless)),
    "unknown authority": lambda: (client(), CERTIFICATES.server(CERTIFICATES.files.rogue_server)),
    "expired": lambda: (client(), CERTIFICATES.server(CERTIFICATES.files.expired)),
    "self-signed": lambda: (client(), CERTIFICATES.server(CERTIFICATES.files.self_signed)),
    "no certificate": lambda: (client(), CERTIFICATES.mutual_server()),
}


@either_end
@pytest.mark.parametrize("fault", DISTRUST)
@both_loops
async def test_who_is_not_trusted_is_dropped(fault: str, end: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asked is told which fault it is; no call of either end is left, none was run behind the ask."""
    async with ends("tcp://localhost:0", *DISTRUST[fault]()) as pair:
        calls = [asyncio.create_task(peer.call(Wait(number=1))) for peer in pair]
        await until(lambda: all(len(peer.channel.connection.pending) == 1 for peer in pair))
        starting = asyncio.create_task(pair[end].start_tls())
        await asyncio.sleep(0)
        calls += [asyncio.create_task(peer.call(Sum(a=1, b=2))) for peer in pair]
        outcomes = await asyncio.gather(starting, *calls, return_exceptions=True)
        assert all(isinstance(outcome, ConnectionLost) for outcome in outcomes[1:])
        faults = {reason.fault for peer in pair if isinstance(reason := peer.end_reason, TlsFailed)}
        assert faults == {fault, "refused"}
        for peer in pair:
            await peer.wait_closed()
            assert peer.channel.connection.pending == {}
    assert all(record.getMessage().isprintable() for record in caplog.records)


async def test_trusting_anyone_takes_words_that_say_so() -> None:
    """Then a self-signed certificate is accepted, and says nothing of who is there."""
    tls = Tls(unsafe_trust_anyone=True)
    async with ends("tcp://localhost:0", tls, CERTIFICATES.server(CERTIFICATES.files.self_signed)) as (peer, _):
        await peer.start_tls()
        assert peer.is_secure
        assert peer.certificate is None


# Time, and giving up


@both_loops
async def test_whoever_does_not_answer_has_a_time_limit() -> None:
    """The ask and the handshake together; then the connection is closed, as the other end may have agreed."""
    async with raw_client(Options(handshake_timeout=0.05)) as (silent, peer):
        starting = asyncio.create_task(peer.start_tls())
        await silent.until(ASK)
        secret = asyncio.create_task(peer.call(Sum(a=1, b=2), timeout=60))
        with pytest.raises(TlsFailed) as caught:
            await starting
        assert caught.value.fault == "timeout"
        with pytest.raises(ConnectionLost):
            await secret
        await silent.lost
        assert peer.channel.connection.pending == {}


@pytest.mark.parametrize("turn", range(12))
async def test_giving_up_closes_the_connection(turn: int) -> None:
    """Whenever it is cancelled: nobody could say whether the other end has agreed."""
    async with ends("memory://test", client(), CERTIFICATES.server()) as (peer, other):
        starting = asyncio.create_task(peer.start_tls())
        calls = [asyncio.create_task(end.call(Sum(a=1, b=2))) for end in (peer, other)]
        await turns(turn)
        starting.cancel()
        await asyncio.wait([starting])
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert outcome == Total(total=3) or isinstance(outcome, ConnectionLost)
        if starting.cancelled() and peer.state is State.CLOSED:
            with pytest.raises(ConnectionLost):
                await peer.call(Sum(a=1, b=2))
        assert peer.channel.connection.pending == {}


@either_end
@pytest.mark.parametrize("turn", range(12))
async def test_closing_meanwhile_leaves_nothing(turn: int, end: int) -> None:
    """Whichever end closes, in whatever turn."""
    async with ends("memory://test", client(), CERTIFICATES.server()) as pair:
        starting = asyncio.create_task(pair[0].start_tls())
        calls = [asyncio.create_task(peer.call(Sum(a=1, b=2))) for peer in pair]
        await turns(turn)
        await pair[end].close()
        for outcome in await asyncio.gather(starting, *calls, return_exceptions=True):
            assert outcome in [None, Total(total=3)] or isinstance(outcome, ConnectionLost)
        await pair[1 - end].wait_closed()


# Plaintext where TLS begins


@pytest.mark.parametrize("junk", [PLAINTEXT, b"\0", b"GET / HTTP/1.1\r\n", b"\x17\x03\x03\0\x01x"])
@both_loops
async def test_plaintext_behind_the_ask_drops_the_peer(junk: bytes) -> None:
    """In the same packet: nothing is answered, no responder runs."""
    async with raw_client() as (raw, peer):
        raw.transport.write(ASK + junk)
        await raw.lost
        assert raw.received == b""
        assert isinstance(peer.end_reason, RemoteProtocolError)


@pytest.mark.parametrize("junk", [PLAINTEXT, b"\0", b"GET / HTTP/1.1\r\n", b"\x17\x03\x03\0\x01x"])
@both_loops
async def test_plaintext_where_the_handshake_begins_drops_the_peer(junk: bytes) -> None:
    """In a packet of its own: the answer has gone, and nothing but TLS may follow."""
    async with raw_client() as (raw, peer):
        raw.transport.write(ASK)
        await raw.until(ANSWER)
        raw.transport.write(junk)
        await raw.lost
        assert raw.received == ANSWER
        assert isinstance(peer.end_reason, RemoteProtocolError)


@pytest.mark.parametrize("junk", [PLAINTEXT, encode_box({b"_answer": b"2"}), b"\0", b"\x16\x03\x01"])
@either_end
async def test_plaintext_behind_the_answer_drops_the_peer(junk: bytes, end: int) -> None:
    """No call that waits for TLS is answered by it; TLS's server takes a hello there, and nothing else."""
    async with raw_client() if end else raw_server() as (raw, peer):
        starting = asyncio.create_task(peer.start_tls())
        await raw.until(ASK)
        secret = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        raw.transport.write(ANSWER + junk)
        if end and junk[0] == 0x16:  # half a hello; the rest is the layer's affair
            raw.transport.write(b"\xff" * 100)
        with pytest.raises((RemoteProtocolError, TlsFailed)):
            await starting
        with pytest.raises(ConnectionLost):
            await secret
        await raw.lost
        assert b"Sum" not in raw.received


# Commands that require TLS


class Pay(Command[None], require_tls=True):
    """What nobody should read on the way."""


class Open(Command[None]):
    """A command that anybody may send, to a service that answers only over TLS."""


class Vault(Service, require_tls=True):
    """Answers only over TLS."""

    def __init__(self) -> None:
        self.opened = 0

    @Open.responder
    def open(self, command: Open) -> None:  # noqa: ARG002 - the command says nothing
        """Count."""
        self.opened += 1


class Bank(Office):
    """Answers one command only over TLS; each of these asks takes a slot until the test opens the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.paid = 0

    @Pay.responder
    def pay(self, command: Pay) -> None:  # noqa: ARG002 - the command says nothing
        """Count."""
        self.paid += 1


async def test_what_requires_tls_is_neither_sent_nor_run_without() -> None:
    """A command is kept here; an ask that comes all the same is refused, whether command or service requires it."""
    bank, vault = Bank(), Vault()
    async with (
        serve([bank, vault], "tcp://localhost:0", tls=CERTIFICATES.server()) as server,
        connect(server.addresses[0], tls=CERTIFICATES.client()) as peer,
    ):
        for attempt in (peer.call(Pay()), peer.tell(Pay()), peer.call_many([Pay()])):
            with pytest.raises(LocalProtocolError, match="start_tls"):
                await attempt
        for ask in (peer.call_raw(b"Pay"), peer.call(Open()), peer.call_raw(b"Open")):
            with pytest.raises(RemoteError, match="TLS_REQUIRED"):
                await ask
        await peer.tell_raw(b"Pay")
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        assert (bank.paid, vault.opened) == (0, 0)
        starting = asyncio.create_task(peer.start_tls())
        await until(lambda: peer.state is not State.OPEN)
        await peer.call(Pay())  # it waits for TLS
        await starting
        await peer.call(Open())
        assert (bank.paid, vault.opened) == (1, 1)


async def test_an_ask_that_waits_in_line_came_without_tls() -> None:
    """Its turn comes behind the handshake, but it was sent before: it is refused."""
    bank = Bank()
    async with (
        serve(bank, "memory://bank", tls=CERTIFICATES.server(), limits=Limits(max_running_asks=1)) as server,
        connect("memory://bank", tls=client()) as peer,
    ):
        waiting = asyncio.create_task(peer.call(Wait(number=1)))
        await bank.started.get()
        line = asyncio.create_task(peer.call(Sum(a=1, b=2)))
        early = asyncio.create_task(peer.call_raw(b"Pay"))
        await turns()
        await peer.start_tls()
        bank.gates[1].set()
        assert [await waiting, await line] == [Total(total=1), Total(total=3)]
        with pytest.raises(RemoteError, match="TLS_REQUIRED"):
            await early
        await peer.call(Pay())
        assert bank.paid == 1
        assert server.peers
