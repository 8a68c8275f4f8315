"""Which ask an answer belongs to: tags and waiters; knows no bytes and no state of the connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ampkit.core.events import (
    AnswerReceived,
    AskReceived,
    ChangeRefused,
    Event,
    RefusalReceived,
    StrayReceived,
    SwitchAgreed,
    TlsAgreed,
    TlsAsked,
)
from ampkit.errors import RemoteProtocolError
from ampkit.speed import fields
from ampkit.wire.box import Box
from ampkit.wire.keys import ANSWER, ASK, COMMAND, ERROR, ERROR_CODE, ERROR_DESCRIPTION
from ampkit.wire.text import printable

START_TLS: Final = b"StartTLS"
"""AMP: the command that asks for TLS, in both directions; it has no argument and no result."""

_STRAY_SHOWN: Final = 20
"""Bytes of an unknown tag that an event shows; ours have fewer."""

if TYPE_CHECKING:
    from ampkit.speed import Fields as ConversationFields
else:
    ConversationFields = fields("ConversationFields", "pending", "asking", "count", "_look_first")


class Conversation(ConversationFields):
    """The asks of this end that wait for an answer, by tag.

    Tags are a counter in lower-case hexadecimal, as other implementations have it, and are never used twice:
    a late answer to an abandoned ask cannot reach a later one.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.pending: dict[bytes, Any] = {}
        """Tag to waiter, in the order of asking."""
        self.asking = self.pending
        """Where an ask belongs: to those that may be answered, or to those that wait to be sent."""
        self.count = 0
        """Tags that were used."""
        self._look_first: Callable[[Box], Event | None] | None = None
        """While the connection is about to change: what looks at each box before it is told apart."""

    def next_tag(self) -> bytes:
        """Return a tag that no ask of this connection had before."""
        self.count += 1
        return b"%x" % self.count

    def event(self, box: Box) -> Event:
        """Return what a received box means, and give back the waiter it ends.

        AMP: `_answer` goes before `_error` goes before `_command`. A box with `_ask` alone is an ask without a
        name, so that whoever waits for it can be told; a box with none of them is a stray one.
        """
        if self._look_first is not None and (event := self._look_first(box)) is not None:
            return event
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
        return AskReceived(tag, command, box) if command != START_TLS or tag is None else self._tls_asked(tag)

    def abandon(self, tag: bytes) -> Any:
        """Forget an ask and return its waiter, or None if it has ended already."""
        return self.pending.pop(tag, None) or self.asking.pop(tag, None)

    def end(self) -> list[Any]:
        """Forget all asks and return their waiters in the order of asking."""
        waiters = [*self.pending.values(), *self.take_unsent()]
        self.pending.clear()
        self._look_first = None
        return waiters

    # While the connection is about to change

    def watch(self, tag: bytes, agreed: type[TlsAgreed | SwitchAgreed]) -> None:
        """Look out for the answer to one ask: behind it the bytes mean something else.

        What is asked from now on is not sent before that, so no box can be its answer.
        """
        self.asking = {}
        self._look_first = partial(self._watched_event, tag, agreed)

    def hold(self) -> None:
        """Begin to keep what is asked, as it is not sent."""
        if self.asking is self.pending:
            self.asking = {}
        self._look_first = _nothing_is_expected

    def go_on(self) -> None:
        """Read as usual again; what was kept may be answered from now on."""
        if self.asking is not self.pending:
            self.pending.update(self.asking)
        self.asking = self.pending
        self._look_first = None

    def take_unsent(self) -> list[Any]:
        """Forget what was kept, and return the waiters."""
        if self.asking is self.pending:
            return []
        waiters = list(self.asking.values())
        self.asking.clear()
        return waiters

    def _watched_event(self, tag: bytes, agreed: type[TlsAgreed | SwitchAgreed], box: Box) -> Event | None:
        if box.get(ANSWER, box.get(ERROR)) != tag:
            return None
        waiter = self.pending.pop(tag, None)
        if ANSWER in box:
            self._look_first = _nothing_is_expected
            return agreed(waiter)
        self._look_first = None
        return ChangeRefused(waiter, box.get(ERROR_CODE), box.get(ERROR_DESCRIPTION, b""))

    def _tls_asked(self, tag: bytes) -> Event:
        if self.asking is not self.pending:
            raise RemoteProtocolError("both ends have asked to change the connection at the same time")
        self._look_first = _nothing_is_expected
        return TlsAsked(tag)

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
        last = b"%x" % self.count
        is_ours = set(tag) <= set(b"0123456789abcdef") and tag[:1] not in {b"", b"0"}
        return is_ours and (len(tag), tag) <= (len(last), last)


def _nothing_is_expected(_: Box) -> None:
    """Take a box that came before the connection has changed: no end that keeps to AMP sends one."""
    raise RemoteProtocolError("a box behind the point where the connection was to change")
