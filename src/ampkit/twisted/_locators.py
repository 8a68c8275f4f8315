"""Which responder a command's name means, and how a responder's arguments and result cross the wire; sends nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import CoroutineType, MethodType
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.twisted._errors import BadLocalReturn, RemoteAmpError
from ampkit.twisted._interfaces import IResponderLocator
from ampkit.twisted._registry import take_registered


class _CommandLocatorMeta(type):
    """Takes over the responders that wait for a class, beside those of its bases."""

    _commandDispatch: dict[bytes, tuple[Any, Callable[..., Any]]]

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> _CommandLocatorMeta:
        own = {command.commandName: (command, function) for command, function in take_registered()}
        locator = type.__new__(cls, name, bases, attrs)
        dispatch: dict[bytes, tuple[Any, Callable[..., Any]]] = {}
        for base in reversed(locator.__mro__[1:]):
            dispatch.update(base.__dict__.get("_commandDispatch", {}))
        locator._commandDispatch = {**dispatch, **own}
        if "lookupFunction" in attrs and locator.__base__ is not object:
            locator.locateResponder = _locateByOldName  # type: ignore[attr-defined]
        return locator


def _locateByOldName(self: Any, name: bytes) -> Any:
    """Stand in for `locateResponder` in a class that overrides it under the name it had before."""
    message = "Override locateResponder, not lookupFunction."
    warnings.warn(message, category=PendingDeprecationWarning, stacklevel=2)
    return self.lookupFunction(name)


class WrappedResponder:
    """A responder that takes the box of an ask and gives a Deferred for the box of its answer."""

    __slots__ = ("_command", "_function", "_locator")

    def __init__(self, locator: Any, function: Callable[..., Any], command: Any) -> None:
        self._locator = locator
        self._function = function
        self._command = command

    def __call__(self, box: Any) -> Deferred[Any]:
        """Respond. What parsing the arguments raises is raised here and not in the Deferred."""
        result = self.respond(box)
        return result if isinstance(result, Deferred) else succeed(result)

    def respond(self, box: Any) -> Any:
        """Return the answer's box itself if the responder has it at once, else a Deferred."""
        objects = self._command.parseArguments(box, self._locator)
        try:
            result = self._function(**objects)
        except Exception:
            result = Failure()
        return self.answer(result)

    def answer(self, result: Any) -> Any:
        """Return the answer's box for what the responder returned, else a Deferred for it."""
        if isinstance(result, CoroutineType):
            result = Deferred.fromCoroutine(result)
        elif isinstance(result, Failure):
            result = fail(result)
        if isinstance(result, Deferred):
            return result.addCallback(self._serialize).addErrback(self._known)
        try:
            return self._serialize(result)
        except Exception:
            return fail().addErrback(self._known)

    def _serialize(self, objects: Any) -> Any:
        try:
            return self._command.makeResponse(objects, self._locator)
        except BaseException:
            failure = Failure()
            message = f"{self._function!r} returned {objects!r} and {self._command!r} could not serialize it"
            raise BadLocalReturn(message, failure) from None

    def _known(self, failure: Failure) -> Any:
        """Turn a declared exception into the error that crosses the wire; leave every other one as it is."""
        exception = failure.check(*self._command.allErrors)
        if exception is None:
            return failure
        code = self._command.allErrors[exception]
        fatal = exception in self._command.fatalErrors
        return Failure(RemoteAmpError(code, str(failure.value), fatal, local=failure))


@implementer(IResponderLocator)
class CommandLocator(metaclass=_CommandLocatorMeta):
    """Finds responders that were decorated with `SomeCommand.responder` in the class body."""

    _commandDispatch: ClassVar[dict[bytes, tuple[Any, Callable[..., Any]]]]

    def _wrapWithSerialization(self, aCallable: Callable[..., Any], command: Any) -> Callable[[Any], Deferred[Any]]:
        """Return a function from the box of an ask to a Deferred for the box of its answer."""
        return WrappedResponder(self, aCallable, command)

    def lookupFunction(self, name: bytes) -> Any:
        """Deprecated: `locateResponder` is the name."""
        if type(self).lookupFunction is CommandLocator.lookupFunction:  # else an override calls up, and was warned of
            message = "Call locateResponder, not lookupFunction."
            warnings.warn(message, category=PendingDeprecationWarning, stacklevel=2)
        return CommandLocator.locateResponder(self, name)

    def locateResponder(self, name: bytes) -> Any:
        """Return a function from box to Deferred for the command of this name, or None."""
        found = self._commandDispatch.get(name)
        if found is None:
            return None
        command, function = found
        return self._wrapWithSerialization(MethodType(function, self), command)


@implementer(IResponderLocator)
class SimpleStringLocator:
    """Finds responders by the names of methods: `amp_SUM` takes a box and returns one."""

    baseDispatchPrefix = b"amp_"

    def locateResponder(self, name: bytes) -> Any:
        """Return the method of the command of this name, or None."""
        return getattr(self, (self.baseDispatchPrefix + name.upper()).decode("ascii", "replace"), None)
