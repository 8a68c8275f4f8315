"""How much may wait for answers: what was taken is given back once, whoever is cancelled when."""

from __future__ import annotations

import asyncio

import pytest

from ampkit.asyncio.credit import Credit
from ampkit.errors import NotSent
from tests.asyncio.turning import turns


async def waiting(credit: Credit, size: int) -> asyncio.Task[bool]:
    """Begin to take more than there is."""
    task = asyncio.create_task(credit.take(size, None))
    await turns(1)
    assert not task.done()
    return task


async def test_who_is_cancelled_has_taken_nothing() -> None:
    """Also when others give theirs back before it has noticed."""
    credit = Credit(asyncio.get_running_loop(), 100)
    assert await credit.take(90, None)
    task = await waiting(credit, 50)
    task.cancel()
    credit.give_back(90)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert credit.taken == 0
    assert credit.free_below == 100


async def test_who_is_cancelled_in_the_turn_of_its_credit_gives_it_back() -> None:
    """The next one gets it."""
    credit = Credit(asyncio.get_running_loop(), 100)
    assert await credit.take(90, None)
    first, second = await waiting(credit, 80), await waiting(credit, 70)
    credit.give_back(90)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second
    assert credit.taken == 70


async def test_first_come_first_served() -> None:
    """A small ask does not pass a large one that waits; one larger than all goes alone."""
    credit = Credit(asyncio.get_running_loop(), 100)
    assert await credit.take(60, None)
    large, small = await waiting(credit, 200), await waiting(credit, 10)
    credit.give_back(60)
    assert await large
    await turns()
    assert not small.done()
    credit.give_back(200)
    assert await small
    assert credit.taken == 10


async def test_a_withdrawn_credit() -> None:
    """Whoever waits or comes gets NotSent, and has taken nothing."""
    credit = Credit(asyncio.get_running_loop(), 100)
    assert await credit.take(90, None)
    task = await waiting(credit, 50)
    credit.withdraw()
    for taking in (task, credit.take(1, None)):
        with pytest.raises(NotSent):
            await taking
    credit.give_back(90)
    assert credit.taken == 0
