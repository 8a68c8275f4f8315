"""What a command is: its name, arguments, response and errors; knows no connection and runs nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    overload,
)

from ampkit.errors import LocalProtocolError
from ampkit.schema.argument import wrong_type
from ampkit.schema.carrying import carries, descriptor_keys
from ampkit.schema.classic import refuse_attributes, take_arguments, take_response
from ampkit.schema.codecs import make_encoder, make_plan
from ampkit.schema.descriptor import Carrier
from ampkit.schema.hints import Compiled, Scope, evaluated, scope_of
from ampkit.schema.record import Record, Response
from ampkit.schema.switch import Switch
from ampkit.wire.box import encode_pair
from ampkit.wire.keys import COMMAND
from ampkit.wire.limits import MAX_VALUE_LENGTH
from ampkit.wire.text import printable

R_co = TypeVar("R_co", covariant=True)
P = ParamSpec("P")
S = TypeVar("S")

Errors: TypeAlias = Mapping[type[Exception], str | bytes]
"""Declared errors: which exception travels as which code."""

RESPONDS_TO: Final = "__ampkit_responds_to__"
"""The attribute by which a function says to which commands it is the responder."""


@dataclass(frozen=True, slots=True)
class CommandSchema:
    """What a command is on the wire, compiled once a class."""

    name: bytes
    encode: Callable[..., bytes]
    """A command, and the Carrier of what travels beside, to the pairs of its ask: `_command` and the arguments."""
    decode: Callable[..., Any]
    """The box of an ask, and the Carrier of what has come beside it, to a command."""
    response: type[Response] | None
    decode_response: Callable[..., Any]
    """The box of an answer, and a Carrier, to the response.

    It raises RemoteProtocolError if the box is not what this command declares.
    """
    errors: Mapping[type[Exception], bytes]
    """Exception to code, inherited ones included, fatal ones too."""
    exceptions: Mapping[bytes, type[Exception]]
    """Code to exception; of several exceptions with one code, the one declared last."""
    fatal: frozenset[type[Exception]]
    """The exceptions behind which the responding end closes the connection."""
    answers: bool
    idempotent: bool
    requires_tls: bool
    """Neither sent nor run on a connection without TLS."""
    switches: bool
    """Behind its answer the connection speaks another protocol."""
    """It may run twice as well as once, so whoever does not know whether it ran may repeat it."""
    carries: bool
    """Descriptors are among the arguments, or in their lists."""
    response_carries: bool
    """The same of the response."""
    descriptor_keys: tuple[bytes, ...]
    """The arguments that are descriptors."""
    plan: Any = None
    """How the compiled module asks it; None if it has to be asked in Python."""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to an ask but its values: it goes over any connection, and changes none."""
        return not (self.requires_tls or self.switches or self.carries or self.response_carries)

    def encode_response(self, value: Any, carrier: Carrier | None = None) -> bytes:
        """Return the pairs of the answer for what a responder returned: the response, or a mapping of its values.

        Raises LocalProtocolError if it is not this command's response, or cannot be sent.
        """
        response = self.response
        if response is None:
            if value is None:
                return b""
            raise self._wrong_return(value, "None")
        if value.__class__ is not response:  # the common case, without a look at what a mapping is
            value = self._as_response(value, response)
        return response.__schema__.encode(value, carrier)

    def _as_response(self, value: Any, response: type[Response]) -> Response:
        if isinstance(value, response):
            return value
        if not isinstance(value, Mapping):
            raise self._wrong_return(value, response.__name__)
        try:
            return response(**value)
        except Exception as error:
            where = f"the responder of {printable(self.name)} returned a mapping"
            raise LocalProtocolError(f"{where} that is no {response.__name__}: {error}") from error

    def _wrong_return(self, value: object, wanted: str) -> LocalProtocolError:
        return LocalProtocolError(
            f"the responder of {printable(self.name)} must return {wanted}, not {type(value).__name__}"
        )


