"""The decoder: the same boxes and the same faults however a stream is cut, and the bytes behind a box untouched."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.testing.strategies import boxes, chunks
from ampkit.wire.box import Box, encode_box, encode_pair
from ampkit.wire.codec import Decoder, parse, parse_string
from ampkit.wire.limits import DEFAULT_LIMITS, Limits
from tests.wire import reference
from tests.wire.streams import SMALL, nearly_amp

A, B, C = {b"a": b"13", b"bc": b""}, {b"b": bytes(300)}, {b"c": b"x" * 255, b"\xff" * 255: bytes(65_535)}
STREAM = encode_box(A) + encode_box(B)


def pull(decoder: Decoder) -> list[Box]:
    """Pull all boxes there are."""
    return list(iter(decoder.next_box, None))


def feed(decoder: Decoder, pieces: list[bytes]) -> tuple[list[Box], tuple[str, int | None] | None]:
    """Feed all pieces, and pull behind each; return the boxes, and the fault if there was one."""
    found: list[Box] = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            while (box := decoder.next_box()) is not None:
                found.append(box)
        except RemoteProtocolError as error:
            return found, (error.reason, error.position)
    return found, None


def test_boxes_come_one_at_a_time() -> None:
    """In the order of the stream; None means that there is none before more bytes come."""
    decoder = Decoder()
    assert decoder.next_box() is None
    decoder.feed(STREAM)
    assert decoder.next_box() == A
    assert decoder.next_box() == B
    assert decoder.next_box() is None
    decoder.feed(STREAM)
    assert pull(decoder) == [A, B]


@pytest.mark.parametrize("size", [*range(1, 20), 255, 256, 257, 65_535])
def test_boxes_may_come_in_pieces_of_any_size(size: int) -> None:
    """One byte at a time included."""
    stream = encode_box(C) + STREAM * 3
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    decoder = Decoder()
    assert feed(decoder, pieces) == ([C, A, B, A, B, A, B], None)
    decoder.end()


def test_pieces_may_come_before_boxes_are_pulled() -> None:
    """Nothing is lost, between boxes and inside them, whatever was pulled before."""
    decoder = Decoder()
    for byte in STREAM:
        decoder.feed(bytes([byte]))
    assert decoder.next_box() == A
    for byte in STREAM[:-1]:
        decoder.feed(bytes([byte]))
    assert pull(decoder) == [B, A]
    decoder.feed(b"")
    assert decoder.next_box() is None
    decoder.feed(STREAM[-1:])
    decoder.feed(STREAM)
    assert pull(decoder) == [B, A, B]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_reused_buffer_may_be_fed(kind: type[bytearray | memoryview]) -> None:
    """The decoder keeps no reference to a buffer that its owner fills anew, nor to a slice of it."""
    buffer = bytearray(STREAM)
    decoder = Decoder()
    for at in range(0, len(buffer), 5):
        piece = kind(buffer[at : at + 5])
        decoder.feed(piece)
        piece[0] ^= 255
    boxes = pull(decoder)
    assert boxes == [A, B]
    assert {type(part) for box in boxes for pair in box.items() for part in pair} == {bytes}


@given(st.lists(boxes(), max_size=4), st.data())
def test_any_chunking_gives_the_same_boxes(sent: list[Box], data: st.DataObject) -> None:
    """The keys too are in the same order."""
    stream = b"".join(map(encode_box, sent))
    decoder = Decoder()
    found, fault = feed(decoder, data.draw(chunks(stream)))
    assert fault is None
    assert [list(box.items()) for box in found] == [sorted(box.items()) for box in sent]
    decoder.end()


@pytest.mark.parametrize("empty_boxes", [False, True])
@pytest.mark.parametrize("limits", [SMALL, DEFAULT_LIMITS], ids=["small", "default"])
@given(stream=nearly_amp(), data=st.data())
def test_any_bytes_give_the_same_boxes_and_fault(
    stream: bytes, data: st.DataObject, limits: Limits, empty_boxes: bool
) -> None:
    """However they are cut: those of the plain reference, with the same reason at the same position."""
    expected = reference.read(stream, limits, empty_boxes=empty_boxes)
    for pieces in [stream], data.draw(chunks(stream)), [bytes([byte]) for byte in stream]:
        decoder = Decoder(limits, empty_boxes=empty_boxes)
        assert feed(decoder, pieces) == (expected.boxes, expected.fault)
        if expected.inside:
            reason, position = expected.fault or (f"the stream ended {expected.inside} bytes into a box", len(stream))
            with pytest.raises(RemoteProtocolError) as caught:
                decoder.end()
            assert (caught.value.reason, caught.value.position) == (reason, position)
        else:
            decoder.end()


@given(st.binary(max_size=300) | nearly_amp())
def test_any_bytes_give_boxes_or_a_remote_protocol_error(stream: bytes) -> None:
    """And nothing else, with the limits that everybody has."""
    expected = reference.read(stream, DEFAULT_LIMITS)
    try:
        found = parse_string(stream)
    except RemoteProtocolError:
        assert expected.fault is not None or expected.inside
    else:
        assert expected == reference.Reading(found, expected.ends)


def test_what_was_refused_is_refused_ever_after() -> None:
    """Later calls raise the same again, more bytes change nothing, and boxes before the fault were given out."""
    decoder = Decoder()
    decoder.feed(STREAM + b"\0\0" + STREAM)
    assert [decoder.next_box(), decoder.next_box()] == [A, B]
    for _ in range(3):
        with pytest.raises(RemoteProtocolError) as caught:
            decoder.next_box()
        assert (caught.value.reason, caught.value.position) == ("an empty box", len(STREAM))
        decoder.feed(STREAM)
    with pytest.raises(RemoteProtocolError, match=r"^an empty box \(at byte 322 of the stream\)$"):
        decoder.end()


def test_positions_count_the_whole_stream() -> None:
    """Over all pieces, those that ended inside a box included."""
    decoder = Decoder()
    pieces = [STREAM[:3], STREAM[3:50], STREAM[50:] + STREAM[:1], STREAM[1:], STREAM, b"\1", b"\1"]
    assert feed(decoder, pieces) == ([A, B] * 3, ("a key of 257 bytes; AMP keys are 1 to 255", 3 * len(STREAM)))


@pytest.mark.parametrize("limits", [Limits(max_box_keys=4), Limits(max_box_bytes=4 * 6 + 2)])
@pytest.mark.parametrize("size", [1, 6, 7, 1000])
def test_a_box_may_reach_its_limits(limits: Limits, size: int) -> None:
    """As many keys or bytes as the limit are a box, with one key more it is none, in one piece and in many."""
    pairs = [encode_pair(b"%d" % number, b"v") for number in range(5)]
    good, bad = b"".join(pairs[:4]) + b"\0\0", b"".join(pairs) + b"\0\0"
    stream = good * 2 + bad
    decoder = Decoder(limits)
    found, fault = feed(decoder, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert found == [{b"%d" % number: b"v" for number in range(4)}] * 2
    assert fault is not None
    assert fault[0].startswith("a box of more than ")
    assert fault[1] == 2 * len(good) + 4 * 6


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 65_535])
@pytest.mark.parametrize("length", [b"\1\0", b"\1\1", b"\xff\xff"])
def test_both_length_bytes_of_a_key_count(size: int, length: bytes) -> None:
    """Behind a value of any size, and at the beginning of a box."""
    pair = encode_pair(b"k", bytes(size))
    for before in b"", pair, pair + b"\0\0":
        decoder = Decoder()
        decoder.feed(before + length + b"k\0\0\0\0" * 100)
        with pytest.raises(RemoteProtocolError) as caught:
            pull(decoder)
        assert caught.value.reason == f"a key of {int.from_bytes(length, 'big')} bytes; AMP keys are 1 to 255"
        assert caught.value.position == len(before)


WHOLE: dict[str, Box] = {
    **{f"value of {size}": {b"k": bytes(size)} for size in (0, 1, 254, 255, 256, 257, 65_535)},
    "longest key": {b"k" * 255: b"", b"v": bytes(255)},
    "many keys": {b"%d" % number: b"" for number in range(1024)},
    "empty": {},
}


@pytest.mark.parametrize("box", WHOLE.values(), ids=WHOLE)
def test_a_whole_box_is_read_the_quick_way(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The careful way costs several times as much; no box that lies whole in one piece needs it, up to the limits."""
    stream = b"".join(encode_pair(key, value) for key, value in box.items()) + b"\0\0"
    limits = Limits(max_box_keys=max(1, len(box)), max_box_bytes=len(stream))
    monkeypatch.delattr("ampkit.wire.codec.PartialBox")
    assert parse_string(stream * 3, limits, empty_boxes=True) == [box] * 3


