"""A stream of bytes, pulled as one box at a time; knows no command, no tag, and does no I/O but `parse`'s reads."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from ampkit.errors import LocalProtocolError
from ampkit.speed import twin
from ampkit.wire.box import Box
from ampkit.wire.limits import DEFAULT_LIMITS, MAX_KEY_LENGTH, Limits
from ampkit.wire.partial import PartialBox

_READ_SIZE: Final = 65_536

_READERS: Final[tuple[Callable[[bytes, int], tuple[bytes, int]], ...]] = tuple(
    cast(Any, struct.Struct(f">{length}sH").unpack_from) for length in range(MAX_KEY_LENGTH + 1)
)
"""By the length of a key or a short value: what reads it, and the length of what stands behind it, in one step."""

_TURNS: Final = range(DEFAULT_LIMITS.max_box_keys + 1)
"""One for each key, and one for the end of the box; most decoders have the same."""


class PythonDecoder:
    """Feed it bytes in pieces of any size; pull boxes until it returns None.

    It stops after each box, so that whoever pulls can decide that the bytes behind that box are not AMP: a
    connection may have turned into another protocol there. It holds at most one box (`limits`) and the last
    piece it was fed. `empty_boxes=True` accepts a box without keys, which is no message but may stand in an AmpList.
    """

    # Most boxes lie whole in one piece, and one walk over it reads them: length, token, length, token. It checks no
    # bounds; an exception says that this is no whole box. Then a `PartialBox` reads it again, from this piece and those
    # that follow, and says what is wrong if anything is.

    __slots__ = ("_at", "_base", "_data", "_empty_boxes", "_limits", "_max_bytes", "_partial", "_turns")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, empty_boxes: bool = False) -> None:
        self._limits = limits
        self._empty_boxes = empty_boxes
        self._turns = _TURNS if limits is DEFAULT_LIMITS else range(limits.max_box_keys + 1)
        self._max_bytes = limits.max_box_bytes
        self._data = b""  # the last piece, with what was unread before it
        self._at = 0  # where in _data the unread begins
        self._base = 0  # where in the stream _data begins
        self._partial: PartialBox | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the stream."""
        at = self._at
        if at == len(self._data):
            self._data = bytes(data)
        elif self._partial is None:
            self._data = self._data[at:] + data
        else:
            unread = self._partial.collect(memoryview(self._data)[at:], data)
            if unread is None:
                return
            self._data = unread
        self._base += at
        self._at = 0

    def next_box(self) -> Box | None:
        """Return the next complete box, or None until more bytes are fed.

        Raises RemoteProtocolError where the stream is not AMP, and again on every later call.
        """
        data = self._data
        begin = at = self._at
        if at == len(data):
            return None
        if self._partial is not None:
            return self._read_on(self._partial)
        box: Box = {}
        readers = _READERS
        try:
            key_length = data[at] << 8 | data[at + 1]
            at += 2
            for _ in self._turns:
                if not key_length:
                    if at - begin > self._max_bytes or not (box or self._empty_boxes):
                        break
                    self._at = at
                    return box
                key, length = readers[key_length](data, at)
                at += key_length + 2
                if length < 256:
                    box[key], key_length = readers[length](data, at)
                else:
                    end = at + length
                    box[key] = data[at:end]
                    key_length = data[end] << 8 | data[end + 1]
                at += length + 2
        except (IndexError, struct.error):
            pass
        return self._read_on(PartialBox(self._base + begin, self._limits, empty_boxes=self._empty_boxes))

    @property
    def may_have_box(self) -> bool:
        """Whether bytes were fed behind the box that was pulled last; ask it directly behind that."""
        return self._at < len(self._data)

    @property
    def partial(self) -> PartialBox | None:
        """The box that is not complete, as far as it was read, or None; the unread bytes are behind it."""
        return self._partial

    @property
    def unread(self) -> bytes:
        """What was fed and is in no box or pair that was read yet."""
        rest = self._data[self._at :]
        return rest if self._partial is None else rest + self._partial.more

    def take_rest(self) -> bytes:
        """Return the bytes behind the last box, which are then no longer the decoder's.

        Call it directly behind the box with which the connection turns into another protocol. Raises
        LocalProtocolError if bytes behind that box were read as AMP since.
        """
        partial = self._partial
        if partial is not None and (partial.box or partial.fault is not None):
            raise LocalProtocolError("the bytes behind the last box were read as AMP already")
        rest = self.unread
        self._partial = None
        self._base += self._at + len(rest)
        self._data = b""
        self._at = 0
        return rest

    def end(self) -> None:
        """Say that the stream has ended. Raises RemoteProtocolError if that was inside a box.

        What was not pulled is not looked at: pull until `next_box` returns None.
        """
        if self._partial is not None:
            self._partial.end(len(self.unread))

    def _read_on(self, partial: PartialBox) -> Box | None:
        self._partial = partial
        self._at = partial.read(self._data, self._at)
        if not partial.is_complete:
            return None
        self._partial = None
        return partial.box


if TYPE_CHECKING:
    Decoder = PythonDecoder
else:
    Decoder = twin("Decoder", PythonDecoder)


def parse_string(data: bytes, limits: Limits = DEFAULT_LIMITS, *, empty_boxes: bool = False) -> list[Box]:
    """Return all boxes of a captured stream.

    Raises RemoteProtocolError, with the position, where it is not AMP or ends inside a box.
    """
    decoder = Decoder(limits, empty_boxes=empty_boxes)
    decoder.feed(data)
    boxes = list(iter(decoder.next_box, None))
    decoder.end()
    return boxes


def parse(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> list[Box]:
    """Return all boxes of a captured stream, read from a binary file to its end.

    Raises RemoteProtocolError, with the position, where it is not AMP or ends inside a box. For streams that
    do not fit in memory, feed a `Decoder` yourself.
    """
    decoder = Decoder(limits)
    boxes: list[Box] = []
    while data := file.read(_READ_SIZE):
        decoder.feed(data)
        boxes += iter(decoder.next_box, None)
    decoder.end()
    return boxes
