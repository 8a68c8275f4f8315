"""The contract's part on much at a time: many calls, large values, slow ends, and the limits that bound them."""
# ruff: noqa: S101 - tests assert

from __future__ import annotations

import asyncio

import pytest

from ampkit.errors import LocalProtocolError, RemoteError, UnknownRemoteError
from ampkit.testing.contract.base import Contract, behaviour, either_end
from ampkit.testing.contract.commands import Content, CountDown, Desk, Reverse, Sum, Total, Wait, Zeros

LARGE = 60_000


class Flow(Contract):
    """Flow control and limits."""

    @behaviour
    async def test_a_thousand_calls_wait_at_a_time(self) -> None:
        """As many asks as the limits allow run at once, and each is answered with its own answer."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            calls = [asyncio.create_task(left.call(Wait(number=number))) for number in range(1000)]
            for _ in calls:
                await desk.started.get()
            desk.open_gates(*range(1000))
            answers = await asyncio.gather(*calls)
        assert [answer.total for answer in answers] == list(range(1000))
        assert desk.most_running == 1000

    @either_end
    @behaviour
    async def test_megabytes_go_there_and_back(self, end: int) -> None:
        """Many large values at a time are all answered, though neither end can hold them at once."""
        async with self.pair(Desk(), Desk()) as ends:
            sent = [bytes([number]) * 65_534 + b"." for number in range(40)]
            answers = await asyncio.gather(*(ends[end].call(Reverse(data=data)) for data in sent))
        assert answers == [Content(data=data[::-1]) for data in sent]

    @behaviour
    async def test_megabytes_cross_each_other(self) -> None:
        """With the buffers for it, as much goes in both directions at once."""
        async with self.pair(Desk(), Desk(), max_buffered_bytes=4_000_000) as ends:
            sent = [bytes([number]) * 65_534 + b"." for number in range(20)]
            calls = [peer.call(Reverse(data=data)) for peer in ends for data in sent]
            answers = await asyncio.gather(*calls)
        assert answers == [Content(data=data[::-1]) for data in [*sent, *sent]]

    @behaviour
    async def test_a_slow_reader_holds_callers_back(self) -> None:
        """While the other end reads nothing, callers wait with a bounded buffer; all are answered in the end."""
        desk = Desk()
        async with self.pair(None, desk, max_running_asks=1, max_buffered_bytes=10_000) as (left, _):
            calls = [asyncio.create_task(left.call(Wait(number=n, load=bytes(LARGE)))) for n in range(100)]
            assert await desk.started.get() == 0
            for _ in range(200):
                assert self.buffered(left) < 10_000 + 4 * LARGE
                await asyncio.sleep(0)
            desk.open_gates(*range(100))
            answers = await asyncio.gather(*calls)
        assert [answer.total for answer in answers] == list(range(100))

    @behaviour
    async def test_no_more_asks_run_than_the_limit(self) -> None:
        """Asks above `max_running_asks` wait for those that run, and are answered then."""
        desk = Desk()
        async with self.pair(None, desk, max_running_asks=3) as (left, _):
            calls = [asyncio.create_task(left.call(Wait(number=number))) for number in range(20)]
            for number in range(20):
                assert await desk.started.get() == number
                desk.open_gates(number)
            answers = await asyncio.gather(*calls)
        assert [answer.total for answer in answers] == list(range(20))
        assert desk.most_running <= 3

    @behaviour
    async def test_two_ends_at_their_limits_do_not_wait_for_each_other(self) -> None:
        """Ends that ask back at their limit of running asks are answered or refused as BUSY: every call ends."""
        async with self.pair(Desk(), Desk(), max_running_asks=1) as ends:
            calls = [peer.call(CountDown(start=3)) for _ in range(10) for peer in ends]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            for outcome in outcomes:
                assert outcome == Total(total=3) or (isinstance(outcome, RemoteError) and outcome.code in _REFUSALS)
            assert await ends[0].call(Sum(a=13, b=81)) == Total(total=94)

    @behaviour
    async def test_a_box_above_the_limits_is_not_sent(self) -> None:
        """An ask above the limits is a LocalProtocolError here, an answer above them UNKNOWN there; both ends live."""
        async with self.pair(None, Desk(), max_box_bytes=1000, max_box_keys=10) as (left, _):
            with pytest.raises(LocalProtocolError, match="1000"):
                await left.call(Reverse(data=bytes(1000)))
            with pytest.raises(LocalProtocolError, match="keys"):
                await left.call_raw(b"Sum", {b"%d" % number: b"" for number in range(11)})
            with pytest.raises(UnknownRemoteError):
                await left.call(Zeros(count=1000))
            assert await left.call(Zeros(count=500)) == Content(data=bytes(500))


_REFUSALS = {"BUSY", "UNKNOWN"}
"""UNKNOWN where a responder's own call was refused as BUSY: `CountDown` does not declare that."""