# The bytes behind a box


@given(st.lists(boxes(), min_size=1, max_size=3), st.binary(max_size=40), st.data())
def test_what_stands_behind_a_box_can_be_taken(sent: list[Box], rest: bytes, data: st.DataObject) -> None:
    """All of it and nothing else, however the stream was cut, pulled or fed, whatever it looks like."""
    stream = b"".join(map(encode_box, sent))
    decoder = Decoder()
    pieces = iter(data.draw(chunks(stream + rest)))
    fed = 0
    for _ in sent:
        while decoder.next_box() is None:
            piece = next(pieces)
            fed += len(piece)
            decoder.feed(piece)
    for piece in itertools.islice(pieces, data.draw(st.integers(0, 3))):
        fed += len(piece)
        decoder.feed(piece)
    assert decoder.unread == (stream + rest)[len(stream) : fed]
    assert decoder.take_rest() == (stream + rest)[len(stream) : fed]
    assert decoder.take_rest() == b""
    assert decoder.next_box() is None
    decoder.end()


@pytest.mark.parametrize("cut", range(5))
def test_the_start_of_something_is_given_back(cut: int) -> None:
    """Also if it was looked at, as long as no pair of it was read."""
    decoder = Decoder()
    decoder.feed(STREAM + b"\0\1k\0\7"[:cut])
    assert pull(decoder) == [A, B]
    decoder.feed(b"value")
    assert decoder.take_rest() == b"\0\1k\0\7"[:cut] + b"value"
    decoder.end()


