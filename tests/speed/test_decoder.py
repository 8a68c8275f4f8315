"""The compiled decoder and the one in Python give the same boxes and the same errors, however a stream is cut."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.errors import RemoteProtocolError
from ampkit.speed import compiled
from ampkit.testing.strategies import chunks, keys
from ampkit.wire.box import encode_box
from ampkit.wire.codec import PythonDecoder
from ampkit.wire.limits import DEFAULT_LIMITS, Limits
from tests.speed.twins import needs_both, outcome
from tests.wire.streams import nearly_amp

pytestmark = needs_both

_limits = st.builds(Limits, max_box_keys=st.integers(1, 4), max_box_bytes=st.integers(1, 80)) | st.just(DEFAULT_LIMITS)
_questions = st.sampled_from(["unread", "partial", "take_rest", "end", "copy"])
_steps = st.lists(st.tuples(st.integers(0, 4), st.none() | _questions), min_size=1, max_size=4)


def _told(decoder: Any, question: str) -> Any:
    """Ask a decoder something besides its next box; behind a fault nobody wants to know what is unread."""
    if question in {"unread", "copy"} and decoder.partial is not None and decoder.partial.fault is not None:
        return None
    if question == "partial":
        partial = decoder.partial
        return partial and (partial.box, partial.position, partial.fault, partial.too_long_key)
    if question == "copy":
        return copy.copy(decoder).unread
    told = getattr(decoder, question)
    return told() if callable(told) else told


def _pulled(decoder: Any) -> Any:
    """Pull a box, and ask directly behind it whether anything stands there."""
    pulled = outcome(decoder.next_box)
    is_box = pulled[0] == "returned" and pulled[1][0] == "dict"
    return *pulled, is_box and decoder.may_have_box


def _story(decoder: Any, pieces: list[bytes], steps: list[tuple[int, str | None]]) -> list[Any]:
    """Feed pieces; behind each pull a few boxes, or all, and ask something."""
    told: list[Any] = []
    for index, piece in enumerate(pieces):
        pulls, question = steps[index % len(steps)]
        decoder.feed(piece)
        told += [_pulled(decoder) for _ in range(pulls)]
        if question is not None and pulls:  # of bytes that nobody has pulled yet the twins know different things
            told.append(outcome(_told, decoder, question))
    return told + [_pulled(decoder) for _ in range(3)] + [outcome(decoder.end), outcome(_told, decoder, "unread")]


def _check(data: st.DataObject, stream: bytes, limits: Limits, empty_boxes: bool) -> None:
    pieces, steps = data.draw(chunks(stream)), data.draw(_steps)
    python = _story(PythonDecoder(limits, empty_boxes=empty_boxes), pieces, steps)
    assert _story(compiled.Decoder(limits, empty_boxes=empty_boxes), pieces, steps) == python


@given(st.data(), nearly_amp(), _limits, st.booleans())
def test_streams_that_are_nearly_amp(data: st.DataObject, stream: bytes, limits: Limits, empty_boxes: bool) -> None:
    """With a look at the decoder's state between any two pieces."""
    _check(data, stream, limits, empty_boxes)


_boxes = st.dictionaries(
    keys(), st.binary(max_size=40) | st.sampled_from([bytes(255), bytes(256)]), min_size=1, max_size=8
)


@given(st.data(), st.lists(_boxes, min_size=1, max_size=4), _limits)
def test_streams_of_boxes(data: st.DataObject, sent: list[dict[bytes, bytes]], limits: Limits) -> None:
    """Of all keys, and of values whose lengths take one byte and two."""
    _check(data, b"".join(map(encode_box, sent)), limits, False)


@given(st.data(), st.integers(60_000, 65_535), st.integers(1, 4))
def test_boxes_around_the_size_that_is_waited_for(data: st.DataObject, size: int, count: int) -> None:
    """Up to 128 kB of a box lie where they are until its next pair is there; more is read on by the careful way."""
    stream = encode_box({bytes([65 + index]): bytes(size) for index in range(count)}) * 2
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    steps = data.draw(_steps)
    limits = Limits(max_box_bytes=data.draw(st.sampled_from([65_000, 131_072, 200_000, 1_048_576])))
    assert _story(compiled.Decoder(limits), pieces, steps) == _story(PythonDecoder(limits), pieces, steps)


