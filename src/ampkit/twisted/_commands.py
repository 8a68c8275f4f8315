"""Commands: their names, arguments and errors, and how one is carried out on a protocol; answers nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeVar

from twisted.internet.defer import fail
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.python.reflect import accumulateClassDict

from ampkit.twisted._arguments import _LocalArgument, _objectsToStrings, _stringsToObjects
from ampkit.twisted._boxes import Box, _SwitchBox
from ampkit.twisted._dispatcher import BoxDispatcher
from ampkit.twisted._errors import InvalidSignature, UnknownRemoteError
from ampkit.twisted._interfaces import ArgumentList, Responder
from ampkit.twisted._names import _wireNameToPythonIdentifier
from ampkit.twisted._question import Question
from ampkit.twisted._registry import register
from ampkit.twisted._stock import stock
from ampkit.twisted._tls import _NoCertificate, _TLSBox, checkOnlyOneTLS, tlsModule

F = TypeVar("F", bound=Responder)

_REFUSALS: Final = (stock.RemoteAmpError, stock.UnhandledCommand, stock.MalformedAmpBox)
"""What the other end's error box becomes."""

_sendBoxCommand: Final = BoxDispatcher._sendBoxCommand


class _CommandMeta(type):
    """Checks a command's declaration, and gathers the errors of its bases."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> _CommandMeta:
        if "commandName" not in attrs:
            attrs["commandName"] = name.encode("ascii")
        for attribute in ("errors", "fatalErrors"):
            if attribute in attrs and not isinstance(attrs[attribute], dict):
                attrs[attribute] = dict(attrs[attribute])
        command: Any = type.__new__(cls, name, bases, attrs)
        _check_bytes("Command", [command.commandName])
        _check_bytes("Argument", [key for key, _ in command.arguments])
        _check_bytes("Response", [key for key, _ in command.response])
        _check_bytes("Error", command.errors.values())
        _check_bytes("Fatal error", command.fatalErrors.values())
        errors: dict[type[Exception], bytes] = {}
        fatalErrors: dict[type[Exception], bytes] = {}
        accumulateClassDict(command, "errors", errors)
        accumulateClassDict(command, "fatalErrors", fatalErrors)
        command.allErrors = {**errors, **fatalErrors}
        command.reverseErrors = {code: error for which in (errors, fatalErrors) for error, code in which.items()}
        command._straight = None
        made: _CommandMeta = command
        return made

    _straight: Any
    """The short way of this command, once there is one; `_straight` looks after it."""


def _check_bytes(what: str, names: Any) -> None:
    for name in names:
        if not isinstance(name, bytes):
            raise TypeError(f"{what} names must be byte strings, got: {name!r}")


def _isUntouched(question: Any, proto: Any) -> bool:
    """Say whether a Deferred comes straight from our dispatcher; neither a program nor an answer was there first."""
    method = getattr(proto._sendBoxCommand, "__func__", None)
    return method is _sendBoxCommand and type(question) is Question and not question.called


class Command(metaclass=_CommandMeta):
    """A question one end asks the other: subclass it, and list `arguments` and `response` as (name, type) pairs.

    `errors` and `fatalErrors` map exceptions to codes; a fatal one closes the connection. `requiresAnswer =
    False` is for commands that nobody waits for. `commandName` is the class's own name unless it says another.
    """

    commandName: ClassVar[bytes]
    arguments: ClassVar[ArgumentList] = []
    response: ClassVar[ArgumentList] = []
    extra: ClassVar[list[Any]] = []
    errors: ClassVar[dict[type[Exception], bytes]] = {}
    fatalErrors: ClassVar[dict[type[Exception], bytes]] = {}
    allErrors: ClassVar[dict[type[Exception], bytes]]
    reverseErrors: ClassVar[dict[bytes, type[Exception]]]
    commandType: ClassVar[Any] = Box
    responseType: ClassVar[Any] = Box
    requiresAnswer: ClassVar[bool] = True

    def __init__(self, /, **kw: Any) -> None:
        self.structured = kw
        names = [
            _wireNameToPythonIdentifier(key) for key, each in self.arguments if not getattr(each, "optional", False)
        ]
        forgotten = [name for name in names if name not in kw]
        if forgotten:
            raise InvalidSignature(f"forgot {', '.join(forgotten)} for {self.commandName!r}")

    @classmethod
    def makeResponse(cls, objects: Any, proto: Any) -> Any:
        """Return the answer's box; a failed Deferred if its class refuses to be made."""
        try:
            box = cls.responseType()
        except BaseException:  # noqa: BLE001 - it becomes the Deferred's failure
            return fail()
        return _objectsToStrings(objects, cls.response, box, proto)

    @classmethod
    def makeArguments(cls, objects: Any, proto: Any) -> Any:
        """Return the ask's box. Raises InvalidSignature for a name that is no argument."""
        names = {_wireNameToPythonIdentifier(key) for key, _ in cls.arguments}
        for name in objects:
            if name not in names:
                raise InvalidSignature(f"{name} is not a valid argument")
        return _objectsToStrings(objects, cls.arguments, cls.commandType(), proto)

    @classmethod
    def parseResponse(cls, box: Any, protocol: Any) -> dict[str, Any]:
        """Return the objects of an answer's box."""
        return _stringsToObjects(box, cls.response, protocol)

    @classmethod
    def parseArguments(cls, box: Any, protocol: Any) -> dict[str, Any]:
        """Return the objects of an ask's box."""
        return _stringsToObjects(box, cls.arguments, protocol)

    @classmethod
    def responder(cls, methodfunc: F) -> F:
        """Decorate a method of a CommandLocator as the responder of this command; returns the method itself."""
        register(cls, methodfunc)
        return methodfunc

    def _doCommand(self, proto: Any) -> Any:
        """Ask on a protocol; return a Deferred for the response, or None if nobody waits for one."""
        box = self.makeArguments(self.structured, proto)
        question = proto._sendBoxCommand(self.commandName, box, self.requiresAnswer)
        if not self.requiresAnswer:
            return question
        if _isUntouched(question, proto):
            question.isFor(self)
        else:
            question.addCallback(self.parseResponse, proto)
            question.addErrback(self._knownError)
        return question

    @classmethod
    def _knownError(cls, failure: Failure) -> Any:
        """Turn a code that is declared into its exception, and one that is not into an UnknownRemoteError."""
        failure.trap(stock.RemoteAmpError)
        remote: Any = failure.value
        exception = cls.reverseErrors.get(remote.errorCode, UnknownRemoteError)
        return Failure(exception(remote.description))


