"""An ask that has to wait before it is sent: for credit, then for room; awaits nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ampkit.asyncio.channel import Channel
from ampkit.asyncio.credit import Credit
from ampkit.asyncio.outcome import unsent
from ampkit.errors import AmpError


class Unsent:
    """Sends an ask when its turn comes, without waking whoever waits for the answer in `future`."""

    __slots__ = ("_channel", "_credit", "_is_waiting", "_send", "_size", "future", "has_credit", "tag")

    def __init__(
        self, channel: Channel, credit: Credit, size: int, future: asyncio.Future[Any], send: Callable[[], bytes]
    ) -> None:
        self.future = future
        self.tag = b""
        """What `send` has returned; empty while it was not called."""
        self.has_credit = False
        """Whether the credit is to be given back in the end."""
        self._channel = channel
        self._credit = credit
        self._size = size
        self._send = send
        self._is_waiting = False

    def begin(self) -> None:
        """Wait; what it waits for may stand behind what is not being read. Raises NotSent if it would be for ever."""
        has_credit = self._credit.take_now(self._size)
        self._is_waiting = True
        self._channel.hindered += 1
        if not self._channel.is_reading:
            self._channel.pull_soon()
        if has_credit:
            self._find_room()
        else:
            self._credit.line_up(self, self._size)

    def leave(self) -> None:
        """Wait no more, if it does."""
        if self._is_waiting:
            self._go()
            self._channel.leave(self)
            self._credit.leave(self)

    # What those call whom it waits for

    def done(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.future.done()

    def set_result(self, outcome: bool | AmpError | None) -> None:
        """Take True for the credit and False for none; then None for room, or an error not to be sent."""
        if outcome is True:
            self._find_room()
        elif outcome is None:
            self._send_now()
        else:
            self.future.set_result(unsent(outcome or None))

    def _find_room(self) -> None:
        self.has_credit = True
        if self._channel.is_full:
            self._channel.line_up(self, self._size)
        else:
            self._send_now()

    def _send_now(self) -> None:
        self._go()
        try:
            self.tag = self._send()
        except AmpError as error:
            self.future.set_result(unsent(error))

    def _go(self) -> None:
        self._is_waiting = False
        self._channel.hindered -= 1