@pytest.mark.parametrize("step", [1, 2, 1000])
def test_what_is_unread_can_be_looked_at(step: int) -> None:
    """It is what stands behind the last pair that was read, and looking changes nothing."""
    stream = encode_box(A) + b"\0\1k\0\1v" + b"\0\1k\0\7wo"
    decoder = Decoder()
    for at in range(0, len(stream), step):
        decoder.feed(stream[at : at + step])
        while decoder.next_box() is not None:
            pass
    assert decoder.unread == decoder.unread == b"\0\1k\0\7wo"
    decoder.feed(b"rld!!\0\0\0")
    assert pull(decoder) == [{b"k": b"world!!"}]
    assert decoder.unread == b"\0"


def test_a_box_that_is_not_complete_can_be_looked_at() -> None:
    """With the pairs that were read of it; between boxes there is none."""
    decoder = Decoder()
    decoder.feed(STREAM)
    assert pull(decoder) == [A, B]
    between = decoder.partial
    decoder.feed(encode_box(A)[:9])
    assert pull(decoder) == []
    partial = decoder.partial
    assert between is None
    assert partial is not None
    assert (partial.box, decoder.unread) == ({b"a": b"13"}, encode_box(A)[7:9])
    decoder.feed(encode_box(A)[9:])
    assert decoder.next_box() == A
    assert decoder.next_box() is None


def test_positions_go_on_behind_what_was_taken() -> None:
    """The bytes that were taken are still bytes of the stream."""
    for collected in (b"", b"y"):
        decoder = Decoder()
        decoder.feed(encode_box(A) + b"\0\1k\0\7xx")
        assert decoder.next_box() == A
        assert decoder.next_box() is None
        decoder.feed(collected)
        assert decoder.take_rest() == b"\0\1k\0\7xx" + collected
        decoder.feed(b"\0\0")
        with pytest.raises(RemoteProtocolError) as caught:
            decoder.next_box()
        assert caught.value.position == len(encode_box(A)) + 7 + len(collected)


