"""Which member of a pool is asked, and which is left out: loads, chances, failures in a row and rests."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from ampkit.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    NotSent,
    RemoteError,
    RemoteProtocolError,
    UnknownRemoteError,
)
from ampkit.policy.backoff import Backoff
from ampkit.policy.balance import DEFAULT_BALANCE, Balance, Health, choose, is_failure, least_loaded

LOST = ConnectionLost("x")
BALANCE = Balance(failures=3, rest=Backoff(first=1, factor=2, longest=60, steady=100))


def healths(*loads: int, ejected: tuple[int, ...] = ()) -> list[Health]:
    """Return members with these loads, some of them ejected."""
    members = [Health() for _ in loads]
    for index, load in enumerate(loads):
        members[index].load = load
        members[index].ejected = index in ejected
    return members


# Choosing


@pytest.mark.parametrize(("first", "second", "chosen"), [(0.0, 0.0, 0), (0.0, 0.99, 0), (0.5, 0.0, 0), (0.99, 0.99, 1)])
def test_the_less_loaded_of_two_is_asked(first: float, second: float, chosen: int) -> None:
    """Whichever of them was picked first; the third may have still less to do."""
    assert choose(healths(1, 2, 3), first, second) == chosen


def test_two_different_ones_are_compared() -> None:
    """So the most loaded one is never asked, whatever chance says."""
    members = healths(5, 9, 5, 5)
    chances = [i / 50 for i in range(50)]
    assert {choose(members, first, second) for first in chances for second in chances} == {0, 2, 3}


def test_all_members_are_asked_alike() -> None:
    """Each as often as another if their loads are the same."""
    dice = random.Random(1)
    counts = [0] * 5
    for _ in range(10_000):
        counts[choose(healths(0, 0, 0, 0, 0), dice.random(), dice.random())] += 1
    assert all(1800 < count < 2200 for count in counts)


def test_the_ejected_are_left_out_while_there_are_others() -> None:
    """Even if they have nothing to do."""
    members = healths(0, 7, 8, ejected=(0,))
    assert {choose(members, first, second) for first in (0, 0.5, 0.99) for second in (0, 0.99)} == {1}
    assert choose(healths(0, 7, ejected=(0,)), 0.99, 0.99) == 1


def test_if_all_are_ejected_each_is_as_good_as_another() -> None:
    """Rather than that nobody is asked."""
    assert choose(healths(3, 2, ejected=(0, 1)), 0.0, 0.0) == 1


def test_one_member_is_always_the_one() -> None:
    """And of none there is no choice."""
    assert choose(healths(100), 0.99, 0.99) == 0
    with pytest.raises(ValueError, match="no member"):
        choose([], 0.5, 0.5)


def test_a_share_of_much_goes_to_the_least_loaded() -> None:
    """Of all of them; the ejected only if there are no others."""
    assert least_loaded(healths(3, 1, 2)) == 1
    assert least_loaded(healths(3, 1, 2, ejected=(1,))) == 2
    assert least_loaded(healths(3, 1, ejected=(0, 1))) == 1
    with pytest.raises(ValueError, match="no member"):
        least_loaded([])


# Health


def test_what_speaks_against_a_member() -> None:
    """That it does not answer, or begins nothing; an error is an answer, and what never reached it proves nothing."""
    assert [is_failure(x) for x in (LOST, DeadlineExceeded("x"), RemoteError("BUSY"))] == [True] * 3
    proofs = (None, 94, RemoteError("OTHER"), UnknownRemoteError(), RemoteProtocolError("x"), KeyError("x"))
    assert [is_failure(x) for x in (*proofs, NotSent("x"), ConnectionFailed("x"))] == [False] * 8


def test_failures_in_a_row_eject() -> None:
    """An answer between them begins a new row; a cancelled call is neither."""
    health = Health()
    outcomes: list[object] = [LOST, LOST, "an answer", LOST, LOST, asyncio.CancelledError(), LOST, LOST]
    assert [health.heard(BALANCE, outcome, now=0) for outcome in outcomes] == [False] * 6 + [True, False]
    assert health.ejected


def test_a_rest_is_longer_each_time() -> None:
    """As long as checks fail, or the member was not well for long in between."""
    health = Health()
    now = 1000.0

    def eject() -> None:
        for _ in range(3):
            health.heard(BALANCE, LOST, now)

    eject()
    assert health.rest(BALANCE, 1.0) == 1
    assert health.rest(BALANCE, 0.5) == 0.5
    health.checked(LOST, now)
    assert (health.ejected, health.rest(BALANCE, 1.0)) == (True, 2)
    health.checked(RemoteError("UNHANDLED"), now)
    assert not health.ejected

    now += 99
    eject()
    assert (health.ejected, health.rest(BALANCE, 1.0)) == (True, 4)
    health.checked(None, now)
    now += 100
    eject()
    assert (health.ejected, health.rest(BALANCE, 1.0)) == (True, 1)


def test_a_returned_member_begins_a_new_row() -> None:
    """One more failure does not eject it again."""
    health = Health()
    for _ in range(3):
        health.heard(BALANCE, LOST, now=0)
    health.checked(None, now=0)
    assert [health.heard(BALANCE, LOST, now=0) for _ in range(3)] == [False, False, True]


def test_a_member_may_be_left_out_for_good() -> None:
    """If its backoff has an end."""
    balance = Balance(failures=1, rest=Backoff(attempts=1))
    health = Health()
    health.heard(balance, LOST, now=0)
    assert health.rest(balance, 0.5) is not None
    health.checked(LOST, now=0)
    assert health.rest(balance, 0.5) is None


def test_an_answer_breaks_the_silence() -> None:
    """A failure does not."""
    health = Health()
    health.quiet = True
    health.heard(BALANCE, LOST, now=0)
    assert health.quiet
    health.heard(BALANCE, "an answer", now=0)
    assert not health.quiet


# Numbers


def test_the_defaults() -> None:
    """Five failures, a second of rest at first, a check every ten seconds."""
    rest = Backoff(first=1.0, longest=60.0, steady=60.0)
    assert Balance(failures=5, rest=rest, check_every=10.0, check_timeout=5.0) == DEFAULT_BALANCE


@pytest.mark.parametrize("numbers", [{"failures": 0}, {"check_every": 0}, {"check_timeout": -1}])
def test_numbers_without_sense_are_refused(numbers: dict[str, Any]) -> None:
    """When it is made."""
    with pytest.raises(ValueError, match=r"^a balance"):
        Balance(**numbers)
