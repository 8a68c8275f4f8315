"""A connection that shows its boxes to a watcher; knows not what the watcher does with them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, TypeAlias

from ampkit.core.connection import Connection
from ampkit.core.events import Event
from ampkit.wire.box import Box
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits

Watcher: TypeAlias = Callable[[Box], None]

_ANY_SIZE: Final = Limits(max_box_keys=sys.maxsize - 1, max_box_bytes=sys.maxsize)
"""What this end sends was checked before it was queued."""


class WatchedConnection(Connection):
    """Calls `received` with each box that is pulled, and `sent` with each that is taken to be written."""

    __slots__ = ("_sent", "_show_received", "_show_sent")

    def __init__(self, limits: Limits, received: Watcher, sent: Watcher) -> None:
        super().__init__(limits)
        self._show_received = received
        self._show_sent = sent
        self._sent = Decoder(_ANY_SIZE)

    def next_event(self) -> Event | None:
        box = self.link.decoder.next_box()
        if box is None:
            return None
        self._show_received(box.copy())
        return self.conversation.event(box)

    def take_boxes(self) -> list[bytes]:
        boxes = super().take_boxes()
        for data in boxes:
            self._sent.feed(data)
            while (box := self._sent.next_box()) is not None:
                self._show_sent(box)
        return boxes
