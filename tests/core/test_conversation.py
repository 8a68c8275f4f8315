"""Conversations: which box is what, whose answer it is, and that no waiter is given back twice."""

from __future__ import annotations

import pytest

from ampkit.core.conversation import Conversation
from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived
from ampkit.wire.box import Box


def asked(*waiters: object) -> Conversation:
    """Make a conversation with asks whose tags are 1, 2, ..."""
    conversation = Conversation()
    for waiter in waiters:
        conversation.pending[conversation.next_tag()] = waiter
    return conversation


def test_tags_are_a_hexadecimal_counter() -> None:
    """From 1, in lower case, without leading zeros."""
    conversation = Conversation()
    tags = [conversation.next_tag() for _ in range(256)]
    assert tags[:17] == [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", *b"a b c d e f 10 11".split()]
    assert tags[-1] == b"100"
    assert len(set(tags)) == len(tags)


def test_a_tag_is_never_used_again() -> None:
    """Neither when its ask was answered nor when it was abandoned."""
    conversation = asked("one", "two")
    conversation.event({b"_answer": b"1"})
    conversation.abandon(b"2")
    assert conversation.pending == {}
    assert conversation.next_tag() == b"3"


@pytest.mark.parametrize(
    ("box", "event"),
    [
        ({b"_answer": b"1", b"total": b"94"}, AnswerReceived("one", {b"total": b"94"})),
        ({b"_answer": b"2"}, AnswerReceived("two", {})),
        ({b"_error": b"2", b"_error_code": b"X", b"_error_description": b"why"}, RefusalReceived("two", b"X", b"why")),
        ({b"_error": b"1", b"_error_code": b""}, RefusalReceived("one", b"", b"")),
        ({b"_error": b"1", b"_error_description": b"why"}, RefusalReceived("one", None, b"why")),
        ({b"_ask": b"1", b"_command": b"Sum", b"a": b"13"}, AskReceived(b"1", b"Sum", {b"a": b"13"})),
        ({b"_ask": b"", b"_command": b""}, AskReceived(b"", b"", {})),
        ({b"_ask": b""}, AskReceived(b"", b"", {})),
        ({b"_command": b"Sum", b"a": b"13"}, AskReceived(None, b"Sum", {b"a": b"13"})),
        ({b"_command": b""}, AskReceived(None, b"", {})),
        ({b"_ask": b"1", b"a": b"13"}, AskReceived(b"1", b"", {b"a": b"13"})),
        ({b"a": b"13"}, StrayReceived("a box that is neither ask nor answer nor refusal", late=False)),
        ({b"_error_code": b"X"}, StrayReceived("a box that is neither ask nor answer nor refusal", late=False)),
    ],
)
def test_each_box_is_one_event(box: Box, event: Event) -> None:
    """Asks, tells, answers, refusals and strays, with their keys, and with those missing that may be."""
    assert asked("one", "two").event(box) == event


@pytest.mark.parametrize("falsy", [None, 0, ""])
def test_any_object_may_wait(falsy: object) -> None:
    """Also one that is false."""
    assert asked(falsy).event({b"_answer": b"1"}) == AnswerReceived(falsy, {})
    assert asked(falsy).event({b"_error": b"1"}) == RefusalReceived(falsy, None, b"")


def test_an_answer_goes_before_a_refusal_goes_before_an_ask() -> None:
    """AMP: in this order, whatever else is in the box; the other keys stay in it."""
    everything = {b"_ask": b"9", b"_command": b"Sum", b"_error": b"2", b"_error_code": b"X", b"_answer": b"1"}
    conversation = asked("one", "two")
    answer = conversation.event(dict(everything))
    assert answer == AnswerReceived("one", {key: everything[key] for key in everything if key != b"_answer"})
    del everything[b"_answer"]
    assert conversation.event(everything) == RefusalReceived("two", b"X", b"")
    assert conversation.pending == {}


@pytest.mark.parametrize("key", [b"_answer", b"_error"])
def test_a_waiter_comes_back_once(key: bytes) -> None:
    """A second answer or refusal with the same tag is a stray one, and late."""
    conversation = asked("one")
    conversation.event({key: b"1"})
    for again, what in {b"_answer": "an answer", b"_error": "a refusal"}.items():
        assert conversation.event({again: b"1"}) == StrayReceived(f"{what} to the unknown tag 1", late=True)


@pytest.mark.parametrize(
    ("tag", "late"),
    [
        *[(tag, True) for tag in b"1 2 9 a f 10 11".split()],
        *[(tag, False) for tag in b"12 1a 20 100 0 01 A -1 +1 1_1 x".split()],
        *[(tag, False) for tag in (b"", b" 1", b"1" * 65_535)],
    ],
)
def test_late_is_what_answers_a_tag_that_was_used(tag: bytes, late: bool) -> None:
    """Seventeen asks had the tags 1 to 11; every other tag is the other end's invention."""
    conversation = asked(*range(17))
    conversation.end()
    stray = conversation.event({b"_answer": tag})
    assert isinstance(stray, StrayReceived)
    assert stray.late is late


def test_before_the_first_ask_nothing_is_late() -> None:
    """No tag was used yet."""
    conversation = Conversation()
    for tag in b"", b"0", b"1":
        event = conversation.event({b"_answer": tag})
        assert isinstance(event, StrayReceived)
        assert not event.late


def test_a_stray_tag_is_shown_safely() -> None:
    """Escaped and cut: the reason may be logged."""
    event = Conversation().event({b"_error": b"\x1b[31m" * 100})
    assert event == StrayReceived("a refusal to the unknown tag " + "\\x1b[31m" * 4 + "\\... (500 bytes)", late=False)


def test_an_abandoned_ask_gives_its_waiter_back() -> None:
    """Once; its answer is then a late stray one."""
    conversation = asked("one", "two")
    assert conversation.abandon(b"1") == "one"
    assert conversation.abandon(b"1") is None
    assert conversation.abandon(b"7") is None
    assert conversation.event({b"_answer": b"1"}) == StrayReceived("an answer to the unknown tag 1", late=True)
    assert conversation.pending == {b"2": "two"}


def test_the_end_gives_all_waiters_back() -> None:
    """In the order of asking, once."""
    conversation = asked("one", "two", "three")
    conversation.event({b"_answer": b"2"})
    assert conversation.end() == ["one", "three"]
    assert conversation.end() == []
    assert conversation.pending == {}
