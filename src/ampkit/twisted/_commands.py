"""Commands: their names, arguments and errors, and how one is carried out on a protocol; answers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from twisted.internet.defer import fail
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.python.reflect import accumulateClassDict

from ampkit.twisted._arguments import _LocalArgument
from ampkit.twisted._boxes import Box, _SwitchBox
from ampkit.twisted._codec import Codec
from ampkit.twisted._errors import InvalidSignature, UnknownRemoteError
from ampkit.twisted._names import _wireNameToPythonIdentifier
from ampkit.twisted._question import Question
from ampkit.twisted._registry import register
from ampkit.twisted._stock import stock
from ampkit.twisted._straight import NotStraight, Straight
from ampkit.twisted._tls import _NoCertificate, _TLSBox, tlsModule

F = TypeVar("F", bound=Callable[..., Any])

CONNECTION_LOST = Failure(ConnectionLost())


class _CommandMeta(type):
    """Checks a command's declaration, and gathers the errors of its bases."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> _CommandMeta:
        attrs.setdefault("commandName", name.encode("ascii"))
        for attribute in ("errors", "fatalErrors"):
            if attribute in attrs and not isinstance(attrs[attribute], dict):
                attrs[attribute] = dict(attrs[attribute])
        command: Any = type.__new__(cls, name, bases, attrs)
        _check_bytes("Command", [command.commandName])
        _check_bytes("Argument", [key for key, _ in command.arguments])
        _check_bytes("Response", [key for key, _ in command.response])
        _check_bytes("Error", command.errors.values())
        _check_bytes("Fatal error", command.fatalErrors.values())
        command.allErrors = {}
        accumulateClassDict(command, "errors", command.allErrors)
        accumulateClassDict(command, "fatalErrors", command.allErrors)
        command.reverseErrors = {code: exception for exception, code in command.allErrors.items()}
        command._argumentCodec = Codec(command.arguments)
        command._responseCodec = Codec(command.response)
        command._straight = None
        return cast("_CommandMeta", command)


    def __setattr__(cls, name: str, value: Any) -> None:
        """Change the class, and let the short way be looked for anew."""
        type.__setattr__(cls, name, value)
        if not name.startswith("_straight"):
            cls._straight = None

    _straight: Straight | NotStraight | None

    def straight(cls) -> Straight | None:
        """Return the codecs for the short way, or None for a command that overrides what the short way leaves out."""
        found = cls._straight
        if found is None:
            found = cls._straight = _straightOf(cls)
        return found if found.__class__ is Straight else None  # type: ignore[return-value]


def _straightOf(command: Any) -> Straight | NotStraight:
    try:
        if any(getattr(command, name) != getattr(Command, name) for name in _VALUES):
            raise NotStraight
        if any(getattr(command, name).__func__ is not getattr(Command, name).__func__ for name in _CLASS_METHODS):
            raise NotStraight
        return Straight(command, command._argumentCodecNow(), command._responseCodecNow())
    except NotStraight as reason:
        return reason


_VALUES = ("__init__", "_doCommand", "commandType", "responseType")
_CLASS_METHODS = ("makeArguments", "makeResponse", "parseArguments", "parseResponse", "_knownError")


def _check_bytes(what: str, names: Any) -> None:
    for name in names:
        if not isinstance(name, bytes):
            raise TypeError(f"{what} names must be byte strings, got: {name!r}")