@pytest.mark.parametrize("size", [1, 5_000])
def test_whether_there_may_be_a_further_box(size: int) -> None:
    """As long as anything stands behind the last one, whole or not."""
    decoder = Decoder()
    stream = encode_box({b"a": bytes(size)})
    decoder.feed(stream[: size // 2 + 1])
    assert decoder.next_box() is None
    decoder.feed(stream[size // 2 + 1 :] + stream * 2 + b"\0")
    seen: list[bool] = []
    for _ in range(3):
        assert decoder.next_box() == {b"a": bytes(size)}
        seen.append(decoder.may_have_box)
    assert decoder.next_box() is None
    decoder.feed(stream[1:])
    assert decoder.next_box() == {b"a": bytes(size)}
    assert [*seen, decoder.may_have_box] == [True, True, True, False]


def test_what_was_read_as_amp_cannot_be_taken() -> None:
    """Whoever switches protocols too late is told, and gets no stream with a hole."""
    decoder = Decoder()
    decoder.feed(STREAM + b"\0\1k\0\1v")
    assert pull(decoder) == [A, B]
    with pytest.raises(LocalProtocolError, match="were read as AMP already"):
        decoder.take_rest()


def test_what_was_refused_as_amp_cannot_be_taken() -> None:
    """The decoder has forgotten it."""
    decoder = Decoder()
    decoder.feed(b"GET / HTTP/1.1")
    with pytest.raises(RemoteProtocolError):
        decoder.next_box()
    with pytest.raises(LocalProtocolError, match="were read as AMP already"):
        decoder.take_rest()


# The end


def test_a_stream_may_end_between_boxes() -> None:
    """Before the first, behind the last, and behind what was not pulled, which nobody has looked at."""
    decoder = Decoder()
    decoder.end()
    decoder.feed(STREAM)
    decoder.end()
    assert pull(decoder) == [A, B]
    decoder.end()


@pytest.mark.parametrize("size", range(1, len(encode_box(A))))
@pytest.mark.parametrize("step", [1, 1000])
def test_a_stream_may_not_end_inside_a_box(size: int, step: int) -> None:
    """The error says how far the box had come and where the stream ended."""
    stream = STREAM + encode_box(A)[:size]
    decoder = Decoder()
    assert feed(decoder, [stream[at : at + step] for at in range(0, len(stream), step)]) == ([A, B], None)
    with pytest.raises(RemoteProtocolError) as caught:
        decoder.end()
    assert caught.value.reason == f"the stream ended {size} bytes into a box"
    assert caught.value.position == len(stream)


# Captured streams


@pytest.mark.parametrize("stream", [b"", STREAM, STREAM * 1000], ids=len)
def test_captured_streams_are_read_to_their_end(stream: bytes) -> None:
    """From bytes and from a file, also one that is larger than one read."""
    expected = [A, B] * (len(stream) // len(STREAM))
    assert parse_string(stream) == expected
    assert parse(io.BytesIO(stream)) == expected


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (STREAM * 1000 + b"\0", "the stream ended 1 bytes into a box"),
        (STREAM * 1000 + b"\0\0", "an empty box"),
        (STREAM * 1000 + b"\1\0", "a key of 256 bytes; AMP keys are 1 to 255"),
    ],
)
def test_captured_streams_that_are_not_amp_are_refused(stream: bytes, reason: str) -> None:
    """With the reason and the position, from bytes and from a file."""
    for read in (parse_string, lambda stream: parse(io.BytesIO(stream))):
        with pytest.raises(RemoteProtocolError) as caught:
            read(stream)
        assert caught.value.reason == reason
        assert caught.value.position in {1000 * len(STREAM), len(stream)}


def test_limits_apply_to_captured_streams() -> None:
    """Where boxes are larger on purpose, larger limits read them."""
    stream = encode_box({b"%d" % number: b"" for number in range(2000)})
    for read in (parse_string, lambda stream, *limits: parse(io.BytesIO(stream), *limits)):
        with pytest.raises(RemoteProtocolError, match=r"^a box of more than 1024 keys"):
            read(stream)
        assert len(read(stream, Limits(max_box_keys=2000))[0]) == 2000


def test_empty_boxes_may_be_allowed() -> None:
    """They stand in an AmpList, and are no error there."""
    stream = b"\0\0" + encode_box(A) + b"\0\0\0\0"
    assert parse_string(stream, empty_boxes=True) == [{}, A, {}, {}]
    decoder = Decoder(DEFAULT_LIMITS, empty_boxes=True)
    assert feed(decoder, [bytes([byte]) for byte in stream]) == ([{}, A, {}, {}], None)
    with pytest.raises(RemoteProtocolError, match=r"^an empty box"):
        parse_string(stream)
