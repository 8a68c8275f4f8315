"""The short way for those who override nothing: from keyword arguments to bytes and from bytes to a call, at once.

Between a call and its bytes lie a dozen methods that a subclass may override, and each has its contract. Where none
is overridden nobody can see whether they were called. So this takes the core's generated encoders instead, and
whenever it meets something unusual it leaves the work, untouched, to the methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from ampkit.schema import argument, scalars
from ampkit.schema.mapping import make_mapping_decoder, make_mapping_encoder
from ampkit.schema.typed import Field
from ampkit.twisted import _arguments
from ampkit.twisted._arguments import AsElement
from ampkit.twisted._boxes import Box
from ampkit.twisted._codec import Codec
from ampkit.wire.box import encode_pair
from ampkit.wire.keys import COMMAND

_IN_THE_CORE: Final[Mapping[type, Callable[[], argument.Argument[Any]]]] = {
    _arguments.Integer: scalars.Integer,
    _arguments.String: scalars.Bytes,
    _arguments.Unicode: scalars.Text,
}
"""Types whose values the core encodes to the same bytes and decodes to the same values, where it does so at all."""

_FIRST_KEY: Final = b"a"
"""AMP's own keys begin with an underscore; behind them in the order of keys are those that begin with a small letter."""


class NotStraight(Exception):
    """Something is unusual: the methods have to do it."""


class Straight:
    """One command's codecs for the short way. What is unusual makes them return None."""

    __slots__ = (
        "argumentNames",
        "command",
        "decodeArguments",
        "decodeResponse",
        "encodeArguments",
        "encodeResponse",
        "requiresAnswer",
    )

    def __init__(self, command: Any, arguments: Codec, response: Codec) -> None:
        argumentFields, responseFields = _fields(arguments), _fields(response)
        self.encodeArguments = make_mapping_encoder(
            argumentFields, encode_pair(COMMAND, command.commandName), closed=True
        )
        self.decodeArguments = make_mapping_decoder(argumentFields)
        self.encodeResponse = make_mapping_encoder(responseFields, b"", closed=False)
        self.decodeResponse = make_mapping_decoder(responseFields)
        self.command = command
        self.argumentNames = arguments.names
        self.requiresAnswer = command.requiresAnswer


def _fields(codec: Codec) -> list[Field]:
    if codec.fields is None or any(key < _FIRST_KEY or not key.isascii() for key, _, _ in codec.fields):
        raise NotStraight
    names = [python for _, python, _ in codec.fields]
    if len(set(names)) < len(names):
        raise NotStraight
    return [
        Field(python, key, _inCore(each), each.optional, _none if each.optional else None)
        for key, python, each in sorted(codec.fields, key=lambda field: field[0])
    ]


def _inCore(each: Any) -> argument.Argument[Any]:
    make = _IN_THE_CORE.get(type(each))
    return make() if make and not {"toString", "fromString"} & each.__dict__.keys() else AsElement(each)


def _none() -> None:
    return None


class Seams:
    """The methods between a call and its bytes, as they are in the class that must override none of them."""

    def __init__(self, plain: type, *names: str) -> None:
        self._names = frozenset(names)
        self._methods = attrgetter(*names)
        self._plain = self._methods(plain)

    def areKeptBy(self, instance: Any) -> bool:
        """Say whether neither the instance nor its class has another method of any of these names."""
        return self._methods(type(instance)) == self._plain and instance.__dict__.keys().isdisjoint(self._names)
