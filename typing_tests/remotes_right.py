"""Whatever can be called is called alike, and hooks fit their base class: no word from a type checker."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import assert_type

from ampkit import (
    Backoff,
    Balance,
    Hooks,
    Options,
    Peer,
    Pool,
    Presence,
    ReconnectingPeer,
    Remote,
    Service,
    connect,
    connect_pool,
)
from ampkit.hooks import Ask, Call
from typing_tests.declarations import Note, Sum, Total


async def a_remote_is_called_as_a_peer_is(remote: Remote) -> None:
    """What a function needs that only calls."""
    assert_type(await remote.call(Sum(a=1, b=2), timeout=2), Total)
    assert_type(await remote.call_many([Sum(a=1, b=2)]), list[Total])
    assert_type(await remote.call_many([Sum(a=1, b=2)], return_exceptions=True), list[Total | Exception])
    assert_type(await remote.call_raw(b"Sum", timeout=None), dict[bytes, bytes])
    await remote.tell(Note(text="x"))
    async with remote as same:
        assert_type(same, Remote)


async def a_peer_is_a_remote(peer: Peer) -> None:
    """One connection."""
    await a_remote_is_called_as_a_peer_is(peer)


async def connecting_says_what_comes() -> None:
    """With a backoff, a peer that comes back."""
    assert_type(await connect("tcp://a:1"), Peer)
    assert_type(await connect("tcp://a:1", Service(), options=Options(), reconnect=None), Peer)
    async with connect("tcp://a:1", [Service()], reconnect=Backoff(attempts=3)) as peer:
        assert_type(peer, ReconnectingPeer)
        assert_type(await peer.call(Sum(a=1, b=2), timeout=2), Total)
        assert_type(await peer.call_many([Sum(a=1, b=2)]), list[Total])
        await a_remote_is_called_as_a_peer_is(peer)
        assert_type(peer.peer, Peer | None)
        async for presence in peer.changes():
            assert_type(presence, Presence)


async def a_pool_is_called_alike_and_all_of_it_can_be_asked() -> None:
    """Each member has an outcome."""
    async with connect_pool("tcp://a:1", "tcp://b:1", connections=2, balance=Balance(failures=3)) as pool:
        assert_type(pool, Pool)
        assert_type(await pool.call(Sum(a=1, b=2)), Total)
        assert_type(await pool.call_all(Sum(a=1, b=2), timeout=2), list[Total | Exception])
        assert_type(pool.members, tuple[ReconnectingPeer, ...])
        await a_remote_is_called_as_a_peer_is(pool)


class Generated(Hooks):
    """Hooks as generators."""

    @contextmanager
    def calling(self, call: Call) -> Generator[None]:
        """Add a key."""
        assert_type(call.peer, Peer)
        call.extensions[b"_meta.user"] = b"Ada"
        yield

    @contextmanager
    def answering(self, ask: Ask) -> Generator[str]:
        """Read a key."""
        yield ask.box[b"_meta.user"].decode()


class Returned(Hooks):
    """Hooks as context managers of any kind."""

    def calling(self, call: Call) -> AbstractContextManager[object]:
        """Do nothing."""
        return nullcontext(call)


print(Options(hooks=(Generated(), Returned())))
