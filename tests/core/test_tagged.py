"""A tag stands before the pairs of its box as AMP has it."""

from __future__ import annotations

import pytest

from ampkit.core.tagged import answer_box, ask_box
from ampkit.wire.box import encode_box, encode_pairs
from ampkit.wire.codec import parse_string


@pytest.mark.parametrize("tag", [b"1", b"ff", b"x" * 255])
def test_an_ask_is_the_box_of_its_tag_and_pairs(tag: bytes) -> None:
    """The bytes are those of the whole box, encoded key by key."""
    pairs = {b"_command": b"Sum", b"a": b"13"}
    assert ask_box(tag, encode_pairs(pairs)) == encode_box({b"_ask": tag, **pairs})


@pytest.mark.parametrize("tag", [b"", b"1", b"x" * 256, b"x" * 65_535])
def test_an_answer_takes_any_tag_that_a_box_can_carry(tag: bytes) -> None:
    """The other end chooses the tag: every value is one."""
    assert parse_string(answer_box(tag, encode_pairs({b"total": b"94"}))) == [{b"_answer": tag, b"total": b"94"}]


class Late:
    """Pairs that are made when they are asked for."""

    def __init__(self, more: bytes = b"") -> None:
        self.more = more

    def __len__(self) -> int:
        return 6 + len(self.more)

    def __add__(self, more: bytes) -> Late:
        return Late(self.more + more)

    def __bytes__(self) -> bytes:
        return encode_pairs({b"a": b"1"}) + self.more


def test_pairs_may_come_late() -> None:
    """What has bytes stands in a box as bytes do."""
    late, pairs = Late() + b"", encode_pairs({b"a": b"1"})
    assert ask_box(b"7", late) == ask_box(b"7", pairs)
    assert answer_box(b"7", late) == answer_box(b"7", pairs)
