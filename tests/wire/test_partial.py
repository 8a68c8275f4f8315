"""The careful reading of one box, fed by hand: every length, every limit, every place where it can be cut."""

from __future__ import annotations

import pytest

from ampkit.errors import RemoteProtocolError
from ampkit.wire.limits import DEFAULT_LIMITS, Limits
from ampkit.wire.partial import PartialBox
from tests.wire.streams import SMALL

BOX = b"\0\1a\0\00213\0\2bc\0\0\0\0"


def partial(limits: Limits = DEFAULT_LIMITS, *, position: int = 0, empty_boxes: bool = False) -> PartialBox:
    """Begin a box."""
    return PartialBox(position, limits, empty_boxes=empty_boxes)


def refused(box: PartialBox, data: bytes) -> tuple[str, int | None]:
    """Read data that has to be refused, and return the reason and the position."""
    with pytest.raises(RemoteProtocolError) as caught:
        box.read(data, 0)
    return caught.value.reason, caught.value.position


def test_a_whole_box_is_read_at_once() -> None:
    """The position behind the box's end comes back, whatever stands there or before."""
    box = partial()
    assert box.read(b"before" + BOX + b"behind", 6) == 6 + len(BOX)
    assert box.is_complete
    assert box.box == {b"a": b"13", b"bc": b""}


@pytest.mark.parametrize("cut", range(len(BOX)))
def test_reading_stops_behind_the_last_whole_pair(cut: int) -> None:
    """What is unread is the start of a pair, and `wanted` is how much of it is needed to say more."""
    box = partial()
    at = box.read(BOX[:cut], 0)
    assert not box.is_complete
    assert at == (0 if cut < 7 else 7 if cut < 13 else 13)
    assert box.box == dict([(b"a", b"13"), (b"bc", b"")][: {0: 0, 7: 1, 13: 2}[at]])
    known = cut - at
    whole, key = (7, 5) if at == 0 else (6, 6)
    assert box.wanted == (2 if known < 2 or at == 13 else key if known < key else whole)


@pytest.mark.parametrize("cut", range(1, len(BOX)))
def test_reading_goes_on_where_it_stopped(cut: int) -> None:
    """In the data that follow, from where the first reading stopped."""
    box = partial()
    at = box.read(BOX[:cut], 0)
    assert box.read(BOX, at) == len(BOX)
    assert box.is_complete
    assert box.box == {b"a": b"13", b"bc": b""}


def test_a_repeated_key_has_its_last_value() -> None:
    """As every AMP peer has it."""
    box = partial()
    box.read(b"\0\1a\0\0011\0\1a\0\0012\0\0", 0)
    assert box.box == {b"a": b"2"}


def test_keys_have_up_to_255_bytes_and_values_up_to_65535() -> None:
    """Both length bytes count."""
    box = partial()
    box.read(b"\0\xff" + b"k" * 255 + b"\xff\xff" + bytes(65_535) + b"\0\0", 0)
    assert box.box == {b"k" * 255: bytes(65_535)}


@pytest.mark.parametrize("length", [256, 257, 65_535])
def test_a_longer_key_is_refused(length: int) -> None:
    """As soon as its length is there, at the place of its length."""
    box = partial(position=100)
    assert box.read(b"\0\1a\0\0" + length.to_bytes(2, "big")[:1], 0) == 5
    reason = f"a key of {length} bytes; AMP keys are 1 to 255"
    assert refused(box, length.to_bytes(2, "big")) == (reason, 105)
    assert box.too_long_key == length


def test_an_empty_box_is_refused() -> None:
    """At its place in the stream."""
    box = partial(position=100)
    assert refused(box, b"\0\0") == ("an empty box", 100)
    assert box.too_long_key is None


def test_an_empty_box_may_be_allowed() -> None:
    """Then it is a box without keys."""
    box = partial(empty_boxes=True)
    assert box.read(b"\0\0\0", 0) == 2
    assert box.is_complete
    assert box.box == {}


def test_the_number_of_keys_is_limited() -> None:
    """As many keys as the limit are a box; the length of one more is refused, also if the key is a repeated one."""
    pair = b"\0\1a\0\0"
    box = partial(SMALL)
    assert box.read(pair * 3 + b"\0\0", 0) == 17
    assert box.is_complete
    box = partial(SMALL, position=100)
    assert box.read(pair * 3 + b"\0", 0) == 15
    assert refused(box, b"\0\1") == ("a box of more than 3 keys", 115)


def test_the_size_of_a_box_is_limited() -> None:
    """Lengths, keys, values and the end of the box, all together."""
    limits = Limits(max_box_bytes=40)
    box = partial(limits)
    assert box.read(b"\0\1a\0\x21" + bytes(33) + b"\0\0", 0) == 40
    assert box.is_complete
    assert refused(partial(limits, position=9), b"\0\1a\0\x22") == ("a box of more than 40 bytes", 9)


def test_the_size_counts_all_pairs_of_the_box() -> None:
    """Also of repeated keys; the position is that of the pair that does not fit."""
    box = partial(Limits(max_box_bytes=40), position=100)
    pair = b"\0\1a\0\x05" + bytes(5)
    assert box.read(pair * 3, 0) == 30
    assert refused(box, b"\0\1a\0\4") == ("a box of more than 40 bytes", 130)


def test_a_key_without_room_for_a_value_is_refused() -> None:
    """A key's length says enough: an empty value and the end of the box would not fit behind it."""
    limits = Limits(max_box_bytes=40)
    assert partial(limits).read(b"\0\x22", 0) == 0
    assert refused(partial(limits), b"\0\x23") == ("a box of more than 40 bytes", 0)


def test_what_was_refused_is_refused_ever_after() -> None:
    """By reading on and by the end of the stream, with the same words; nothing more is collected."""
    box = partial(position=100)
    first = refused(box, b"\0\0")
    assert refused(box, BOX) == first
    assert box.collect(memoryview(b""), BOX) is None
    assert not box.more
    with pytest.raises(RemoteProtocolError) as caught:
        box.end(2)
    assert (caught.value.reason, caught.value.position) == first


def test_pieces_are_collected_until_they_are_enough() -> None:
    """Then they come back with what was unread before them."""
    box = partial()
    assert box.read(b"\0\1a\0\4", 0) == 0
    assert box.wanted == 9
    unread = memoryview(b"\0\1a\0\4")
    assert box.collect(unread, b"12") is None
    assert box.collect(unread, bytearray(b"3")) is None
    assert box.more == b"123"
    assert box.collect(unread, memoryview(b"4")) == b"\0\1a\0\0041234"
    assert not box.more
    assert box.collect(unread, b"12345") == b"\0\1a\0\00412345"


def test_the_end_of_the_stream_is_an_error_inside_a_box() -> None:
    """It says how far the box had come, read and unread bytes together, and where the stream ended."""
    box = partial(position=100)
    assert box.read(BOX[:10], 0) == 7
    with pytest.raises(RemoteProtocolError) as caught:
        box.end(3)
    assert caught.value.reason == "the stream ended 10 bytes into a box"
    assert caught.value.position == 110
