"""Exceptions to refusals and back: the nearest class decides, nothing leaks, and a program may decide otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from ampkit.errors import (
    ConnectionLost,
    DeadlineExceeded,
    LocalProtocolError,
    RemoteError,
    RemoteProtocolError,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.policy.dispatch import (
    BUSY,
    CANCELLED,
    DEADLINE_EXCEEDED,
    DEFAULT_DISPATCH,
    MALFORMED,
    UNHANDLED,
    UNKNOWN,
    Dispatch,
    Refusal,
)
from ampkit.schema.command import Command


class Broke(Exception):
    """Declared."""


class VeryBroke(Broke):
    """Declared as fatal, though its base is not."""


class Bankrupt(VeryBroke):
    """Not declared itself."""


class Moderate(Broke):
    """Not declared itself."""


class Custom(RemoteError):
    """A RemoteError of the program's own."""


class Picky(Exception):
    """Needs more than a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)


class Mute(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("password of the database")


class Lend(
    Command[None],
    errors={Broke: "BROKE", Custom: "CUSTOM", Picky: "PICKY", Mute: "MUTE", KeyError: b"\xff\x00"},
    fatal_errors={VeryBroke: "VERY_BROKE"},
):
    """Declares errors."""


LEND = Lend.__command__
UNDECLARED = Refusal(b"UNKNOWN", b"Unknown Error", fatal=False, undeclared=True)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (Broke("no money"), Refusal(b"BROKE", b"no money")),
        (Broke(), Refusal(b"BROKE", b"")),
        (Moderate("ünï"), Refusal(b"BROKE", "ünï".encode())),
        (VeryBroke("none"), Refusal(b"VERY_BROKE", b"none", fatal=True)),
        (Bankrupt("none"), Refusal(b"VERY_BROKE", b"none", fatal=True)),
        (KeyError("x"), Refusal(b"\xff\x00", b"'x'")),
        (Mute(), Refusal(b"MUTE", b"")),
        (Custom("OTHER", "text"), Refusal(b"CUSTOM", b"text")),
        (RemoteError("MINE", "text"), Refusal(b"MINE", b"text")),
        (RemoteError("MINE"), Refusal(b"MINE", b"")),
        (ValueError("password of the database"), UNDECLARED),
        (LookupError("the base of a declared one is not declared"), UNDECLARED),
        (RemoteProtocolError("from a call of its own"), UNDECLARED),
        (LocalProtocolError("from a call of its own"), UNDECLARED),
        (ConnectionLost("from a call of its own"), UNDECLARED),
        (DeadlineExceeded("from a call of its own"), UNDECLARED),
        (UnhandledCommand(), UNDECLARED),
        (UnknownRemoteError(), UNDECLARED),
    ],
    ids=lambda value: "" if isinstance(value, Refusal) else f"{type(value).__name__}{value.args}",
)
def test_an_exception_becomes_a_refusal(error: Exception, refusal: Refusal) -> None:
    """The nearest declared class decides on code and fatality; what is not declared tells the other end nothing."""
    assert DEFAULT_DISPATCH.refusal(error, LEND) == refusal


def test_the_nearest_class_counts_whatever_the_order() -> None:
    """A base that is declared first does not hide its subclass, as it does at Twisted."""

    class Other(Command[None], errors={Exception: "ANY", VeryBroke: "VERY", Broke: "BROKE"}):
        pass

    codes = [DEFAULT_DISPATCH.refusal(error(), Other.__command__).code for error in (Bankrupt, Moderate, ValueError)]
    assert codes == [b"VERY", b"BROKE", b"ANY"]


def test_one_code_may_be_fatal_for_one_exception_only() -> None:
    """It is the exception that ends the connection, not its code."""

    class Shared(Command[None], errors={Broke: "X"}, fatal_errors={ValueError: "X"}):
        pass

    assert DEFAULT_DISPATCH.refusal(Broke(), Shared.__command__) == Refusal(b"X", b"")
    assert DEFAULT_DISPATCH.refusal(ValueError(), Shared.__command__) == Refusal(b"X", b"", fatal=True)


def test_without_a_command_nothing_is_declared() -> None:
    """Only a RemoteError says its code itself."""
    assert DEFAULT_DISPATCH.refusal(Broke("x"), None) == UNDECLARED
    assert DEFAULT_DISPATCH.refusal(RemoteError("MINE", "x"), None) == Refusal(b"MINE", b"x")


def test_what_a_program_says_always_fits() -> None:
    """A description is cut at 65,535 bytes, and what is no UTF-8 is written in escapes."""
    assert DEFAULT_DISPATCH.refusal(Broke("x" * 70_000), LEND).description == b"x" * 65_535
    assert DEFAULT_DISPATCH.refusal(Broke("\ud800"), LEND).description == rb"\ud800"
    refusal = DEFAULT_DISPATCH.refusal(RemoteError("c" * 70_000, "\ud800" * 70_000), LEND)
    assert (len(refusal.code), len(refusal.description)) == (65_535, 65_535)
    assert len(DEFAULT_DISPATCH.malformed(RemoteProtocolError("x" * 70_000)).description) == 65_535


def test_the_other_refusals() -> None:
    """Each has its code, and a text for people that is safe to print."""
    assert DEFAULT_DISPATCH.malformed(RemoteProtocolError("Sum lacks a", 7)) == Refusal(MALFORMED, b"Sum lacks a")
    assert DEFAULT_DISPATCH.unhandled(b"Sum") == Refusal(UNHANDLED, b"Unhandled Command: 'Sum'")
    assert DEFAULT_DISPATCH.unhandled(b"\x1b[2J").description == rb"Unhandled Command: '\x1b[2J'"
    assert len(DEFAULT_DISPATCH.unhandled(b"x" * 65_535).description) < 150
    assert DEFAULT_DISPATCH.busy("too many asks") == Refusal(BUSY, b"too many asks")


# And back


@pytest.mark.parametrize(
    ("code", "kind"), [(b"BROKE", Broke), (b"VERY_BROKE", VeryBroke), (b"MUTE", Mute), (b"\xff\x00", KeyError)]
)
def test_a_declared_code_becomes_its_exception(code: bytes, kind: type[Exception]) -> None:
    """With the description as its only argument."""
    error = DEFAULT_DISPATCH.error(code, "ünï".encode(), LEND)
    assert type(error) is kind
    assert error.args == ("ünï",)


def test_a_remote_error_of_the_program_s_own_gets_the_code_too() -> None:
    """Its first argument is the code, as that of any RemoteError."""
    error = DEFAULT_DISPATCH.error(b"CUSTOM", b"text", LEND)
    assert isinstance(error, Custom)
    assert (error.code, error.description) == ("CUSTOM", "text")


@pytest.mark.parametrize("command", [LEND, None])
@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (b"UNKNOWN", UnknownRemoteError, "UNKNOWN"),
        (b"UNHANDLED", UnhandledCommand, "UNHANDLED"),
        (b"BUSY", RemoteError, "BUSY"),
        (b"MALFORMED", RemoteError, "MALFORMED"),
        (b"NEVER_HEARD_OF", RemoteError, "NEVER_HEARD_OF"),
        (b"caf\xc3\xa9\xff", RemoteError, r"caf\xc3\xa9\xff"),
        (b"", RemoteError, ""),
    ],
)
def test_every_other_code_is_kept(command: Any, code: bytes, kind: type[RemoteError], text: str) -> None:
    """In a RemoteError, of which AMP's own two codes have subclasses; bytes that are not ASCII are escaped."""
    error = DEFAULT_DISPATCH.error(code, b"why", command)
    assert type(error) is kind
    assert (error.code, error.description) == (text, "why")