@given(
    st.data(), st.lists(st.sampled_from([0, 9, 4_080, 4_096, 4_110, 9_000]), min_size=2, max_size=6), st.integers(1, 3)
)
def test_large_values_with_more_behind_them(data: st.DataObject, sizes: list[int], keys: int) -> None:
    """What comes in the same piece behind the end of a large value is not copied, and not lost."""
    pairs = [(bytes([65 + at % keys]), bytes(size)) for at, size in enumerate(sizes)]
    stream = b"".join(encode_box(dict(pairs[at : at + keys])) for at in range(0, len(pairs), keys))
    ends = [len(encode_box(dict(pairs[:at]))) for at in range(1, len(pairs))]
    near = st.builds(lambda end, step: min(len(stream), max(0, end + step)), st.sampled_from(ends), st.integers(-5, 5))
    cuts = sorted(data.draw(st.lists(near | st.integers(0, len(stream)), min_size=1, max_size=4)))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    steps = data.draw(_steps)
    limits = Limits(max_box_bytes=data.draw(st.sampled_from([4_100, 10_000, 1_048_576])))
    assert _story(compiled.Decoder(limits), pieces, steps) == _story(PythonDecoder(limits), pieces, steps)


@pytest.mark.parametrize("decoder", [PythonDecoder(), compiled and compiled.Decoder()])
def test_where_a_fault_is_that_came_behind_a_large_value(decoder: Any) -> None:
    """Positions count from the begin of the stream, wherever its bytes lie by now."""
    large, small = encode_box({b"a": bytes(9_000)}), encode_box({b"a": b"1"})
    stream = large + small * 2 + b"\1\1"
    decoder.feed(stream[:5_000])
    assert decoder.next_box() is None
    decoder.feed(stream[5_000:])
    assert [len(decoder.next_box()[b"a"]) for _ in range(3)] == [9_000, 1, 1]
    with pytest.raises(RemoteProtocolError, match=f"byte {len(large) + 2 * len(small)}"):
        decoder.next_box()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_all_kinds_of_bytes_can_be_fed(kind: type) -> None:
    """As whoever reads has them."""
    stream = encode_box({b"a": b"1"}) * 2
    pieces: list[Any] = [kind(stream[:3]), kind(stream[3:11]), kind(stream[11:])]
    told = _story(compiled.Decoder(), pieces, [(2, "unread")])
    assert told == _story(PythonDecoder(), pieces, [(2, "unread")])


def test_limits_may_be_any_integers() -> None:
    """Those beyond what a machine counts are none."""
    limits = Limits(max_box_keys=10**30, max_box_bytes=10**400)
    for twin in PythonDecoder, compiled.Decoder:
        decoder = twin(limits)
        decoder.feed(encode_box({b"a": b"1"}))
        assert decoder.next_box() == {b"a": b"1"}


def test_a_subclass_that_does_not_begin_is_told_so() -> None:
    """It is an AttributeError, as of any object that lacks what its `__init__` would have given it."""

    class Unbegun(compiled.Decoder):  # type: ignore[misc]
        def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall]
            pass

    decoder: Any = Unbegun()
    for use in lambda: decoder.feed(b"\0"), decoder.next_box:
        with pytest.raises(AttributeError, match="__init__"):
            use()


def test_keys_that_look_alike() -> None:
    """Keys are remembered by some of their bytes; of two that share these, each is itself."""
    alike = [b"a%cc%ce" % pair for pair in itertools.product(range(256), b"bd")] * 2
    for key in alike:
        for twin in PythonDecoder, compiled.Decoder:
            decoder = twin()
            decoder.feed(encode_box({key: b""}))
            assert decoder.next_box() == {key: b""}
