"""Every exception of ampkit and how they relate; knows nothing else of the package.

    AmpError
    ├── LocalProtocolError      this program asked for something AMP cannot carry; nothing was sent
    ├── RemoteProtocolError     the other end sent something that is not AMP, or not what it promised
    ├── RemoteError             the other end refused an ask; has .code and .description
    │   ├── UnknownRemoteError  refused with UNKNOWN: the responder failed in a way it does not declare
    │   └── UnhandledCommand    refused with UNHANDLED: the other end has no responder for this command
    ├── ConnectionLost          the connection ended before the answer came (also a ConnectionError)
    │   ├── ConnectionFailed    there never was a connection: the address cannot be reached or served
    │   │   └── TlsFailed       there is no TLS with the other end; has .fault
    │   ├── ProtocolSwitched    the connection speaks another protocol now, or is about to
    │   ├── ChildExited         the child process at the other end has ended with a status other than 0
    │   └── NotSent             there was none any more when the call was made: it may be repeated
    └── DeadlineExceeded        the answer did not come in time (also a TimeoutError)

"Local" and "remote" say whose mistake it is, so that a program knows which end to mend.
"""

from __future__ import annotations

__all__ = [
    "AmpError",
    "ChildExited",
    "ConnectionFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "LocalProtocolError",
    "NotSent",
    "ProtocolSwitched",
    "RemoteError",
    "RemoteProtocolError",
    "TlsFailed",
    "UnhandledCommand",
    "UnknownRemoteError",
]


class AmpError(Exception):
    """Base of every error that ampkit raises on purpose."""


class LocalProtocolError(AmpError):
    """This program asked for something that AMP cannot carry.

    Raised before a byte is sent; the connection and every other call on it live on. The message names
    the command or key and the size, limit or type that was expected.
    """


class RemoteProtocolError(AmpError):
    """The other end sent something that is not AMP, or an answer that is not what its command declares.

    In bytes that cannot be read as boxes this ends the connection; in one answer it ends that call alone.
    `position` is the number of bytes the connection had carried before the fault, since TLS began if it became
    secure, or None where the fault has no place in the stream.
    """

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason if position is None else f"{reason} (at byte {position} of the stream)")
        self.reason = reason
        self.position = position

    def __reduce__(self) -> tuple[type[RemoteProtocolError], tuple[str, int | None]]:
        return type(self), (self.reason, self.position)


class RemoteError(AmpError):
    """The other end refused an ask.

    A responder may raise it to choose the code and description that its caller sees; a caller gets it for
    every code that the command does not declare, with the code kept. `code` has non-ASCII bytes written
    as backslash escapes; `description` is the other end's text as it came, so print it with care: `str()`
    of the error has its control characters escaped.
    """

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description

    def __str__(self) -> str:
        text = f"{self.code}: {self.description}" if self.description else self.code
        return "".join(c if c.isprintable() else c.encode("unicode-escape").decode() for c in text)


class UnknownRemoteError(RemoteError):
    """The responder failed with an exception that its command does not declare; the other end's log has it."""

    def __init__(self, code: str = "UNKNOWN", description: str = "Unknown Error") -> None:
        super().__init__(code, description)


class UnhandledCommand(RemoteError):
    """The other end has no responder for this command."""

    def __init__(self, code: str = "UNHANDLED", description: str = "Unhandled Command") -> None:
        super().__init__(code, description)


class ConnectionLost(AmpError, ConnectionError):
    """The connection ended before the answer came, or had ended before the call was made.

    Whether the responder ran is unknown: only repeat a command that may run twice.
    """


class ConnectionFailed(ConnectionLost):
    """There never was a connection: the address cannot be resolved, reached, or listened on."""


class ProtocolSwitched(ConnectionLost):
    """The connection speaks another protocol now, or this end has asked for that and waits: no AMP goes over it."""


class TlsFailed(ConnectionFailed):
    """There is no TLS with the other end: one does not trust the other, or what came is not TLS.

    `fault` says which, in words that stay: "wrong host", "unknown authority", "self-signed", "expired", "not yet
    valid", "revoked", "untrusted" (any other flaw of the certificate), "no certificate" (of the other end, which has
    to show one), "refused" (by the other end, whose reason is in the text), "version", "not TLS", "timeout", "ended".
    """

    def __init__(self, reason: str, fault: str) -> None:
        super().__init__(reason, fault)
        self.reason = reason
        self.fault = fault

    def __str__(self) -> str:
        return self.reason


class ChildExited(ConnectionLost):
    """The child process at the other end has ended, and not well.

    `status` is its exit status, 1 to 255, or the number of the signal that ended it, negative.
    """

    def __init__(self, status: int) -> None:
        how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
        super().__init__(f"the child process {how}")
        self.status = status

    def __reduce__(self) -> tuple[type[ChildExited], tuple[int]]:
        return type(self), (self.status,)


class NotSent(ConnectionLost):
    """The connection had ended, or was not there, before anything of this ask was sent: it may be repeated."""


class DeadlineExceeded(AmpError, TimeoutError):
    """The answer did not come within the caller's timeout; the responder may still be running."""
