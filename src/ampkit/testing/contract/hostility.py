"""The contract's part on what no proper peer sends: strays, bad bytes, and ends in the middle of a box."""
# ruff: noqa: S101 - tests assert

from __future__ import annotations

import asyncio

import pytest

from ampkit.core.states import State
from ampkit.errors import ConnectionLost, RemoteProtocolError
from ampkit.testing.contract.base import Contract, behaviour, either_end
from ampkit.testing.contract.commands import Desk, Sum, Total, Wait
from ampkit.wire.box import encode_box

STRAYS = [
    {b"_answer": b"no such tag", b"total": b"1"},
    {b"_error": b"no such tag", b"_error_code": b"X", b"_error_description": b"Y"},
    {b"neither": b"ask nor answer"},
]

BAD_BYTES = {
    b"GET / HTTP/1.1\r\n\r\n": "key of 18245 bytes",
    b"\0\0": "empty box",
    b"\0\1a\0\1b\1\0": "key of 256 bytes",
}


class Hostility(Contract):
    """Bytes that are no AMP, or none that was expected."""

    @either_end
    @behaviour
    async def test_strays_are_dropped(self, end: int) -> None:
        """A box that belongs to no call changes nothing for those that wait."""
        desk = Desk()
        services = (desk, None) if end == 0 else (None, desk)
        async with self.pair(*services) as ends:
            call = asyncio.create_task(ends[1 - end].call(Wait(number=1)))
            await desk.started.get()
            for stray in STRAYS:
                self.send_bytes(ends[end], encode_box(stray))
            desk.open_gates(1)
            assert await call == Total(total=1)
            assert ends[1 - end].state is State.OPEN

    @pytest.mark.parametrize("data", BAD_BYTES, ids=BAD_BYTES.values())
    @either_end
    @behaviour
    async def test_bad_bytes_end_the_connection(self, end: int, data: bytes) -> None:
        """Whoever receives what is not AMP ends the connection and knows why; calls of both ends end."""
        desk = Desk()
        async with self.pair(desk, desk) as ends:
            calls = [asyncio.create_task(peer.call(Wait(number=1))) for peer in ends]
            for _ in calls:
                await desk.started.get()
            self.send_bytes(ends[end], data)
            for call in calls:
                with pytest.raises(ConnectionLost):
                    await call
            reason = ends[1 - end].end_reason
            assert isinstance(reason, RemoteProtocolError)
            assert BAD_BYTES[data] in reason.reason
            assert reason.position is not None

    @behaviour
    async def test_bad_bytes_right_behind_an_ask_end_its_responder(self) -> None:
        """A responder that was asked in the same bytes does not run on, and nobody waits for it."""
        desk = Desk()
        async with self.pair(None, desk) as (left, right):
            ask = {b"_ask": b"1", b"_command": b"Wait", b"number": b"1", b"load": b""}
            self.send_bytes(left, encode_box(ask) + b"\xff\xff")
            await right.wait_closed()
            await right.close()
            assert desk.running == 0

    @behaviour
    async def test_a_box_above_the_limits_ends_the_connection(self) -> None:
        """An end does not hold more of a box than its limits say."""
        async with self.pair(None, Desk(), max_box_bytes=1000) as (left, right):
            self.send_bytes(left, b"\0\1a\xff\xff" + bytes(500))
            await right.wait_closed()
            assert isinstance(right.end_reason, RemoteProtocolError)
            assert "1000 bytes" in right.end_reason.reason

    @either_end
    @behaviour
    async def test_an_end_inside_a_box_is_noticed(self, end: int) -> None:
        """An end that closes in the middle of a box leaves a RemoteProtocolError with the position."""
        async with self.pair(Desk(), Desk()) as ends:
            self.send_bytes(ends[end], b"\0\4_as")
            await ends[end].close()
            other = ends[1 - end]
            await other.wait_closed()
            assert isinstance(other.end_reason, RemoteProtocolError)
            assert other.end_reason.position == 5

    @behaviour
    async def test_other_connections_do_not_notice(self) -> None:
        """One connection's bad bytes leave the others alone, those to the same service included."""
        desk = Desk()
        async with self.pair(None, desk) as (good, _), self.pair(None, desk) as (bad, victim):
            call = asyncio.create_task(good.call(Wait(number=1)))
            await desk.started.get()
            self.send_bytes(bad, b"\xff\xff")
            await victim.wait_closed()
            desk.open_gates(1)
            assert await call == Total(total=1)
            assert await good.call(Sum(a=13, b=81)) == Total(total=94)