class StartTLS(Command):
    """Make the connection secure; the certificates are this end's, and never leave it."""

    arguments = [
        (b"tls_localCertificate", _LocalArgument(optional=True)),
        (b"tls_verifyAuthorities", _LocalArgument(optional=True)),
    ]
    response = [
        (b"tls_localCertificate", _LocalArgument(optional=True)),
        (b"tls_verifyAuthorities", _LocalArgument(optional=True)),
    ]
    responseType = _TLSBox

    def __init__(self, *, tls_localCertificate: Any = None, tls_verifyAuthorities: Any = None, **kw: Any) -> None:
        if tlsModule() is None:
            raise RuntimeError("TLS not available.")
        self.certificate = _NoCertificate(True) if tls_localCertificate is None else tls_localCertificate
        self.authorities = tls_verifyAuthorities
        Command.__init__(self, **kw)

    def _doCommand(self, proto: Any) -> Any:
        """Ask, hold back what is sent meanwhile, and secure the transport when the answer comes."""
        checkOnlyOneTLS(proto, self.certificate, self.authorities)  # before the ask: nobody could take it back
        question = Command._doCommand(self, proto)
        proto._prepareTLS(self.certificate, self.authorities)

        def secure(response: Any) -> Any:
            proto._startTLS(self.certificate, self.authorities)
            return response

        def failed(failure: Failure) -> Failure:
            if failure.check(*_REFUSALS, *self.allErrors):
                proto._unprepareTLS()
            elif proto._failAllReason is None:  # whatever the other end does now, here it would not be understood
                proto.transport.loseConnection()
            return failure

        return question.addCallback(secure).addErrback(failed)


class ProtocolSwitchCommand(Command):
    """Make the connection another protocol's: the asking end gets it from a factory, the other from its responder."""

    def __init__(self, _protoToSwitchToFactory: Any, **kw: Any) -> None:
        self.protoToSwitchToFactory = _protoToSwitchToFactory
        super().__init__(**kw)

    @classmethod
    def makeResponse(cls, innerProto: Any, proto: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # a name of Twisted's
        """Return a box behind which the connection is the inner protocol's."""
        return _SwitchBox(innerProto)

    def _doCommand(self, proto: Any) -> Any:
        """Ask, send nothing more, and switch when the answer comes."""
        question = super()._doCommand(proto)
        proto._lockForSwitch()

        def switch(response: Any) -> Any:
            innerProto = self.protoToSwitchToFactory.buildProtocol(proto.transport.getPeer())
            proto._switchTo(innerProto, self.protoToSwitchToFactory)
            return response

        def refused(failure: Failure) -> Failure:
            proto._unlockFromSwitch()
            self.protoToSwitchToFactory.clientConnectionFailed(None, Failure(ConnectionLost()))
            return failure

        return question.addCallbacks(switch, refused)