class Command(metaclass=_CommandMeta):
    """A question one end asks the other: subclass it, and list `arguments` and `response` as (name, type) pairs.

    `errors` and `fatalErrors` map exceptions to codes; a fatal one closes the connection. `requiresAnswer =
    False` is for commands that nobody waits for. `commandName` is the class's own name unless it says another.
    """

    commandName: ClassVar[bytes]
    arguments: ClassVar[list[tuple[bytes, Any]]] = []
    response: ClassVar[list[tuple[bytes, Any]]] = []
    extra: ClassVar[list[Any]] = []
    errors: ClassVar[dict[type[Exception], bytes]] = {}
    fatalErrors: ClassVar[dict[type[Exception], bytes]] = {}
    allErrors: ClassVar[dict[type[Exception], bytes]]
    reverseErrors: ClassVar[dict[bytes, type[Exception]]]
    commandType: ClassVar[Any] = Box
    responseType: ClassVar[Any] = Box
    requiresAnswer: ClassVar[bool] = True

    _argumentCodec: ClassVar[Codec]
    _responseCodec: ClassVar[Codec]

    def __init__(self, /, **kw: Any) -> None:
        self.structured = kw
        missing = self._argumentCodecNow().names - kw.keys()
        if missing:
            self._checkForgotten(missing)

    def _checkForgotten(self, missing: frozenset[str]) -> None:
        names = [(_wireNameToPythonIdentifier(key), each) for key, each in self.arguments]
        forgotten = [name for name, each in names if name in missing and not each.optional]
        if forgotten:
            raise InvalidSignature(f"forgot {', '.join(forgotten)} for {self.commandName!r}")

    @classmethod
    def _argumentCodecNow(cls) -> Codec:
        if not cls._argumentCodec.isFor(cls.arguments):
            cls._argumentCodec = Codec(cls.arguments)
        return cls._argumentCodec

    @classmethod
    def _responseCodecNow(cls) -> Codec:
        if not cls._responseCodec.isFor(cls.response):
            cls._responseCodec = Codec(cls.response)
        return cls._responseCodec

    @classmethod
    def makeResponse(cls, objects: Any, proto: Any) -> Any:
        """Return the answer's box; a failed Deferred if its class refuses to be made."""
        try:
            box = cls.responseType()
        except BaseException:
            return fail()
        return cls._responseCodecNow().write(objects, box, proto)

    @classmethod
    def makeArguments(cls, objects: Any, proto: Any) -> Any:
        """Return the ask's box. Raises InvalidSignature for a name that is no argument."""
        codec = cls._argumentCodecNow()
        for name in objects:
            if name not in codec.names:
                raise InvalidSignature(f"{name} is not a valid argument")
        return codec.write(objects, cls.commandType(), proto)

    @classmethod
    def parseResponse(cls, box: Any, protocol: Any) -> dict[str, Any]:
        """Return the objects of an answer's box."""
        return cls._responseCodecNow().read(box, protocol)

    @classmethod
    def parseArguments(cls, box: Any, protocol: Any) -> dict[str, Any]:
        """Return the objects of an ask's box."""
        return cls._argumentCodecNow().read(box, protocol)

    @classmethod
    def responder(cls, methodfunc: F) -> F:
        """Decorate a method of a CommandLocator as the responder of this command; returns the method itself."""
        register(cls, methodfunc)
        return methodfunc

    def _doCommand(self, proto: Any) -> Any:
        """Ask on a protocol; return a Deferred for the response, or None if nobody waits for one."""
        question = proto._sendBoxCommand(
            self.commandName, self.makeArguments(self.structured, proto), self.requiresAnswer
        )
        if isinstance(question, Question):
            question.isFor(type(self), proto)
        elif self.requiresAnswer:
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

    arguments = [(b"tls_localCertificate", _LocalArgument(optional=True)), (b"tls_verifyAuthorities", _LocalArgument(optional=True))]
    response = [(b"tls_localCertificate", _LocalArgument(optional=True)), (b"tls_verifyAuthorities", _LocalArgument(optional=True))]
    responseType = _TLSBox

    def __init__(self, *, tls_localCertificate: Any = None, tls_verifyAuthorities: Any = None, **kw: Any) -> None:
        if tlsModule() is None:
            raise RuntimeError("TLS not available.")
        self.certificate = _NoCertificate(True) if tls_localCertificate is None else tls_localCertificate
        self.authorities = tls_verifyAuthorities
        Command.__init__(self, **kw)

    def _doCommand(self, proto: Any) -> Any:
        """Ask, hold back what is sent meanwhile, and secure the transport when the answer comes."""
        check = getattr(proto, "_checkOnlyOneTLS", None)
        if check is not None:  # before anything is sent: behind the ask nobody could take it back
            check(self.certificate, self.authorities)
        question = Command._doCommand(self, proto)
        proto._prepareTLS(self.certificate, self.authorities)

        def secure(response: Any) -> Any:
            proto._startTLS(self.certificate, self.authorities)
            return response

        def refused(failure: Failure) -> Failure:
            release = getattr(proto, "_unprepareTLS", None)
            if release is not None:
                release()
            return failure

        question.addCallbacks(secure, refused)
        return question


class ProtocolSwitchCommand(Command):
    """Make the connection another protocol's: the asking end gets it from a factory, the answering end from its responder."""

    def __init__(self, _protoToSwitchToFactory: Any, **kw: Any) -> None:
        self.protoToSwitchToFactory = _protoToSwitchToFactory
        super().__init__(**kw)

    @classmethod
    def makeResponse(cls, innerProto: Any, proto: Any) -> Any:
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
            self.protoToSwitchToFactory.clientConnectionFailed(None, CONNECTION_LOST)
            return failure

        return question.addCallbacks(switch, refused)
