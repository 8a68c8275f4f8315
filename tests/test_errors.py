"""Exceptions: what they are, what they say, and that they survive the ways exceptions travel."""

from __future__ import annotations

import copy
import pickle

import pytest

from ampkit import errors
from ampkit.errors import (
    AmpError,
    ChildExited,
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    LocalProtocolError,
    NotSent,
    ProtocolSwitched,
    RemoteError,
    RemoteProtocolError,
    TlsFailed,
    UnhandledCommand,
    UnknownRemoteError,
)

PARENTS = {
    LocalProtocolError: (AmpError,),
    RemoteProtocolError: (AmpError,),
    RemoteError: (AmpError,),
    UnknownRemoteError: (RemoteError,),
    UnhandledCommand: (RemoteError,),
    ConnectionLost: (AmpError, ConnectionError),
    ConnectionFailed: (ConnectionLost,),
    ProtocolSwitched: (ConnectionLost,),
    TlsFailed: (ConnectionFailed,),
    ChildExited: (ConnectionLost,),
    NotSent: (ConnectionLost,),
    DeadlineExceeded: (AmpError, TimeoutError),
}

EXAMPLES = [
    AmpError("why"),
    LocalProtocolError("why"),
    RemoteProtocolError("why"),
    RemoteProtocolError("why", 17),
    RemoteError("NO_STOCK", "none left"),
    UnknownRemoteError(),
    UnhandledCommand("UNHANDLED", "Unhandled Command: 'Sum'"),
    ConnectionLost("why"),
    ConnectionFailed("why"),
    TlsFailed("why", "expired"),
    ChildExited(3),
    ChildExited(-9),
    NotSent("why"),
    DeadlineExceeded("why"),
]


def test_the_tree_is_as_its_docstring_shows_it() -> None:
    """Every exception has the bases of the module's tree, and the module exports all of them."""
    assert {error: error.__bases__ for error in PARENTS} == PARENTS
    assert AmpError.__bases__ == (Exception,)
    assert sorted(errors.__all__) == sorted(error.__name__ for error in [AmpError, *PARENTS])
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in errors.__all__)


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_an_exception_survives_a_copy(error: AmpError, travel: type[AmpError]) -> None:
    """Process pools and test runners copy exceptions: type, text and attributes stay."""
    other = travel(error)
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert vars(other) == vars(error)


def test_a_remote_protocol_error_says_where() -> None:
    """The text ends with the position in the stream, and reason and position can be had alone."""
    error = RemoteProtocolError("an empty box", 17)
    assert str(error) == "an empty box (at byte 17 of the stream)"
    assert (error.reason, error.position) == ("an empty box", 17)


def test_position_zero_is_a_position() -> None:
    """A fault in the very first byte says so."""
    assert str(RemoteProtocolError("no", 0)) == "no (at byte 0 of the stream)"


def test_a_remote_protocol_error_without_a_place_says_only_why() -> None:
    """A fault that has no place in the stream has no position."""
    error = RemoteProtocolError("no _error_code")
    assert str(error) == "no _error_code"
    assert error.position is None


def test_a_remote_error_shows_code_and_description() -> None:
    """The text has both; without a description it is the code alone."""
    assert str(RemoteError("NO_STOCK", "none left")) == "NO_STOCK: none left"
    assert str(RemoteError("NO_STOCK")) == "NO_STOCK"


def test_a_remote_error_keeps_the_description_but_shows_it_escaped() -> None:
    """The attribute is the other end's text as it came; what is printed has no control characters."""
    description = "line\r\n\x1b[31m\x9b\u202e\u200b\udc80 ü"
    error = RemoteError("X\x07", description)
    assert error.description == description
    assert str(error) == "X\\x07: line\\r\\n\\x1b[31m\\x9b\\u202e\\u200b\\udc80 ü"
    assert str(error).isprintable()
    assert repr(error).isprintable()


def test_a_tls_failure_has_a_word_for_what_it_is() -> None:
    """The text is the reason alone; the fault is for programs."""
    error = TlsFailed("the certificate has expired", "expired")
    assert (str(error), error.reason, error.fault) == ("the certificate has expired", error.reason, "expired")


def test_the_two_codes_of_amp_are_the_defaults() -> None:
    """AMP: UNKNOWN and UNHANDLED, with the descriptions that other implementations send."""
    unknown, unhandled = UnknownRemoteError(), UnhandledCommand()
    assert (unknown.code, unknown.description) == ("UNKNOWN", "Unknown Error")
    assert (unhandled.code, unhandled.description) == ("UNHANDLED", "Unhandled Command")
