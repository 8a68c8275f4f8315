"""Asks of the other end that wait for their turn, first come, first served; runs none of them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ampkit.core.events import AskReceived
from ampkit.policy.extensions import TIMEOUT
from ampkit.speed import fields
from ampkit.wire.box import END, encode_pairs
from ampkit.wire.codec import Decoder
from ampkit.wire.keys import COMMAND
from ampkit.wire.limits import Limits

_HEAD: Final = struct.Struct(">Iid")
"""The length of the pairs; of the tag, or -1 if there is none; the time."""
_UNUSED: Final = 65_536
"""Bytes that were taken before the rest is moved together."""
_MOST_CANCELLED: Final = 1_024

if TYPE_CHECKING:
    from ampkit.speed import Fields as LineFields
else:
    LineFields = fields("LineFields", "size")


@dataclass(slots=True)
class Waiting:
    """An ask whose turn it is."""

    event: AskReceived
    due: float | None
    """The loop's time at which its caller waits no more."""
    is_cancelled: bool


class Line(LineFields):
    """Holds asks as bytes: as boxes, those of short values would take ten times as much memory.

    What becoming bytes and boxes again costs is paid only where asks have to wait.
    """

    __slots__ = ("_at", "_cancelled", "_data", "_decoder")

    def __init__(self, limits: Limits) -> None:
        self.size = 0
        """Bytes that wait; 0 only if nothing does."""
        self._data = bytearray()
        self._at = 0
        self._decoder = Decoder(limits)
        self._cancelled: set[bytes] = set()

    def add(self, event: AskReceived, due: float | None) -> None:
        """Put an ask at the end; its box is no longer the caller's."""
        box = event.box
        box.pop(TIMEOUT, None)
        box[COMMAND] = event.command
        pairs = encode_pairs(box)
        tag = event.tag
        self._data += _HEAD.pack(len(pairs), -1 if tag is None else len(tag), math.inf if due is None else due)
        self._data += (tag or b"") + pairs + END
        self.size = len(self._data) - self._at

    def take(self) -> Waiting:
        """Return the first one, which is then no longer here. There must be one."""
        pairs_size, tag_size, due = _HEAD.unpack_from(self._data, self._at)
        tag_at = self._at + _HEAD.size
        pairs_at = tag_at + max(tag_size, 0)
        end = pairs_at + pairs_size + len(END)
        tag = None if tag_size < 0 else bytes(self._data[tag_at:pairs_at])
        self._decoder.feed(self._data[pairs_at:end])
        self._forget(end)
        box = self._decoder.next_box() or {}
        waiting = Waiting(
            AskReceived(tag, box.pop(COMMAND), box),
            due=None if due == math.inf else due,
            is_cancelled=tag in self._cancelled,
        )
        if not self.size:
            self._cancelled.clear()
        elif waiting.is_cancelled and tag is not None:
            self._cancelled.discard(tag)
        return waiting

    def cancel(self, tag: bytes) -> None:
        """Mark the ask with that tag, if it waits."""
        if self.size and len(self._cancelled) < _MOST_CANCELLED:
            self._cancelled.add(tag)

    def clear(self) -> None:
        """Forget all."""
        self._forget(len(self._data))
        self._cancelled.clear()

    def _forget(self, end: int) -> None:
        self._at = end
        self.size = len(self._data) - end
        if not self.size or end > _UNUSED:
            del self._data[:end]
            self._at = 0
