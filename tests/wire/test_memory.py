"""What a hostile stream can make one decoder hold: 2 MB, whatever it sends and in whatever pieces."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import count, cycle, islice, repeat

import pytest

from ampkit.errors import RemoteProtocolError
from ampkit.wire.box import encode_pair
from ampkit.wire.codec import Decoder

MOST = 2_000_000
SENT = 4_000_000
READ = 65_536


def endless_keys() -> Iterator[bytes]:
    """New keys for ever, as short as there are many of them."""
    return (encode_pair(b"%x" % number, b"") for number in count())


def endless_box() -> Iterator[bytes]:
    """Values of full length for ever."""
    return (encode_pair(b"%x" % number, bytes(65_535)) for number in count())


def one_key() -> Iterator[bytes]:
    """The same key for ever."""
    return repeat(encode_pair(b"k", b""))


def large_keys() -> Iterator[bytes]:
    """Keys of full length, in boxes that are complete just below the limit of keys."""
    pairs = [encode_pair(b"%0255x" % number, b"v" * 700) for number in range(1024)]
    return cycle([*pairs, b"\0\0"])


def zeros() -> Iterator[bytes]:
    """No keys at all."""
    return repeat(bytes(1000))


def noise() -> Iterator[bytes]:
    """What other protocols send."""
    return repeat(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")


def cut(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Cut a stream of at most `SENT` bytes into pieces of `size` bytes."""
    held = bytearray()
    sent = 0
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
            sent += size
            if sent >= SENT:
                return


def peak(pieces: Iterable[bytes]) -> int:
    """Feed all pieces to a decoder, pulling boxes and dropping them; return the most memory that was held."""
    decoder = Decoder()
    tracemalloc.start()
    try:
        for piece in pieces:
            decoder.feed(piece)
            try:
                while decoder.next_box() is not None:
                    pass
            except RemoteProtocolError:
                continue  # a careless owner: it feeds on
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("stream", [endless_keys, endless_box, one_key, large_keys, zeros, noise])
def test_large_pieces_cost_little(stream: type[Iterator[bytes]]) -> None:
    """A stream that comes as fast as it can is held once, or not at all."""
    pieces = [*cut(stream(), READ)]
    assert peak(pieces) < MOST


@pytest.mark.parametrize("stream", [endless_keys, endless_box])
def test_tiny_pieces_cost_little(stream: type[Iterator[bytes]]) -> None:
    """Pieces of two bytes are put together, and leave no object each."""
    assert peak(islice(cut(stream(), 2), 30_000)) < MOST


def test_tiny_pieces_do_not_add_up_before_they_are_pulled() -> None:
    """An owner that does not pull holds the bytes and not much more."""
    decoder = Decoder()
    decoder.feed(b"\0\1k\xff\xff")
    assert decoder.next_box() is None
    pieces = [*islice(cut(endless_box(), 2), 30_000)]
    tracemalloc.start()
    try:
        for piece in pieces:
            decoder.feed(piece)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
