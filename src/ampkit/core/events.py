"""What a connection tells its owner about the boxes it received; each event carries all there is to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from ampkit.wire.box import Box


@dataclass(slots=True)
class AskReceived:
    """The other end asks. Answer or refuse its tag once, unless it is None: then nobody waits for an answer."""

    tag: bytes | None
    command: bytes
    box: Box
    """The arguments, and whatever extension keys came with them."""


@dataclass(slots=True)
class AnswerReceived:
    """An ask of ours was answered; here is its waiter back."""

    waiter: Any
    box: Box


@dataclass(slots=True)
class RefusalReceived:
    """An ask of ours was refused; here is its waiter back. The code is None if the other end forgot it."""

    waiter: Any
    code: bytes | None
    description: bytes


@dataclass(slots=True)
class StrayReceived:
    """A box that belongs to nothing: the answer to no ask, or neither ask nor answer nor refusal.

    `late` is true where the tag is one that this end has used: its ask was abandoned, or answered before.
    """

    reason: str
    late: bool


@dataclass(slots=True)
class TlsAsked:
    """The other end asks for TLS. Call `Connection.agree_tls` or `refuse_tls` before the next event is pulled."""

    tag: bytes


@dataclass(slots=True)
class TlsAgreed:
    """The other end agrees to the TLS that this end asked for. Call `Connection.begin_tls` next."""

    waiter: Any


@dataclass(slots=True)
class SwitchAgreed:
    """The other end agrees to the protocol that this end asked for. Call `Connection.switch` next."""

    waiter: Any


@dataclass(slots=True)
class ChangeRefused:
    """The other end refuses the TLS or protocol that this end asked for. Call `Connection.stay` next."""

    waiter: Any
    code: bytes | None
    description: bytes


Event: TypeAlias = (
    AskReceived | AnswerReceived | RefusalReceived | StrayReceived | TlsAsked | TlsAgreed | SwitchAgreed | ChangeRefused
)
