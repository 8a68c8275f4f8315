"""The states of a connection and the moves between them, as one table; performs no move."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from ampkit.errors import LocalProtocolError


class State(enum.Enum):
    """What a connection is in. `OPEN` is where it begins and `CLOSED` where it ends."""

    OPEN = "open"
    """Asks, answers and refusals go both ways."""
    SECURING = "securing"
    """This end has asked for TLS. What it sends waits, as it is to be secret; boxes come until the other end agrees."""
    HANDSHAKING = "shaking hands"
    """Both ends have agreed on TLS. No box comes or goes until it is there; what this end sends waits."""
    SWITCHING = "switching"
    """This end has asked for another protocol. It cannot ask; its answers wait, in case the other end refuses."""
    CLOSING = "closing"
    """This end refuses what it is asked; what is under way may still end, and may ask for that what it needs."""
    CLOSED = "closed"
    """Nothing comes or goes; every waiter has been given back."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and the state is looked up for every box


class Move(enum.Enum):
    """What this end or the other does to a connection as a whole, or to one box on it."""

    ASK = "ask"
    """This end asks or tells."""
    ANSWER = "answer"
    """This end answers or refuses what it was asked."""
    RECEIVE = "receive"
    """Bytes come from the other end."""
    ASK_TLS = "ask for TLS"
    """This end asks to go on over TLS."""
    ASK_SWITCH = "ask for another protocol"
    """This end asks to go on with another protocol."""
    STAY = "stay as it is"
    """The other end has refused either."""
    AGREE_TLS = "agree on TLS"
    """One end has agreed to what the other asked: the handshake begins."""
    SECURE = "become secure"
    """The handshake is done."""
    CLOSE = "close"
    """This end begins to close."""
    END = "end"
    """The connection ends, whoever ended it."""


NEXT: Final[Mapping[tuple[State, Move], State]] = {
    (State.OPEN, Move.ASK): State.OPEN,
    (State.OPEN, Move.ANSWER): State.OPEN,
    (State.OPEN, Move.RECEIVE): State.OPEN,
    (State.OPEN, Move.ASK_TLS): State.SECURING,
    (State.OPEN, Move.ASK_SWITCH): State.SWITCHING,
    (State.OPEN, Move.AGREE_TLS): State.HANDSHAKING,
    (State.OPEN, Move.CLOSE): State.CLOSING,
    (State.OPEN, Move.END): State.CLOSED,
    (State.SECURING, Move.ASK): State.SECURING,
    (State.SECURING, Move.ANSWER): State.SECURING,
    (State.SECURING, Move.RECEIVE): State.SECURING,
    (State.SECURING, Move.STAY): State.OPEN,
    (State.SECURING, Move.AGREE_TLS): State.HANDSHAKING,
    (State.SECURING, Move.CLOSE): State.SECURING,
    (State.SECURING, Move.END): State.CLOSED,
    (State.HANDSHAKING, Move.ASK): State.HANDSHAKING,
    (State.HANDSHAKING, Move.ANSWER): State.HANDSHAKING,
    (State.HANDSHAKING, Move.SECURE): State.OPEN,
    (State.HANDSHAKING, Move.CLOSE): State.HANDSHAKING,
    (State.HANDSHAKING, Move.END): State.CLOSED,
    (State.SWITCHING, Move.ANSWER): State.SWITCHING,
    (State.SWITCHING, Move.RECEIVE): State.SWITCHING,
    (State.SWITCHING, Move.STAY): State.OPEN,
    (State.SWITCHING, Move.CLOSE): State.SWITCHING,
    (State.SWITCHING, Move.END): State.CLOSED,
    (State.CLOSING, Move.ASK): State.CLOSING,
    (State.CLOSING, Move.ANSWER): State.CLOSING,
    (State.CLOSING, Move.RECEIVE): State.CLOSING,
    (State.CLOSING, Move.CLOSE): State.CLOSING,
    (State.CLOSING, Move.END): State.CLOSED,
    (State.CLOSED, Move.CLOSE): State.CLOSED,
    (State.CLOSED, Move.END): State.CLOSED,
}
"""Where each allowed move leads. A move that is not here is not made."""


def allowing(move: Move) -> tuple[State, ...]:
    """Return the states in which a move is allowed.

    As a tuple, for moves that are made a hundred thousand times a second: `in` then compares identities, while
    the table would hash two enums, which takes as long as all the rest of an ask.
    """
    return tuple(state for state in State if (state, move) in NEXT)


def next_state(state: State, move: Move) -> State:
    """Return the state that a move leads to. Raises LocalProtocolError where the table has none."""
    try:
        return NEXT[state, move]
    except KeyError:
        raise LocalProtocolError(f"cannot {move.value} on a connection that is {state.value}") from None
