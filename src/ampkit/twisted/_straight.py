"""The short way of a command: from keyword arguments to bytes and from strings to values at once; sends nothing.

Between a call and its bytes lie a dozen methods that a subclass may override, and each has its contract. Where none
is overridden nobody can see whether they were called. So this takes the core's generated functions instead. Whenever
they meet something unusual they return None, and the work is left to the methods.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Final

from ampkit.schema import argument, scalars
from ampkit.schema.mapping import make_mapping_decoder, make_mapping_encoder
from ampkit.schema.typed import Field
from ampkit.twisted._arguments import Argument, Integer, String, Unicode
from ampkit.twisted._commands import Command
from ampkit.twisted._names import _wireNameToPythonIdentifier
from ampkit.wire.box import encode_pair
from ampkit.wire.keys import COMMAND
from ampkit.wire.limits import MAX_KEY_LENGTH

_FIRST_KEY: Final = b"a"
"""AMP's own keys begin with an underscore. What begins with a small letter is behind them in the order of keys."""

_COMMAND_SEAMS: Final = attrgetter(
    "__init__",
    "_doCommand",
    "_knownError",
    "commandType",
    "makeArguments",
    "makeResponse",
    "parseArguments",
    "parseResponse",
    "responseType",
)
_CONVERSIONS: Final = attrgetter("toString", "fromString")
_TAKEN: Final = ("retrieve", "fromBox", "toBox", "fromStringProto", "toStringProto")
"""What a type of argument overrides that wants more than one value and one string."""
_ARGUMENT_SEAMS: Final = attrgetter(*_TAKEN, "toString", "fromString")
_ASSIGNED: Final = frozenset((*_TAKEN, "toString", "fromString"))


class Straight:
    """One command's functions for the short way, made from the command as it was when they were made."""

    __slots__ = (
        "basis",
        "command",
        "decodeArguments",
        "decodeResponse",
        "delivery",
        "encodeArguments",
        "encodeResponse",
        "requiresAnswer",
    )

    def __init__(self, command: Any, basis: object) -> None:
        self.command = command
        self.basis = basis
        self.delivery: object = None
        self.requiresAnswer = command.requiresAnswer
        self.encodeArguments = self.decodeArguments = self.encodeResponse = self.decodeResponse = _never
        if [getattr(each, "__func__", each) for each in _COMMAND_SEAMS(command)] != _PLAIN_COMMAND:
            return
        arguments, response = _fields(command.arguments), _fields(command.response)
        if arguments is not None:
            head = encode_pair(COMMAND, command.commandName)
            self.encodeArguments = make_mapping_encoder(arguments, head, closed=True)
            self.decodeArguments = make_mapping_decoder(arguments)
        if response is not None:
            self.encodeResponse = make_mapping_encoder(response, b"", closed=False)
            self.decodeResponse = make_mapping_decoder(response)


def straightOf(command: Any, delivery: object) -> Straight:
    """Return the short way of a command as it is now, and note in which delivery it was looked at."""
    basis = _basis(command)
    straight: Straight | None = command._straight
    if straight is None or straight.basis != basis:
        straight = command._straight = Straight(command, basis)
    straight.delivery = delivery
    return straight


def _basis(command: Any) -> object:
    """Return all that a command's functions are made from. A program may change any of it at any time."""
    return (
        _COMMAND_SEAMS(command),
        command.commandName,
        command.requiresAnswer,
        [(key, each, _argumentBasis(each)) for key, each in command.arguments],
        [(key, each, _argumentBasis(each)) for key, each in command.response],
    )


def _argumentBasis(each: Any) -> object:
    if not isinstance(each, Argument):
        return None
    return _ARGUMENT_SEAMS(type(each)), each.optional, each.__dict__.keys().isdisjoint(_ASSIGNED)


def _fields(arglist: Any) -> list[Field] | None:
    """Return the fields of a list of arguments, or None if the methods have to do something for one of them."""
    fields = [_field(key, each) for key, each in sorted(arglist, key=itemgetter(0))]
    found = [field for field in fields if field is not None]
    return found if len({field.name for field in found}) == len(fields) else None


def _field(key: bytes, each: Any) -> Field | None:
    isPlainKey = key.isascii() and _FIRST_KEY <= key and len(key) <= MAX_KEY_LENGTH
    if not isPlainKey or not isinstance(each, Argument) or not each.__dict__.keys().isdisjoint(_ASSIGNED):
        return None
    if _ARGUMENT_SEAMS(type(each))[: len(_TAKEN)] != _PLAIN_ARGUMENT:
        return None
    name = _wireNameToPythonIdentifier(key)
    return Field(name, key, _inCore(each), bool(each.optional), _none if each.optional else None)


def _inCore(each: Argument) -> argument.Argument[Any]:
    conversions = _CONVERSIONS(type(each))
    for theirs, make in _IN_THE_CORE:
        if conversions == theirs:
            return make()
    return _Other(each)


class _Other(argument.Argument[Any]):
    """Any type of argument that takes one value and gives one string, as one of the schema's."""

    def __init__(self, each: Argument) -> None:
        super().__init__()
        self._each = each

    def encode(self, value: Any) -> bytes:
        encoded: bytes = self._each.toString(value)
        return encoded

    def decode(self, data: bytes) -> Any:
        return self._each.fromString(data)


def _never(_: Any) -> None:
    return None


def _none() -> None:
    return None


_PLAIN_COMMAND: Final = [getattr(each, "__func__", each) for each in _COMMAND_SEAMS(Command)]
_PLAIN_ARGUMENT: Final = _ARGUMENT_SEAMS(Argument)[: len(_TAKEN)]
_IN_THE_CORE: Final[list[tuple[Any, Callable[[], argument.Argument[Any]]]]] = [
    (_CONVERSIONS(Integer), scalars.Integer),
    (_CONVERSIONS(String), scalars.Bytes),
    (_CONVERSIONS(Unicode), scalars.Text),
]
"""Conversions that the core does to the same bytes and to the same values, where it does them at all."""
