"""The exceptions of `twisted.protocols.amp`, each a kind of Twisted's own and, where one fits, of ampkit's."""

from __future__ import annotations

from typing import Any

from twisted.python.failure import Failure

from ampkit.twisted._stock import stock


class AmpError(stock.AmpError):
    """Base of all errors of this module but ProtocolSwitched."""


class ProtocolSwitched(stock.ProtocolSwitched):
    """The connection has become another protocol's, or is about to: AMP cannot use it any more."""


class OnlyOneTLS(AmpError, stock.OnlyOneTLS):
    """A connection that is secure already was to be secured again."""


class NoEmptyBoxes(AmpError, stock.NoEmptyBoxes):
    """A box came that is neither ask nor answer nor error; the box is the argument."""


class InvalidSignature(AmpError, stock.InvalidSignature):
    """A command was called without an argument that it needs, or with one that it has not."""


class TooLong(AmpError, stock.TooLong):
    """A key is above 255 bytes or a value above 65,535.

    `isKey` says which of the two, `isLocal` whether this program made it; `keyName` is the key of a value.
    """

    def __init__(self, isKey: bool, isLocal: bool, value: Any, keyName: bytes | None = None) -> None:
        Exception.__init__(self)
        self.isKey = isKey
        self.isLocal = isLocal
        self.value = value
        self.keyName = keyName

    def __repr__(self) -> str:
        where = "local" if self.isLocal else "remote"
        what = "key" if self.isKey else "value"
        name = "" if self.isKey else f" {self.keyName!r}"
        size = "unknown" if self.value is None else len(self.value)
        return f"{where} {what}{name} too long: {size}"


class BadLocalReturn(AmpError, stock.BadLocalReturn):
    """A responder returned what its command cannot send; `enclosed` is the failure that showed it."""

    def __init__(self, message: str, enclosed: Failure) -> None:
        Exception.__init__(self)
        self.message = message
        self.enclosed = enclosed

    def __repr__(self) -> str:
        return f"{self.message} {self.enclosed.getBriefTraceback()}"

    __str__ = __repr__


class RemoteAmpError(AmpError, stock.RemoteAmpError):
    """An error that crosses the wire as a code and a description.

    A responder may raise it to choose both. `fatal` closes the connection behind it; `local` is the failure on
    this side that it stands for, and never leaves this process.
    """

    errorCode: bytes
    description: str | bytes
    fatal: bool
    local: Failure | None

    def __init__(
        self, errorCode: bytes, description: str | bytes, fatal: bool = False, local: Failure | None = None
    ) -> None:
        where, traceback = "", ""
        if local:
            where, traceback = " (local)", f"\n{local.getBriefTraceback()}"
        code = b"".join((errorCode,)).decode("ascii", "backslashreplace")  # of any buffer, and of nothing else
        text = f"Code<{code}>{where}: {description}{traceback}"  # type: ignore[str-bytes-safe]  # as in Twisted
        Exception.__init__(self, text)
        self.local = local
        self.errorCode = errorCode
        self.description = description
        self.fatal = fatal


class UnknownRemoteError(RemoteAmpError, stock.UnknownRemoteError):
    """The other end failed in a way that its command does not declare."""

    def __init__(self, description: str | bytes) -> None:
        RemoteAmpError.__init__(self, b"UNKNOWN", description)


class MalformedAmpBox(AmpError, stock.MalformedAmpBox):
    """A box breaks the rules of the wire."""


class UnhandledCommand(AmpError, stock.UnhandledCommand):
    """The other end has no responder for the command."""


class IncompatibleVersions(AmpError, stock.IncompatibleVersions):
    """The two ends speak different versions; for programs that negotiate one."""
