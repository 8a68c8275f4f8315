"""One box that comes in pieces, read with every length checked; knows nothing of the boxes before and behind it."""

from __future__ import annotations

from typing import NoReturn

from ampkit.errors import RemoteProtocolError
from ampkit.wire.box import Box
from ampkit.wire.limits import MAX_KEY_LENGTH, Limits


class PartialBox:
    """The careful way to read a box: what it accepts is a box, and what it refuses is none.

    A fault shows as soon as its bytes are there, so it is the same fault however the stream was cut.
    """

    def __init__(self, position: int, limits: Limits, *, empty_boxes: bool) -> None:
        self.box: Box = {}
        self.is_complete = False
        self.wanted = 2
        """Unread bytes without which there is nothing new to say."""
        self.more = bytearray()
        """What came since `read` wanted more."""
        self.fault: str | None = None
        self.too_long_key: int | None = None
        """The length of the key that is the fault, if one is."""
        self.position = position
        """Where in the stream the box begins."""
        self._limits = limits
        self._empty_boxes = empty_boxes
        self._keys = 0  # that were read, repeated ones counted
        self._size = 0  # of what was read, in bytes

    def collect(self, unread: memoryview, data: bytes | bytearray | memoryview) -> bytes | None:
        """Return the unread bytes with `data` behind them, or None if that is not yet enough to read on."""
        if self.fault is not None:
            return None
        if len(unread) + len(self.more) + len(data) < self.wanted:
            self.more += data
            return None
        unread_now = b"".join((unread, self.more, data))
        self.more.clear()
        return unread_now

    def read(self, data: bytes, at: int) -> int:
        """Read the pairs that are whole in `data` from `at`; return the position behind them, or behind the box's end.

        Raises RemoteProtocolError, now and ever after, where this is no box.
        """
        if self.fault is not None:
            self._refuse(self.fault)
        while len(data) - at >= self.wanted:
            key_length = data[at] << 8 | data[at + 1]
            if not key_length:
                self._end_box()
                return at + 2
            self._check_key(key_length)
            value = end = at + 4 + key_length
            if len(data) >= value:
                end += data[value - 2] << 8 | data[value - 1]
            self._want(end - at)
            if len(data) >= end:
                self.box[data[at + 2 : value - 2]] = data[value:end]
                self._end_pair(end - at)
                at = end
        return at

    def end(self, unread: int) -> NoReturn:
        """Raise the RemoteProtocolError of a stream that ended `unread` bytes behind what was read."""
        if self.fault is not None:
            self._refuse(self.fault)
        inside = self._size + unread
        raise RemoteProtocolError(f"the stream ended {inside} bytes into a box", self.position + inside)

    def _check_key(self, length: int) -> None:
        if length > MAX_KEY_LENGTH:
            self.too_long_key = length
            self._refuse(f"a key of {length} bytes; AMP keys are 1 to {MAX_KEY_LENGTH}")
        if self._keys == self._limits.max_box_keys:
            self._refuse(f"a box of more than {self._keys} keys")

    def _want(self, pair: int) -> None:
        # Behind the pair at least the end of the box is still to come.
        if self._size + pair + 2 > self._limits.max_box_bytes:
            self._refuse(f"a box of more than {self._limits.max_box_bytes} bytes")
        self.wanted = pair

    def _end_pair(self, size: int) -> None:
        self._keys += 1
        self._size += size
        self.wanted = 2

    def _end_box(self) -> None:
        if not self.box and not self._empty_boxes:
            self._refuse("an empty box")
        self.is_complete = True

    def _refuse(self, reason: str) -> NoReturn:
        self.fault = reason
        raise RemoteProtocolError(reason, self.position + self._size)
