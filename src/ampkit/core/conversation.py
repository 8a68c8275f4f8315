"""Which ask an answer belongs to: tags and waiters; knows no bytes and no state of the connection."""

from __future__ import annotations

from typing import Any, Final

from ampkit.core.events import AnswerReceived, AskReceived, Event, RefusalReceived, StrayReceived
from ampkit.wire.box import Box
from ampkit.wire.keys import ANSWER, ASK, COMMAND, ERROR, ERROR_CODE, ERROR_DESCRIPTION
from ampkit.wire.text import printable

_STRAY_SHOWN: Final = 20
"""Bytes of an unknown tag that an event shows; ours have fewer."""


class Conversation:
    """The asks of this end that wait for an answer, by tag.

    Tags are a counter in lower-case hexadecimal, as other implementations have it, and are never used twice:
    a late answer to an abandoned ask cannot reach a later one.
    """

    def __init__(self) -> None:
        self.pending: dict[bytes, Any] = {}
        """Tag to waiter, in the order of asking."""
        self._count = 0

    def next_tag(self) -> bytes:
        """Return a tag that no ask of this connection had before."""
        self._count += 1
        return b"%x" % self._count

    def event(self, box: Box) -> Event:
        """Return what a received box means, and give back the waiter it ends.

        AMP: `_answer` goes before `_error` goes before `_command`. A box with `_ask` alone is an ask without a
        name, so that whoever waits for it can be told; a box with none of them is a stray one.
        """
        tag = box.pop(ANSWER, None)
        if tag is not None:
            try:
                return AnswerReceived(self.pending.pop(tag), box)
            except KeyError:
                return self._stray("an answer", tag)
        if ERROR in box:
            return self._refusal(box)
        tag = box.pop(ASK, None)
        command = box.pop(COMMAND, None)
        if command is None:
            if tag is None:
                return StrayReceived("a box that is neither ask nor answer nor refusal", late=False)
            command = b""
        return AskReceived(tag, command, box)

    def abandon(self, tag: bytes) -> Any:
        """Forget an ask and return its waiter, or None if it has ended already."""
        return self.pending.pop(tag, None)

    def end(self) -> list[Any]:
        """Forget all asks and return their waiters in the order of asking."""
        waiters = list(self.pending.values())
        self.pending.clear()
        return waiters

    def _refusal(self, box: Box) -> Event:
        tag = box[ERROR]
        try:
            waiter = self.pending.pop(tag)
        except KeyError:
            return self._stray("a refusal", tag)
        return RefusalReceived(waiter, box.get(ERROR_CODE), box.get(ERROR_DESCRIPTION, b""))

    def _stray(self, what: str, tag: bytes) -> StrayReceived:
        return StrayReceived(f"{what} to the unknown tag {printable(tag, _STRAY_SHOWN)}", late=self._was_used(tag))

    def _was_used(self, tag: bytes) -> bool:
        """Compare with the counter as text: this end's tags have no leading zero, so a longer one is a greater one."""
        last = b"%x" % self._count
        is_ours = set(tag) <= set(b"0123456789abcdef") and tag[:1] not in {b"", b"0"}
        return is_ours and (len(tag), tag) <= (len(last), last)
