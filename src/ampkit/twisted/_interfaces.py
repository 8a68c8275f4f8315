"""The interfaces of AMP, for zope and for type checkers: whoever provides them for Twisted provides them here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.protocol import BaseProtocol

from ampkit.twisted._stock import stock

IArgumentType = stock.IArgumentType
IBoxSender = stock.IBoxSender
IBoxReceiver = stock.IBoxReceiver
IResponderLocator = stock.IResponderLocator


class ArgumentType(Protocol):
    """What type checkers know of an `IArgumentType`: ours, Twisted's or a program's own."""

    def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any, /) -> None:
        """Read a value from a box's strings into the objects."""

    def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any, /) -> None:
        """Write a value from the objects into a box's strings."""


class Asking(Protocol):
    """What type checkers know of an instance of a command, ours or Twisted's."""

    def _doCommand(self, proto: Any, /) -> Any: ...


CommandType: TypeAlias = Callable[..., Asking]
ArgumentList: TypeAlias = list[tuple[bytes, ArgumentType]]
Responded: TypeAlias = Mapping[str, Any] | BaseProtocol
"""What a responder returns, or its Deferred or coroutine does: a response, or the protocol to switch to."""
Responder: TypeAlias = Callable[..., Responded | Deferred[Any] | Coroutine[Any, Any, Responded]]
