"""The contract's part on what ends early: cancelled and late calls, and connections that close."""
# ruff: noqa: S101 - tests assert

from __future__ import annotations

import asyncio

import pytest

from ampkit.asyncio.peer import Peer
from ampkit.core.states import State
from ampkit.errors import ConnectionLost, DeadlineExceeded, RemoteError
from ampkit.testing.contract.base import Contract, behaviour, either_end
from ampkit.testing.contract.commands import Desk, HangUp, Note, Sum, Total, Wait


class Ending(Contract):
    """Calls that are given up, and connections that end under them."""

    @behaviour
    async def test_a_cancelled_call_leaves_the_connection(self) -> None:
        """Cancelling a call ends it at once; the answer that comes later is dropped."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            call = await _waiting_call(left, desk)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            desk.open_gates(1)
            assert await left.call(Sum(a=13, b=81)) == Total(total=94)

    @behaviour
    async def test_a_call_ends_with_its_timeout(self) -> None:
        """A call whose answer does not come in time raises DeadlineExceeded; the late answer is dropped."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            with pytest.raises(DeadlineExceeded):
                await left.call(Wait(number=1), timeout=0.01)
            desk.open_gates(1)
            assert await left.call(Sum(a=13, b=81)) == Total(total=94)

    @either_end
    @behaviour
    async def test_closing_ends_calls_and_responders(self, end: int) -> None:
        """Whichever end closes: calls under way raise ConnectionLost, and their responders are cancelled."""
        desks = Desk(), Desk()
        async with self.pair(*desks) as ends:
            calls = [await _waiting_call(ends[0], desks[1]), await _waiting_call(ends[1], desks[0])]
            await ends[end].close()
            for call in calls:
                with pytest.raises(ConnectionLost):
                    await call
            for desk in desks:
                assert await desk.cancelled.get() == 1
            await _both_closed(ends)

    @either_end
    @behaviour
    async def test_a_closing_end_may_finish_first(self, end: int) -> None:
        """With a grace, what runs is answered, and what comes meanwhile is refused as BUSY."""
        desk = Desk()
        services = (desk, None) if end == 0 else (None, desk)
        async with self.pair(*services) as ends:
            caller, closer = ends[1 - end], ends[end]
            call = await _waiting_call(caller, desk)
            closing = asyncio.create_task(closer.close(grace=10))
            await asyncio.sleep(0)
            assert closer.state is State.CLOSING
            with pytest.raises(RemoteError, match="BUSY"):
                await caller.call(Sum(a=1, b=2))
            desk.open_gates(1)
            assert await call == Total(total=1)
            await closing
            await _both_closed(ends)

    @either_end
    @behaviour
    async def test_a_break_ends_calls_and_responders(self, end: int) -> None:
        """When one end is gone without a word, the other's calls and responders end as at a close."""
        desks = Desk(), Desk()
        async with self.pair(*desks) as ends:
            calls = [await _waiting_call(ends[0], desks[1]), await _waiting_call(ends[1], desks[0])]
            self.abort(ends[end])
            for call in calls:
                with pytest.raises(ConnectionLost):
                    await call
            for desk in desks:
                assert await desk.cancelled.get() == 1
            await _both_closed(ends)

    @behaviour
    async def test_a_responder_may_close_its_own_connection(self) -> None:
        """The one who asked gets ConnectionLost, and nothing waits for itself."""
        async with self.pair(None, Desk()) as ends:
            with pytest.raises(ConnectionLost):
                await ends[0].call(HangUp())
            await _both_closed(ends)

    @either_end
    @behaviour
    async def test_a_closed_connection_takes_no_call(self, end: int) -> None:
        """Calls, tells and raw calls on either end raise ConnectionLost once the connection is closed."""
        async with self.pair(Desk(), Desk()) as ends:
            await ends[end].close()
            await ends[1 - end].wait_closed()
            for peer in ends:
                with pytest.raises(ConnectionLost):
                    await peer.call(Sum(a=1, b=2))
                with pytest.raises(ConnectionLost):
                    await peer.tell(Note(line="too late"))
                with pytest.raises(ConnectionLost):
                    await peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"})
                with pytest.raises(ConnectionLost):
                    await peer.call_many([Sum(a=1, b=2)])

    @behaviour
    async def test_closing_again_does_nothing(self) -> None:
        """An end may be closed by both ends at once, several times at once, and once more."""
        async with self.pair(Desk(), Desk()) as (left, right):
            await asyncio.gather(left.close(), left.close(), right.close(), right.close(grace=1))
            await left.close()
            await right.close()
            await _both_closed((left, right))

    @either_end
    @behaviour
    async def test_what_was_told_before_closing_arrives(self, end: int) -> None:
        """Closing delivers what was written before it."""
        desk = Desk()
        services = (None, desk) if end == 0 else (desk, None)
        async with self.pair(*services) as ends:
            for number in range(100):
                await ends[end].tell(Note(line=str(number)))
            await ends[end].close()
            await ends[1 - end].wait_closed()
        assert desk.notes == [str(number) for number in range(100)]

    @behaviour
    async def test_what_was_told_before_closing_arrives_late(self) -> None:
        """An end that was too busy to read gets what was told, when it reads on, and only then the end."""
        desk = Desk()
        async with self.pair(None, desk, max_running_asks=1) as (left, right):
            await left.tell(Wait(number=1))
            for number in range(10):
                await left.tell(Note(line=str(number)))
            closing = asyncio.create_task(left.close())
            await desk.started.get()
            desk.open_gates(1)
            await right.wait_closed()
            await closing
        assert desk.notes == [str(number) for number in range(10)]


async def _waiting_call(caller: Peer, desk: Desk) -> asyncio.Task[Total]:
    """Begin a call that is not answered before gate 1 of the other end's desk is opened."""
    call = asyncio.create_task(caller.call(Wait(number=1)))
    assert await desk.started.get() == 1
    return call


async def _both_closed(ends: tuple[Peer, Peer]) -> None:
    for peer in ends:
        await peer.wait_closed()
        assert peer.state is State.CLOSED
        assert isinstance(peer.end_reason, ConnectionLost)