@dataclass(frozen=True, slots=True)
class _Declared:
    """What one class statement itself says of a command; None where it says nothing."""

    errors: Mapping[type[Exception], bytes]
    fatal_errors: Mapping[type[Exception], bytes]
    answers: bool | None
    idempotent: bool | None
    requires_tls: bool | None


class Command(Record, Generic[R_co]):
    """A question that one end asks the other: `class Sum(Command[Total])` with typed fields, answered by a `Total`.

    `Command[None]` is answered without values. Class keywords: `name`, 1 to 65,535 bytes (default: the
    class's own name, never an inherited one); `errors` and `fatal_errors`, exception to code (inherited and
    added to; behind a fatal one the responding end closes the connection); `answers=False` (nobody waits for
    an answer; inherited); `idempotent=True` (to run it twice does what running it once does, so it is repeated
    where a connection was lost; inherited); `require_tls=True` (neither sent nor run without TLS; inherited).
    Behind the answer to a `Command[Switch]` the connection speaks another protocol. The classic form has
    `arguments = [(b"a", Integer())]` and `response = [(b"total", Integer())]` in the class body in place of
    annotations. Raises TypeError for a class that cannot be a command.
    """

    __command__: ClassVar[CommandSchema]
    __declared__: ClassVar[_Declared] = _Declared({}, {}, answers=True, idempotent=False, requires_tls=False)
    __answer__: ClassVar[Any]
    """What stands for R: a class, None, a name of a class to come, or a variable still."""
    __response__: ClassVar[type[Response] | type[Switch] | None] = None

    def __init_subclass__(
        cls,
        *,
        name: str | bytes | None = None,
        errors: Errors | None = None,
        fatal_errors: Errors | None = None,
        answers: bool | None = None,
        idempotent: bool | None = None,
        require_tls: bool | None = None,
        **options: Any,
    ) -> None:
        refuse_attributes(cls)
        take_arguments(cls)
        response = take_response(cls)
        _refuse_responder(cls)
        super().__init_subclass__(**options)
        cls.__declared__ = _Declared(_codes(errors), _codes(fatal_errors), answers, idempotent, require_tls)
        if response is not None:
            cls.__response__ = response
        elif (answer := _answer_of(cls)) is not cls.__answer__:
            scope = scope_of(cls)
            cls.__answer__ = answer
            Compiled.install(cls, "__response__", lambda: _response(answer, cls, scope))
        wire_name = _wire_name(cls.__name__ if name is None else name)
        Compiled.install(cls, "__command__", lambda: _compile(cls, wire_name))

    @overload
    @classmethod
    def responder(
        cls, function: Callable[Concatenate[S, Self, P], Coroutine[Any, Any, R_co]]
    ) -> Callable[Concatenate[S, Any, P], Coroutine[Any, Any, R_co]]: ...
    @overload
    @classmethod
    def responder(cls, function: Callable[Concatenate[S, Self, P], R_co]) -> Callable[Concatenate[S, Any, P], R_co]: ...
    @classmethod
    def responder(cls, function: Any) -> Any:
        """Decorate a method of a `Service` as the responder of this command; returns the function itself.

        It is called with the command, and with the peer that asked if it has a parameter named `peer`. It may
        be a plain or a coroutine function, and may be decorated for several commands.
        """
        setattr(function, RESPONDS_TO, (*getattr(function, RESPONDS_TO, ()), cls))
        return function


(Command.__answer__,) = vars(Command)["__parameters__"]


# What a class statement says


def _refuse_responder(cls: type) -> None:
    if "responder" in vars(cls) or "responder" in inspect.get_annotations(cls):
        raise TypeError(f"{cls.__name__}.responder is taken; name the field otherwise and add Wire(name='responder')")


def _wire_name(name: str | bytes) -> bytes:
    wire_name = _as_bytes(name)
    if not 1 <= len(wire_name) <= MAX_VALUE_LENGTH:
        raise TypeError(f"a command's name is 1 to {MAX_VALUE_LENGTH} bytes, not {len(wire_name)}")
    return wire_name