def test_an_exception_that_needs_other_arguments_is_a_remote_error() -> None:
    """The code and the description are not lost."""
    error = DEFAULT_DISPATCH.error(b"PICKY", b"why", LEND)
    assert type(error) is RemoteError
    assert (error.code, error.description) == ("PICKY", "why")


def test_a_declaration_goes_before_amp_s_own_codes() -> None:
    """A command may say what UNKNOWN means to it."""

    class Odd(Command[None], errors={Broke: "UNKNOWN"}):
        pass

    assert type(DEFAULT_DISPATCH.error(b"UNKNOWN", b"", Odd.__command__)) is Broke


def test_a_description_may_be_any_bytes() -> None:
    """What is no UTF-8 is replaced, as a text for people may be."""
    error = DEFAULT_DISPATCH.error(b"BROKE", b"a\xff", LEND)
    assert error.args == ("a\ufffd",)


def test_a_refusal_without_a_code_is_the_other_end_s_mistake() -> None:
    """No exception could be chosen."""
    error = DEFAULT_DISPATCH.error(None, b"why", LEND)
    assert type(error) is RemoteProtocolError
    assert "_error_code" in str(error)


@pytest.mark.parametrize("error", [Broke("x"), VeryBroke("x"), KeyError("x"), RemoteError("C", "d")], ids=repr)
def test_there_and_back(error: Exception) -> None:
    """The caller sees the class that the responder raised, with its text."""
    refusal = DEFAULT_DISPATCH.refusal(error, LEND)
    back = DEFAULT_DISPATCH.error(refusal.code, refusal.description, LEND)
    assert type(back) is type(error)
    assert str(error) in (str(back), back.args[0])


