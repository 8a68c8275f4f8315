"""Exceptions to refusals and refusals to exceptions, the one place for each way; sends and raises nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ampkit.errors import DeadlineExceeded, RemoteError, RemoteProtocolError, UnhandledCommand, UnknownRemoteError
from ampkit.schema.command import CommandSchema
from ampkit.wire.limits import MAX_VALUE_LENGTH
from ampkit.wire.text import printable

UNKNOWN: Final = b"UNKNOWN"
"""AMP: the responder failed with an error that its command does not declare."""
UNHANDLED: Final = b"UNHANDLED"
"""AMP: there is no responder for the command."""
MALFORMED: Final = b"MALFORMED"
"""ampkit: the arguments are not what the command declares. Other implementations show it as an unknown code."""
BUSY: Final = b"BUSY"
"""ampkit: too many asks are running, or the connection is closing; the ask was not begun and may be repeated."""
CANCELLED: Final = b"CANCELLED"
"""ampkit: the caller said that it waits no more, and the responder has ended."""
DEADLINE_EXCEEDED: Final = b"DEADLINE_EXCEEDED"
"""ampkit: the time that the caller gave with its ask was over before the responder had ended."""

TLS_ERROR: Final = b"TLS_ERROR"
"""Twisted: TLS cannot begin."""
TLS_REQUIRED: Final = b"TLS_REQUIRED"
"""ampkit: the command is for connections over TLS; ask for that first."""

_NAME_SHOWN: Final = 80
_TEXT_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the other end is told in place of an answer."""

    code: bytes
    description: bytes
    fatal: bool = False
    """The connection closes behind it."""
    undeclared: bool = False
    """The program did not foresee the exception: log it here, because its text does not leave this process."""


class Dispatch:
    """How errors cross the wire. Subclass it and pass an instance in `Options` to change a rule."""

    def refusal(self, error: Exception, command: CommandSchema | None) -> Refusal:
        """Return the refusal for what a responder raised; `command` is None where there is no responder.

        A declared exception, or the nearest declared base of it, travels as its code with its text. A
        RemoteError travels as it is, unless it is what a call of the responder's own came to: nobody's
        UNHANDLED but this end's may reach the other end. Anything else is UNKNOWN, and its text is kept from it.
        """
        if command is not None:
            for exception in type(error).__mro__:
                code = command.errors.get(exception)
                if code is not None:
                    return Refusal(code, _fitting(_text_of(error)), fatal=exception in command.fatal)
        if isinstance(error, RemoteError) and not isinstance(error, UnhandledCommand | UnknownRemoteError):
            return Refusal(_fitting(error.code), _fitting(error.description))
        return Refusal(UNKNOWN, b"Unknown Error", undeclared=True)

    def malformed(self, error: RemoteProtocolError) -> Refusal:
        """Return the refusal for an ask whose arguments could not be decoded."""
        return Refusal(MALFORMED, _fitting(error.reason))

    def unhandled(self, name: bytes) -> Refusal:
        """Return the refusal for a command that has no responder."""
        return Refusal(UNHANDLED, f"Unhandled Command: '{printable(name, _NAME_SHOWN)}'".encode())

    def busy(self, why: str) -> Refusal:
        """Return the refusal for an ask that was not begun."""
        return Refusal(BUSY, why.encode())

    def cancelled(self) -> Refusal:
        """Return the refusal for an ask whose caller waits no more; it goes by the rule that each ask is answered."""
        return Refusal(CANCELLED, b"the caller waits no more")

    def late(self) -> Refusal:
        """Return the refusal for an ask whose time is over."""
        return Refusal(DEADLINE_EXCEEDED, b"the time for this ask is over")

    def tls_required(self, name: bytes) -> Refusal:
        """Return the refusal for an ask that should have come over TLS."""
        return Refusal(TLS_REQUIRED, f"{printable(name, _NAME_SHOWN)} is for connections over TLS".encode())

    def no_switch(self) -> Refusal:
        """Return the refusal for a switch that nobody waits for: it would begin nowhere."""
        return Refusal(MALFORMED, b"a switch needs an answer")

    def error(self, code: bytes | None, description: bytes, command: CommandSchema | None) -> Exception:
        """Return the exception for a refusal that the other end sent.

        A declared code becomes its exception, with the description as the only argument (a RemoteError of the
        program's own gets the code too); DEADLINE_EXCEEDED a DeadlineExceeded; every other code a RemoteError that
        keeps it. A refusal without a code is a RemoteProtocolError.
        """
        if code is None:
            return RemoteProtocolError("the other end refused with a box that has no _error_code")
        text = description.decode("utf-8", "replace")
        exception = command.exceptions.get(code) if command else None
        if exception is not None:
            try:
                return exception(_code_text(code), text) if issubclass(exception, RemoteError) else exception(text)
            except Exception:  # noqa: BLE001 - an exception class that takes other arguments
                return RemoteError(_code_text(code), text)
        if code == DEADLINE_EXCEEDED:
            return DeadlineExceeded(f"refused with DEADLINE_EXCEEDED: {printable(description, _TEXT_SHOWN)}")
        kind = {UNKNOWN: UnknownRemoteError, UNHANDLED: UnhandledCommand}.get(code, RemoteError)
        return kind(_code_text(code), text)


def _code_text(code: bytes) -> str:
    return code.decode("ascii", "backslashreplace")


def _text_of(error: Exception) -> str:
    try:
        return error.description if isinstance(error, RemoteError) else str(error)
    except Exception:  # noqa: BLE001 - an exception class with a faulty __str__ must not take the refusal along
        return ""


def _fitting(text: str) -> bytes:
    """Encode a text of the program's so that it always fits in a value."""
    return text.encode("utf-8", "backslashreplace")[:MAX_VALUE_LENGTH]


DEFAULT_DISPATCH: Final = Dispatch()
