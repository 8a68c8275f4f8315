"""One AMP connection without I/O: the whole of the core behind one class; decides nothing about errors and time.

    connection = Connection()
    connection.ask(b"Sum", {b"a": b"13", b"b": b"81"}, waiter="the first sum")
    socket.sendall(connection.take_output())
    connection.receive(socket.recv(65536))
    while (event := connection.next_event()) is not None:
        ...  # AnswerReceived(waiter="the first sum", box={b"total": b"94"})

Methods that queue something to send never write: the owner takes `take_output()` when it likes. The methods whose
names end with `_encoded` take the pairs of a box as bytes, from whoever encodes them faster than `encode_pairs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ampkit.core.boundary import check_tls
from ampkit.core.conversation import START_TLS, Conversation
from ampkit.core.events import Event, SwitchAgreed, TlsAgreed
from ampkit.core.link import Link
from ampkit.core.states import Move, State, allowing, next_state
from ampkit.core.tagged import Pairs, answer_box, ask_box, is_reply
from ampkit.errors import AmpError, ConnectionLost, LocalProtocolError, RemoteProtocolError
from ampkit.wire.box import END, encode_pairs
from ampkit.wire.keys import COMMAND, ERROR, ERROR_CODE, ERROR_DESCRIPTION, RESERVED
from ampkit.wire.limits import DEFAULT_LIMITS, MAX_VALUE_LENGTH, Limits
from ampkit.wire.text import printable

_ASKING: Final = allowing(Move.ASK)
_ANSWERING: Final = allowing(Move.ANSWER)

_REFUSAL_OVERHEAD: Final = len(encode_pairs({ERROR: b"", ERROR_CODE: b"", ERROR_DESCRIPTION: b""}) + END)
"""Bytes of a refusal beside its tag, code and description."""


class Connection:
    """One end of an AMP connection. Both ends are alike: each may ask, and answer what it is asked."""

    __slots__ = ("_limits", "conversation", "link", "pending")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self.link = Link(limits)
        self.conversation = Conversation()
        self.pending: Mapping[bytes, Any] = self.conversation.pending
        """Our asks that wait for an answer: tag to waiter, in the order of asking."""

    @property
    def state(self) -> State:
        """OPEN, CLOSING, CLOSED, or about to change."""
        return self.link.state

    @property
    def end_reason(self) -> AmpError | None:
        """Why the connection ended; None until `end`."""
        return self.link.end_reason

    @property
    def is_secure(self) -> bool:
        """Whether it has become secure, or was said to be."""
        return self.link.is_secure

    def begin_secure(self) -> None:
        """Say that it runs over TLS from its first byte."""
        self.link.is_secure = True

    @property
    def asked(self) -> int:
        """How many asks this end has queued."""
        return self.conversation.count

    @property
    def box_begun(self) -> int | None:
        """Where in the stream a box began that has not come to its end; None between two boxes."""
        partial = self.link.decoder.partial
        return None if partial is None else partial.position

    # Asking

    def ask(self, command: bytes, box: Mapping[bytes, bytes], waiter: Any) -> bytes:
        """Queue an ask and return its tag; `waiter` is any object, and comes back in the event that ends it.

        Raises LocalProtocolError for what does not fit in a box, ConnectionLost if the connection is closed.
        """
        return self.ask_encoded(self.ask_pairs(command, box), waiter)

    def ask_encoded(self, pairs: Pairs, waiter: Any) -> bytes:
        """Queue an ask whose pairs, `_command` among them, are encoded already. As `ask` otherwise."""
        link = self.link
        if link.state not in _ASKING:
            raise link.lost()
        tag = self.conversation.next_tag()
        link.send(ask_box(tag, pairs))
        self.conversation.asking[tag] = waiter
        return tag

    def ask_pairs(self, command: bytes, box: Mapping[bytes, bytes]) -> bytes:
        """Return the pairs of an ask, for `ask_encoded` and `tell_encoded`.

        Raises LocalProtocolError for what does not fit in a box, and for arguments that have AMP's own keys.
        """
        return encode_pairs({COMMAND: command, **self._checked(box, own_keys=3)})

    def tell(self, command: bytes, box: Mapping[bytes, bytes]) -> None:
        """Queue a command that nobody waits for: it is never answered. Raises as `ask` does."""
        self.tell_encoded(self.ask_pairs(command, box))

    def tell_encoded(self, pairs: Pairs) -> None:
        """Queue a command that nobody waits for, its pairs encoded already. Raises as `ask` does."""
        link = self.link
        if link.state not in _ASKING:
            raise link.lost()
        link.send(bytes(pairs) + END)

    def abandon(self, tag: bytes) -> Any:
        """Wait no longer for an ask, and return its waiter (None if it has ended); a late answer is a StrayReceived."""
        return self.conversation.abandon(tag)

    # Being asked

    def answer(self, tag: bytes, box: Mapping[bytes, bytes]) -> None:
        """Queue the answer to an ask we received.

        Raises LocalProtocolError for what does not fit in a box (nothing is queued: refuse the tag then), and
        if the connection is closed.
        """
        self.answer_encoded(tag, encode_pairs(self._checked(box, own_keys=1)))

    def answer_encoded(self, tag: bytes, pairs: Pairs) -> None:
        """Queue an answer whose pairs are encoded already. Raises as `answer` does."""
        link = self.link
        if link.state not in _ANSWERING:
            link.move(Move.ANSWER)  # which raises, as the table has no such move
        link.send(answer_box(tag, pairs))

    def refuse(self, tag: bytes, code: bytes, description: bytes = b"") -> None:
        """Queue the refusal of an ask we received; a description that does not fit in the box is cut.

        Raises LocalProtocolError for a code of more than 65,535 bytes, and if the connection is closed.
        """
        self.link.move(Move.ANSWER)
        room = self._limits.max_box_bytes - _REFUSAL_OVERHEAD - len(tag) - len(code)
        cut = description[: max(0, min(room, MAX_VALUE_LENGTH))]
        # Whoever asked has to be told, even if its tag leaves no room for a box within our limit.
        self.link.send_at_any_size(encode_pairs({ERROR: tag, ERROR_CODE: code, ERROR_DESCRIPTION: cut}) + END)

    # Becoming secure, or another protocol

    def ask_tls(self, waiter: Any) -> bytes:
        """Queue the ask to go on over TLS, and return its tag; what is queued from now on waits.

        TlsAgreed or ChangeRefused brings the waiter back. Do not abandon the tag. Raises LocalProtocolError if the
        connection is secure already or about to change, ConnectionLost if it is closed.
        """
        self._refuse_second_tls()
        return self._ask_change(Move.ASK_TLS, encode_pairs({COMMAND: START_TLS}), waiter, TlsAgreed)

    def ask_switch(self, pairs: bytes, waiter: Any) -> bytes:
        """Queue an ask, its pairs encoded already, to go on with another protocol, and return its tag.

        SwitchAgreed or ChangeRefused brings the waiter back. Do not abandon the tag. Raises LocalProtocolError if
        the connection is about to change, ConnectionLost if it is closed.
        """
        return self._ask_change(Move.ASK_SWITCH, pairs, waiter, SwitchAgreed)

    def _ask_change(self, move: Move, pairs: bytes, waiter: Any, agreed: type[TlsAgreed | SwitchAgreed]) -> bytes:
        link = self.link
        if link.state is State.CLOSED:
            raise link.lost()
        next_state(link.state, move)  # which raises before anything is sent
        tag = self.conversation.next_tag()
        link.send(ask_box(tag, pairs))
        link.hold(move)
        self.conversation.pending[tag] = waiter
        self.conversation.watch(tag, agreed)
        return tag

    def _refuse_second_tls(self) -> None:
        if self.link.is_secure:
            raise LocalProtocolError("the connection is secure already")

    def begin_tls(self, *, tls_server: bool) -> bytes:
        """Let the handshake begin behind TlsAgreed, and return what came for it already.

        Raises RemoteProtocolError if plaintext stands there: `end` the connection with it.
        """
        rest = self.link.decoder.take_rest()
        if rest and not tls_server:
            raise RemoteProtocolError("the other end sent something behind its answer, before TLS had begun")
        check_tls(rest)
        self.conversation.hold()
        self.link.hold(Move.AGREE_TLS)
        return rest

    def agree_tls(self, tag: bytes) -> None:
        """Queue the answer to a TlsAsked; the handshake begins behind it.

        Raises LocalProtocolError if the connection is secure already or about to change: refuse it then;
        RemoteProtocolError if the other end sent anything behind its ask: `end` the connection with it.
        """
        self._refuse_second_tls()
        next_state(self.link.state, Move.AGREE_TLS)  # which raises before anything is sent
        if self.link.decoder.take_rest():
            raise RemoteProtocolError("the other end sent something behind its ask for TLS")
        self.answer_encoded(tag, b"")
        self.conversation.hold()
        self.link.hold(Move.AGREE_TLS)

    def refuse_tls(self, tag: bytes, code: bytes, description: bytes) -> None:
        """Queue the refusal of a TlsAsked; all goes on as before."""
        self.conversation.go_on()
        self.refuse(tag, code, description)

    def secured(self) -> None:
        """Say that the handshake is done: boxes come and go over TLS now, first those that have waited."""
        self.link.secure()
        self.conversation.go_on()

    def stay(self) -> list[Any]:
        """Go on as before, behind ChangeRefused: answers that have waited are queued.

        Asks that were to be sent over TLS are not sent without: their waiters are returned.
        """
        unsent = self.conversation.take_unsent()
        self.link.keep(is_reply)
        self.link.release(Move.STAY)
        self.conversation.go_on()
        return unsent

    def switch(self) -> bytes:
        """Return the bytes behind the last box, which are another protocol's; `end` the connection next.

        Call it behind SwitchAgreed, or behind the answer to an ask by which the other end wanted to switch.
        """
        return self.link.decoder.take_rest()

    # Bytes

    def receive(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes that came from the other end; then pull events until there are none."""
        self.link.receive(data)

    def next_event(self) -> Event | None:
        """Return what the next received box means, or None until more bytes come.

        Raises RemoteProtocolError where the bytes are not AMP: then `end` the connection with it. The owner may
        stop pulling at any event; what it has not pulled is not yet read as AMP.
        """
        box = self.link.decoder.next_box()
        return None if box is None else self.conversation.event(box)

    @property
    def may_have_event(self) -> bool:
        """Whether bytes were received behind the last event; ask it directly behind that."""
        return self.link.decoder.may_have_box

    @property
    def is_between_boxes(self) -> bool:
        """Whether all that was received has been pulled, and is whole boxes."""
        decoder = self.link.decoder
        return decoder.partial is None and not decoder.unread

    def take_output(self) -> bytes:
        """Return the bytes to be written, and forget them; empty if there are none."""
        return b"".join(self.take_boxes())

    def take_boxes(self) -> list[bytes]:
        """Return the same, each box by itself, for who can write many at once without a copy."""
        return self.link.take_boxes()

    @property
    def has_output(self) -> bool:
        """Whether there are bytes to be written."""
        return self.link.has_output

    # The end

    def close(self) -> None:
        """Begin to close: from now on the owner refuses what it is asked, lets end what is under way, and then ends.

        Asks of this end are still allowed, because what is under way may need them to end well.
        """
        self.link.close()

    def receive_end(self) -> AmpError:
        """Say that the other end sends nothing more; return the reason to `end` with.

        A ConnectionLost between two boxes, a RemoteProtocolError inside one. Pull all events first.
        """
        try:
            self.link.decoder.end()
        except RemoteProtocolError as error:
            return error
        return ConnectionLost("the other end closed the connection")

    def end(self, reason: AmpError) -> list[Any]:
        """Close for good and return the waiters of all asks that will not be answered, in the order of asking.

        What was not yet written is dropped. The first reason is kept; a second call returns no waiter.
        """
        self.link.end(reason)
        return self.conversation.end()

    def _checked(self, box: Mapping[bytes, bytes], own_keys: int) -> Mapping[bytes, bytes]:
        most = self._limits.max_box_keys - own_keys
        if len(box) > most:
            raise LocalProtocolError(f"a box of {len(box)} keys; the limit is {most} beside AMP's own")
        for key in RESERVED:
            if key in box:
                raise LocalProtocolError(f"the key {printable(key)} is AMP's own and cannot be an argument")
        return box
