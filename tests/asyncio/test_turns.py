"""How much connections take at a time: a turn's worth, and less while several have more than that."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Final

import pytest

from ampkit import Command, Response, Service, connect, encode_box, serve
from ampkit.asyncio.portions import MOST_IN_TURN
from ampkit.asyncio.turns import Turns
from ampkit.speed import is_compiled

SIZES: Final = (
    {0: 64, 1: 64, 2: 32, 4: 16, 8: 8, 9: 8, 100: 8}
    if is_compiled
    else {0: 64, 1: 64, 2: 16, 4: 8, 8: 4, 16: 2, 17: 2, 100: 2}
)
"""Boxes that each takes in a turn, by how many have more than that."""


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
    sizes: dict[int, int] = {}
    for busy in range(101):
        sizes[busy] = turns.size
        turns.ended(busy, is_done=False)
    assert {busy: sizes[busy] for busy in SIZES} == SIZES
    for busy in range(101):
        turns.ended(busy, is_done=True)
    assert turns.size == MOST_IN_TURN == 64


@pytest.mark.parametrize("flooding", [1, 2, 4, 8])
async def test_an_innocent_call_waits_for_few_boxes_of_others(flooding: int) -> None:
    """However many flood, a call comes back within four turns of the loop, each of a bounded number of their boxes."""
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
    assert median(waited) == 4 * flooding * SIZES[flooding]