# In one place


class Generous(Dispatch):
    """Tells the other end what nobody foresaw, as a program inside of one company may want."""

    def refusal(self, error: Exception, command: Any) -> Refusal:
        refusal = super().refusal(error, command)
        if refusal.undeclared:
            return Refusal(b"UNKNOWN", repr(error).encode(), undeclared=True)
        return refusal

    def error(self, code: bytes | None, description: bytes, command: Any) -> Exception:
        return TimeoutError("try again") if code == BUSY else super().error(code, description, command)


def test_a_program_may_decide_otherwise_in_one_place() -> None:
    """A subclass changes one rule, and all others stay."""
    dispatch = Generous()
    assert dispatch.refusal(ValueError("x"), LEND) == Refusal(UNKNOWN, b"ValueError('x')", undeclared=True)
    assert dispatch.refusal(Broke("x"), LEND) == DEFAULT_DISPATCH.refusal(Broke("x"), LEND)
    assert isinstance(dispatch.error(BUSY, b"", None), TimeoutError)
    assert isinstance(dispatch.error(b"BROKE", b"", LEND), Broke)
    assert dispatch.unhandled(b"x") == DEFAULT_DISPATCH.unhandled(b"x")


def test_asks_that_are_not_waited_for() -> None:
    """They are refused with codes of their own; the code for time is an error of time, its text escaped and cut."""
    assert DEFAULT_DISPATCH.cancelled().code == CANCELLED
    assert DEFAULT_DISPATCH.late().code == DEADLINE_EXCEEDED
    error = DEFAULT_DISPATCH.error(DEADLINE_EXCEEDED, b"\x1b" * 5000, None)
    assert isinstance(error, DeadlineExceeded)
    assert str(error).isprintable()
    assert len(str(error)) < 1000
    assert isinstance(DEFAULT_DISPATCH.error(CANCELLED, b"", None), RemoteError)


def test_what_requires_tls_or_an_answer_is_refused_with_words_that_say_so() -> None:
    """So that whoever wrote the other end knows what to do."""
    dispatch = Dispatch()
    assert dispatch.tls_required(b"Pay\x1b") == Refusal(b"TLS_REQUIRED", b"Pay\\x1b is for connections over TLS")
    assert dispatch.no_switch() == Refusal(b"MALFORMED", b"a switch needs an answer")
