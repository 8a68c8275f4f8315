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


Event: TypeAlias = AskReceived | AnswerReceived | RefusalReceived | StrayReceived
