"""A class's annotations as wire fields: which type of argument, which name, optional or not; compiles nothing."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Annotated, Any, Final, Union, get_args, get_origin

from ampkit.errors import LocalProtocolError
from ampkit.schema import containers, descriptor, scalars, times
from ampkit.schema.argument import Argument
from ampkit.schema.names import wire_name
from ampkit.wire.box import check_key
from ampkit.wire.keys import RESERVED

_BY_TYPE: Final[Mapping[object, type[Argument[Any]]]] = {
    int: scalars.Integer,
    bytes: scalars.Bytes,
    str: scalars.Text,
    float: scalars.Float,
    bool: scalars.Boolean,
    decimal.Decimal: scalars.Decimal,
    datetime.datetime: times.DateTime,
    pathlib.Path: scalars.Path,
    descriptor.FileDescriptor: descriptor.Descriptor,
}
_KNOWN: Final = "bool, bytes, datetime, decimal.Decimal, FileDescriptor, float, int, pathlib.Path, str"


@dataclass(frozen=True, slots=True)
class Wire:
    """Put it in `Annotated[T, Wire(name="from")]` to give a field another name on the wire, 1 to 255 bytes."""

    name: str | bytes

    @property
    def key(self) -> bytes:
        """The name as the box's key."""
        return self.name.encode() if isinstance(self.name, str) else self.name


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a command or value of a response: its two names, its type, and what stands for an absent one."""

    name: str
    key: bytes
    argument: Argument[Any]
    optional: bool
    """None is sent as no key at all."""
    absent: Callable[[], Any] | None
    """Makes the value of a key that the other end did not send; None if it has to send it."""


def fields_of(owner: type, hints: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a dataclass, given its evaluated annotations, sorted by their keys.

    Raises TypeError, naming class and field, where an annotation has no wire form, or two fields or AMP itself
    use the same key.
    """
    fields: dict[bytes, Field] = {}
    for member in dataclasses.fields(owner):
        try:
            field = _field(member, hints[member.name])
            check_key(field.key)
            if field.key in RESERVED or field.key in fields:
                taken_by = "AMP itself" if field.key in RESERVED else f"the field {fields[field.key].name!r}"
                raise TypeError(f"the name {field.key!r} on the wire is taken by {taken_by}")
        except (TypeError, LocalProtocolError) as error:
            raise TypeError(f"{owner.__name__}.{member.name}: {error}") from None
        fields[field.key] = field
    for name, hint in hints.items():
        if isinstance(hint, dataclasses.InitVar):
            raise TypeError(f"{owner.__name__}.{name}: an InitVar cannot be sent; make it a field")
    return tuple(fields[key] for key in sorted(fields))


def _field(member: dataclasses.Field[Any], annotation: object) -> Field:
    if not member.init:
        raise TypeError("field(init=False) cannot be sent; make it a property")
    annotation, wire, explicit = _unwrap(annotation)
    inner, may_be_none = _without_none(annotation)
    if may_be_none:
        inner, inner_wire, inner_explicit = _unwrap(inner)
        wire, explicit = wire or inner_wire, inner_explicit if explicit is None else explicit
    argument = argument_for(inner) if explicit is None else explicit
    key = wire.key if wire else wire_name(member.name)
    optional = may_be_none or argument.optional
    return Field(member.name, key, argument, optional, _absent(member, optional))


def _absent(member: dataclasses.Field[Any], optional: bool) -> Callable[[], Any] | None:
    default, factory = member.default, member.default_factory
    if optional:
        if factory is not MISSING or not (default is MISSING or default is None):
            raise TypeError("its default must be None: None is sent as no key, so it would come back as the default")
        return _giving(None)
    if factory is not MISSING:
        return factory
    return None if default is MISSING else _giving(default)


def _giving(value: object) -> Callable[[], Any]:
    return lambda: value


def argument_for(annotation: object) -> Argument[Any]:
    """Return the type of argument for a Python type. Raises TypeError for a type that has no wire form."""
    annotation, _, explicit = _unwrap(annotation)
    if explicit is not None:
        return explicit
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]()
    if get_origin(annotation) is list:
        return _list_of(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enumeration(annotation)
    if isinstance(annotation, typing.NewType):
        return argument_for(annotation.__supertype__)
    shown = annotation.__qualname__ if isinstance(annotation, type) else annotation
    raise TypeError(
        f"no wire form is known for {shown}; use one of {_KNOWN}, an Enum, list[...] of those or of a Record, "
        "`| None`, or Annotated[..., an Argument of your own]"
    )


def _list_of(element: object) -> Argument[Any]:
    from ampkit.schema.record import Record  # noqa: PLC0415 - a record's fields are made here

    bare, _, explicit = _unwrap(element)
    if explicit is None and isinstance(bare, type) and issubclass(bare, Record):
        return containers.AmpList(bare)
    return containers.ListOf(argument_for(element))


def _enumeration(members: type[enum.Enum]) -> Argument[Any]:
    value_types: set[type] = {type(member.value) for member in members}
    if len(value_types) != 1:
        raise TypeError(f"the values of {members.__name__} must all be of one type")
    return scalars.Enumeration(members, argument_for(value_types.pop()))


def _unwrap(annotation: Any) -> tuple[Any, Wire | None, Argument[Any] | None]:
    """Take `Annotated` apart: the type, its Wire and its Argument, if any."""
    if get_origin(annotation) is not Annotated:
        return annotation, None, None
    extras: tuple[object, ...] = annotation.__metadata__
    return annotation.__origin__, _first(Wire, extras), _first(Argument, extras)


def _first(kind: Any, extras: Iterable[object]) -> Any:
    return next((extra for extra in extras if isinstance(extra, kind)), None)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """Return T and True for `T | None`, else the annotation and False."""
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation, False
    members = [member for member in get_args(annotation) if member is not type(None)]
    if len(members) != 1 or len(members) == len(get_args(annotation)):
        return annotation, False
    return members[0], True
