"""The contract's part on calls that are answered: values, order, and both directions."""
# ruff: noqa: S101 - tests assert

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from ampkit.errors import RemoteError
from ampkit.testing.contract.base import Contract, behaviour, either_end
from ampkit.testing.contract.commands import (
    Content,
    CountDown,
    Desk,
    Echo,
    Item,
    Note,
    Refuse,
    Reverse,
    SameValues,
    Shade,
    Sum,
    Total,
    Values,
    Wait,
)
from ampkit.wire.box import encode_box

EDGES = Values(
    integer=-(10**100),
    raw=bytes(range(256)),
    text="mañana \N{SNOWMAN} \0 \U0001f600",
    real=float("-inf"),
    truth=False,
    decimal=Decimal("-1.50E+1000"),
    moment=datetime(1, 12, 31, 23, 59, 59, 999_999, timezone(-timedelta(hours=11, minutes=59))),
    path=Path("/tmp/a b/ü"),  # noqa: S108 - nobody opens it
    shade=Shade.DARK,
    numbers=[0, -1, 2**64],
    table=[[], [""], ["a", "b"]],
    items=[Item(name="", amounts=[]), Item(name="two", amounts=[1, 2])],
    maybe=None,
)
PLAIN = Values(
    integer=0,
    raw=b"",
    text="",
    real=1e-300,
    truth=True,
    decimal=Decimal("0.00"),
    moment=datetime(2024, 2, 29, tzinfo=UTC),
    path=Path(),
    shade=Shade.LIGHT,
    numbers=[],
    table=[],
    items=[],
    maybe=0,
)


class Calling(Contract):
    """Calls and their answers."""

    @either_end
    @behaviour
    async def test_a_call_returns_the_response(self, end: int) -> None:
        """Either end calls the other and gets the typed response."""
        async with self.pair(Desk(), Desk()) as ends:
            assert await ends[end].call(Sum(a=13, b=81)) == Total(total=94)

    @pytest.mark.parametrize("values", [EDGES, PLAIN], ids=["edges", "plain"])
    @behaviour
    async def test_every_type_of_argument_crosses_both_ways(self, values: Values) -> None:
        """A value of each type arrives as it was, and comes back as it was; None as no key at all."""
        async with self.pair(None, Desk()) as (left, _):
            assert await left.call(Echo(**vars(values))) == SameValues(**vars(values))

    @pytest.mark.parametrize("size", [0, 1, 255, 256, 65_534, 65_535])
    @behaviour
    async def test_values_of_every_size_cross(self, size: int) -> None:
        """A value may have any size from empty to 65,535 bytes."""
        data = bytes(n % 251 for n in range(size))
        async with self.pair(None, Desk()) as (left, _):
            assert await left.call(Reverse(data=data)) == Content(data=data[::-1])

    @behaviour
    async def test_answers_come_in_any_order(self) -> None:
        """Each call gets its own answer, whichever responder ends first."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            calls = {number: asyncio.create_task(left.call(Wait(number=number))) for number in (1, 2, 3)}
            for number in (1, 2, 3):
                assert await desk.started.get() == number
            for number in (2, 3, 1):
                desk.open_gates(number)
                assert await calls.pop(number) == Total(total=number)
                assert not any(call.done() for call in calls.values())

    @either_end
    @behaviour
    async def test_a_responder_asks_back_before_it_answers(self, end: int) -> None:
        """A responder may call the end that asked it, any number deep, while its own answer is awaited."""
        async with self.pair(Desk(), Desk()) as ends:
            assert await ends[end].call(CountDown(start=20)) == Total(total=20)

    @behaviour
    async def test_both_ends_ask_at_once(self) -> None:
        """Asks of the two ends, crossing each other, are not taken for one another's answers."""
        async with self.pair(Desk(), Desk()) as (left, right):
            from_left = [left.call(Sum(a=number, b=1)) for number in range(100)]
            from_right = [right.call(Sum(a=number, b=1000)) for number in range(100)]
            answers = await asyncio.gather(*from_left, *from_right)
        assert [answer.total for answer in answers] == [*range(1, 101), *range(1000, 1100)]

    @behaviour
    async def test_a_command_may_want_no_answer(self) -> None:
        """What is told arrives in order, before what is asked later; nobody waits for it."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            await left.tell(Note(line="first"))
            await left.call(Note(line="second"))
            await left.call(Sum(a=1, b=2))
            assert desk.notes == ["first", "second"]

    @behaviour
    async def test_what_is_told_may_fail_unheard(self) -> None:
        """A told command that is answered or fails changes nothing for the calls behind it."""
        async with self.pair(None, Desk()) as (left, _):
            await left.tell(Refuse(how="declared"))
            await left.tell(Sum(a=1, b=2))
            assert await left.call(Sum(a=3, b=4)) == Total(total=7)

    @behaviour
    async def test_a_raw_call_takes_and_returns_bytes(self) -> None:
        """A command without a class is asked or told with a box, keys the other end does not know included."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            await left.tell_raw(b"Note", {b"line": b"raw"})
            box = {b"a": b"13", b"b": b"81", b"_meta.unknown": b"x", b"other": b""}
            assert await left.call_raw(b"Sum", box) == {b"total": b"94"}
            assert desk.notes == ["raw"]

    @behaviour
    async def test_many_calls_are_one_await(self) -> None:
        """`call_many` returns the responses in the order of asking, errors in their places if wanted."""
        async with self.pair(None, Desk()) as (left, _):
            totals = await left.call_many([Sum(a=number, b=0) for number in range(100)])
            assert totals == [Total(total=number) for number in range(100)]
            mixed = await left.call_many([Refuse(how="own code"), Refuse(how="undeclared")], return_exceptions=True)
            assert [error.code for error in mixed if isinstance(error, RemoteError)] == ["TEAPOT", "UNKNOWN"]
            with pytest.raises(RemoteError, match="TEAPOT"):
                await left.call_many([Refuse(how="own code"), Refuse(how="undeclared")])

    @behaviour
    async def test_a_box_may_come_byte_by_byte(self) -> None:
        """How the bytes of a box are split between writes makes no difference."""
        desk = Desk()
        async with self.pair(None, desk) as (left, _):
            for byte in encode_box({b"_command": b"Note", b"line": b"slowly"}):
                self.send_bytes(left, bytes([byte]))
                await asyncio.sleep(0)
            await left.call(Sum(a=1, b=2))
            assert desk.notes == ["slowly"]
