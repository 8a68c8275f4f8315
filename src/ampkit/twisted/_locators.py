"""Which responder a command's name means, and how a responder's arguments and result cross the wire; sends nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.twisted._errors import BadLocalReturn, RemoteAmpError
from ampkit.twisted._interfaces import IResponderLocator
from ampkit.twisted._registry import take_registered, waiting


class _CommandLocatorMeta(type):
    """Takes over the responders that wait for a class, beside those of its bases."""

    _currentClassCommands = waiting

    _commandDispatch: dict[bytes, tuple[Any, Callable[..., Any]]]

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> _CommandLocatorMeta:
        own = {command.commandName: (command, function) for command, function in take_registered()}
        locator = type.__new__(cls, name, bases, attrs)
        dispatch: dict[bytes, tuple[Any, Callable[..., Any]]] = {}
        for base in reversed(locator.__mro__[1:]):
            dispatch.update(base.__dict__.get("_commandDispatch", {}))
        locator._commandDispatch = {**dispatch, **own}
        if bases and locator.lookupFunction != CommandLocator.lookupFunction:  # type: ignore[attr-defined]
            locator.locateResponder = _locateByOldName  # type: ignore[attr-defined]
        return locator


def _locateByOldName(self: Any, name: bytes) -> Any:
    """Stand in for `locateResponder` in a class that overrides it under the name it had before."""
    message = "Override locateResponder, not lookupFunction."
    warnings.warn(message, category=PendingDeprecationWarning, stacklevel=2)
    return self.lookupFunction(name)


def answerFor(result: Deferred[Any], locator: Any, function: Callable[..., Any], command: Any) -> Deferred[Any]:
    """Return a Deferred for the answer's box, from one for what a responder returns."""

    def serialize(objects: Any) -> Any:
        try:
            return command.makeResponse(objects, locator)
        except BaseException:  # noqa: BLE001 - as every callback of a Deferred
            failure = Failure()
            message = f"{function!r} returned {objects!r} and {command!r} could not serialize it"
            raise BadLocalReturn(message, failure) from None

    def known(failure: Failure) -> Failure:
        """Turn a declared exception into the error that crosses the wire; every other one stays as it is."""
        exception: Any = failure.trap(*command.allErrors)
        code = command.allErrors[exception]
        fatal = exception in command.fatalErrors
        return Failure(RemoteAmpError(code, str(failure.value), fatal, local=failure))

    return result.addCallback(serialize).addErrback(known)


@implementer(IResponderLocator)
class CommandLocator(metaclass=_CommandLocatorMeta):
    """Finds responders that were decorated with `SomeCommand.responder` in the class body."""

    _commandDispatch: ClassVar[dict[bytes, tuple[Any, Callable[..., Any]]]]

    def _wrapWithSerialization(self, aCallable: Callable[..., Any], command: Any) -> Callable[[Any], Deferred[Any]]:
        """Return a function from the box of an ask to a Deferred for the box of its answer."""

        def respond(box: Any) -> Deferred[Any]:
            objects = command.parseArguments(box, self)
            # as a partial, because an argument may have the name of one of maybeDeferred's own
            return answerFor(maybeDeferred(partial(aCallable, **objects)), self, aCallable, command)

        return respond

    def lookupFunction(self, name: bytes) -> Any:
        """Deprecated: `locateResponder` is the name."""
        if type(self).lookupFunction != CommandLocator.lookupFunction:  # an override calls up, and was warned of
            return CommandLocator.locateResponder(self, name)
        message = "Call locateResponder, not lookupFunction."
        warnings.warn(message, category=PendingDeprecationWarning, stacklevel=2)
        return self.locateResponder(name)

    def locateResponder(self, name: bytes) -> Any:
        """Return a function from box to Deferred for the command of this name, or None."""
        if name not in self._commandDispatch:
            return None
        command, function = self._commandDispatch[name]
        return self._wrapWithSerialization(MethodType(function, self), command)


@implementer(IResponderLocator)
class SimpleStringLocator:
    """Finds responders by the names of methods: `amp_SUM` takes a box and returns one."""

    baseDispatchPrefix = b"amp_"

    def locateResponder(self, name: bytes) -> Any:
        """Return the method of the command of this name, or None."""
        return getattr(self, (self.baseDispatchPrefix + name.upper()).decode("ascii", "replace"), None)
