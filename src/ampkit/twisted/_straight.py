"""The short way of a command: from keyword arguments to bytes and from strings to values at once; sends nothing.

Between a call and its bytes lie a dozen methods that a subclass may override, and each has its contract. Where none
is overridden nobody can see whether they were called. So this takes the core's generated functions instead. Whenever
they meet something unusual they return None, and the work is left to the methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from ampkit.schema import argument, scalars
from ampkit.schema.codecs import make_caller, make_mapping_decoder, make_mapping_encoder
from ampkit.schema.mapping import UNUSUAL
from ampkit.schema.typed import Field
from ampkit.twisted._arguments import Argument, Integer, String, Unicode
from ampkit.twisted._commands import Command, _CommandMeta
from ampkit.twisted._names import _wireNameToPythonIdentifier
from ampkit.twisted._question import never
from ampkit.wire.box import encode_pair
from ampkit.wire.keys import ANSWER, ASK, COMMAND
from ampkit.wire.limits import MAX_KEY_LENGTH

_KEY: Final = attrgetter("key")
_FIRST_KEY: Final = b"a"
"""AMP's own keys begin with an underscore. What begins with a small letter is behind them in the order of keys."""

_OVERRIDABLE: Final = (
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
_COMMAND: Final = attrgetter(*_OVERRIDABLE, "commandName", "requiresAnswer")
_CONVERSIONS: Final = attrgetter("toString", "fromString")
_TAKEN: Final = ("retrieve", "fromBox", "toBox", "fromStringProto", "toStringProto")
"""What a type of argument overrides that wants more than one value and one string."""
_ARGUMENT: Final = attrgetter(*_TAKEN, "toString", "fromString")
_ASSIGNED: Final = frozenset((*_TAKEN, "toString", "fromString"))


class Straight:
    """One command's functions for the short way, made from the command as it was when they were made."""

    __slots__ = (
        "_arguments",
        "_command",
        "_each",
        "_response",
        "_types",
        "command",
        "decodeResponse",
        "encodeArguments",
        "encodeResponse",
        "requiresAnswer",
        "respond",
    )

    command: Any
    requiresAnswer: bool
    encodeArguments: Callable[[Mapping[str, Any], bytes], bytes | None]
    respond: Callable[[Mapping[bytes, bytes], Callable[..., Any], object], Any]
    encodeResponse: Callable[[Mapping[str, Any], bytes], bytes | None]
    decodeResponse: Callable[[Mapping[bytes, bytes]], dict[str, Any] | None]

    def __init__(self, command: Any) -> None:
        self.command = command
        self.encodeArguments = self.encodeResponse = self.decodeResponse = never
        self.respond = neverCalled
        if not _isOurs(command):
            return
        self._remember()
        if _overridable(command) != _PLAIN_COMMAND:
            return
        self.requiresAnswer = command.requiresAnswer
        arguments, response = _fields(command.arguments), _fields(command.response)
        if arguments is not None:
            head = encode_pair(COMMAND, command.commandName)
            first = ASK if command.requiresAnswer else b""
            self.encodeArguments = make_mapping_encoder(sorted(arguments, key=_KEY), first, head, closed=True)
            self.respond = make_caller(arguments)
        if response is not None:
            self.encodeResponse = make_mapping_encoder(sorted(response, key=_KEY), ANSWER, b"", closed=False)
            self.decodeResponse = make_mapping_decoder(response)

    def _remember(self) -> None:
        """Keep all that the functions are made from. A program may change any of it at any time."""
        self._command = _COMMAND(self.command)
        self._arguments = list(self.command.arguments)
        self._response = list(self.command.response)
        each = [each for _, each in (*self._arguments, *self._response) if isinstance(each, Argument)]
        self._types = [(cls, _ARGUMENT(cls)) for cls in {type(one) for one in each}]
        self._each = [(one, one.optional, one.__dict__.keys().isdisjoint(_ASSIGNED)) for one in each]

    def isUpToDate(self) -> bool:
        """Say whether none of it has changed."""
        command = self.command
        if [*command.arguments] != self._arguments or [*command.response] != self._response:
            return False
        for cls, methods in self._types:
            if _ARGUMENT(cls) != methods:
                return False
        for one, optional, hasNone in self._each:
            if one.optional != optional or one.__dict__.keys().isdisjoint(_ASSIGNED) != hasNone:
                return False
        return bool(_COMMAND(command) == self._command)


def straightOf(command: Any) -> Straight:
    """Return the short way of a command as it is now. What is no command of ours has none: all of it is unusual."""
    if not _isOurs(command):
        return Straight(command)
    straight: Any = command._straight
    if straight is None or not straight.isUpToDate():
        straight = command._straight = Straight(command)
    made: Straight = straight
    return made


def _fields(arglist: Any) -> list[Field] | None:
    """Return the fields of an argument list in its order; None if the methods have to do something for one of them."""
    fields = [_field(key, each) for key, each in arglist]
    found = [field for field in fields if field is not None]
    return found if len({field.name for field in found}) == len(fields) else None


def _field(key: bytes, each: Any) -> Field | None:
    isPlainKey = key.isascii() and key >= _FIRST_KEY and len(key) <= MAX_KEY_LENGTH
    if not isPlainKey or not isinstance(each, Argument) or not each.__dict__.keys().isdisjoint(_ASSIGNED):
        return None
    if _ARGUMENT(type(each))[: len(_TAKEN)] != _PLAIN_ARGUMENT:
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


def neverCalled(*_: Any) -> Any:
    """Be a short way to a responder that nothing can go."""
    return UNUSUAL


def _isOurs(command: Any) -> bool:
    return type(command) is _CommandMeta


def _overridable(command: Any) -> list[Any]:
    values = [getattr(command, name) for name in _OVERRIDABLE]
    return [getattr(value, "__func__", value) for value in values]


def _none() -> None:
    return None


_PLAIN_COMMAND: Final = _overridable(Command)
_PLAIN_ARGUMENT: Final = _ARGUMENT(Argument)[: len(_TAKEN)]
_IN_THE_CORE: Final[list[tuple[Any, Callable[[], argument.Argument[Any]]]]] = [
    (_CONVERSIONS(Integer), scalars.Integer),
    (_CONVERSIONS(String), scalars.Bytes),
    (_CONVERSIONS(Unicode), scalars.Text),
]
"""Conversions that the core does to the same bytes and to the same values, where it does them at all."""
