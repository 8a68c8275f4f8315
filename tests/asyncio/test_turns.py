"""How much connections take at a time: a turn's worth, and less while several have more than that."""

from __future__ import annotations

import asyncio

import pytest

from ampkit import Command, Response, Service, connect, encode_box, serve
from ampkit.asyncio.turns import MOST_IN_TURN, SHARED, Turns


class Count(Command[None]):
    """Be counted."""


class Counted(Response):
    """How many have been counted."""

    number: int


class HowMany(Command[Counted]):
    """Ask for the count."""


class Counter(Service):
    """Counts."""

    def __init__(self) -> None:
        self.number = 0

    @Count.responder
    def count(self, _: Count) -> None:
        """Count."""
        self.number += 1

    @HowMany.responder
    def how_many(self, _: HowMany) -> Counted:
        """Tell."""
        return Counted(number=self.number)


def test_one_has_a_whole_turn_and_several_share() -> None:
    """Whoever is alone, or the only one with more than a turn's worth, takes most; two share, and many have few."""
    turns = Turns()
    assert turns.size() == MOST_IN_TURN
    turns.ended("a", is_done=False)
    assert turns.size() == MOST_IN_TURN
    turns.ended("b", is_done=False)
    assert turns.size() == SHARED // 2
    for other in range(100):
        turns.ended(other, is_done=False)
    assert 2 <= turns.size() <= 8
    for each in ("a", "b", *range(100)):
        turns.ended(each, is_done=True)
    assert turns.size() == MOST_IN_TURN


@pytest.mark.parametrize("flooding", [1, 2, 4, 8])
async def test_an_innocent_call_waits_for_few_boxes_of_others(flooding: int) -> None:
    """However many flood, a call comes back within some turns of the loop, each of a bounded number of their boxes."""
    counter = Counter()
    flood = encode_box({b"_command": b"Count"}) * 20_000
    async with serve(counter, "tcp://127.0.0.1:0") as server, connect(server.addresses[0]) as innocent:
        host, port = server.addresses[0].removeprefix("tcp://").rsplit(":", 1)
        writers = [(await asyncio.open_connection(host, int(port)))[1] for _ in range(flooding)]
        for writer in writers:
            writer.write(flood)
        while counter.number < 1_000:  # noqa: ASYNC110 - nothing says that they have come
            await asyncio.sleep(0)
        waited: list[int] = []
        for _ in range(20):
            before = counter.number
            await innocent.call(HowMany())
            waited.append(counter.number - before)
        for writer in writers:
            writer.transport.abort()
    a_turn = MOST_IN_TURN if flooding == 1 else SHARED
    assert sorted(waited)[len(waited) // 2] <= 8 * a_turn