def _codes(errors: Errors | None) -> Mapping[type[Exception], bytes]:
    codes: dict[type[Exception], bytes] = {}
    for exception, code in (errors or {}).items():
        if Exception not in getattr(exception, "__mro__", ()):
            raise TypeError(f"errors map exception classes to codes; {exception!r} is no exception class")
        codes[exception] = _as_bytes(code)
        if len(codes[exception]) > MAX_VALUE_LENGTH:
            raise TypeError(f"an error code is at most {MAX_VALUE_LENGTH} bytes, not {len(codes[exception])}")
    return codes


def _as_bytes(text: str | bytes) -> bytes:
    if isinstance(text, str):
        return text.encode()
    if isinstance(text, bytes):
        return text
    raise wrong_type(text, "str or bytes")


def _answer_of(cls: type[Command[Any]]) -> Any:
    """Return what stands for R in the bases of a class statement, through whatever generic command lies between."""
    bases: tuple[Any, ...] = vars(cls).get("__orig_bases__", ())
    for base in bases:
        origin: Any = get_origin(base)
        if Command in getattr(origin, "__mro__", ()):
            given = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=True))
            return given.get(origin.__answer__, origin.__answer__)
    return cls.__answer__


def _response(answer: Any, cls: type, scope: Scope) -> type[Response] | type[Switch] | None:
    response = evaluated(answer, cls, scope)
    if response is type(None) or isinstance(response, TypeVar):
        return None
    if isinstance(response, type) and (issubclass(response, Response) or response is Switch):
        return response
    raise TypeError(f"{cls.__name__}: Command[...] takes a Response class, Switch or None, not {response!r}")


def _compile(cls: type[Command[Any]], name: bytes) -> CommandSchema:
    schema = cls.__schema__
    declared = cls.__response__
    response = declared if declared is not None and issubclass(declared, Response) else None
    errors, fatal = _inherited_errors(cls)
    answers = _inherited(cls, "answers")
    if declared is not None and not answers:
        raise TypeError(f"{cls.__name__}: with answers=False nothing comes back; make it a Command[None]")
    command = CommandSchema(
        name=name,
        encode=make_encoder(schema.name, schema.fields, encode_pair(COMMAND, name)),
        decode=schema.decode,
        response=response,
        decode_response=response.__schema__.decode if response else _nothing,
        errors=errors,
        exceptions={code: exception for exception, code in errors.items()},
        fatal=frozenset(fatal),
        answers=answers,
        idempotent=_inherited(cls, "idempotent"),
        requires_tls=_inherited(cls, "requires_tls"),
        switches=declared is Switch,
        carries=carries(cls),
        response_carries=response is not None and carries(response),
        descriptor_keys=descriptor_keys(cls),
    )
    if not (command.answers and command.is_plain):
        return command
    return replace(command, plan=make_plan(command.encode, response and response.__schema__.decode))


def _inherited_errors(cls: type[Command[Any]]) -> tuple[dict[type[Exception], bytes], set[type[Exception]]]:
    """Put together the errors that a class and its bases declare, and the fatal ones among them."""
    errors: dict[type[Exception], bytes] = {}
    fatal: set[type[Exception]] = set()
    for declared in reversed(_declared(cls)):
        errors |= {**declared.errors, **declared.fatal_errors}
        fatal = fatal - declared.errors.keys() | declared.fatal_errors.keys()
    return errors, fatal


def _inherited(cls: type[Command[Any]], keyword: str) -> bool:
    """Return the nearest word of a class and its bases."""
    words: list[bool | None] = [getattr(declared, keyword) for declared in _declared(cls)]
    return next(word for word in words if word is not None)


def _declared(cls: type[Command[Any]]) -> list[_Declared]:
    return [vars(base)["__declared__"] for base in cls.__mro__ if "__declared__" in vars(base)]


def _nothing(_: Mapping[bytes, bytes], __: Carrier | None = None) -> None:
    return None
