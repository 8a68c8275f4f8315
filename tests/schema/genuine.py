"""Twisted's own types of argument, next to ours, as the judge of wire forms; knows no test."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from twisted.protocols import amp
from twisted.python.filepath import FilePath

from ampkit.schema.argument import Argument
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.scalars import Boolean, Bytes, Decimal, Float, Integer, Path, Text
from ampkit.schema.times import DateTime

_SCALARS: dict[type[Argument[Any]], Any] = {
    Integer: amp.Integer,
    Bytes: amp.String,
    Text: amp.Unicode,
    Float: amp.Float,
    Boolean: amp.Boolean,
    Decimal: amp.Decimal,
    DateTime: amp.DateTime,
    Path: amp.Path,
}


def twisted(argument: Argument[Any]) -> Any:
    """Return Twisted's type of argument for one of ours."""
    if isinstance(argument, ListOf):
        return amp.ListOf(twisted(argument.element), optional=argument.optional)
    if isinstance(argument, AmpList):
        fields = argument.record.__schema__.fields
        return amp.AmpList([(f.key, _optional(twisted(f.argument), f.optional)) for f in fields])
    return _SCALARS[type(argument)](optional=argument.optional)


def _optional(argument: Any, optional: bool) -> Any:
    argument.optional = optional
    return argument


def twisted_encode(argument: Argument[Any], value: Any) -> bytes:
    """Return the bytes that Twisted sends for a value of ours."""
    data: bytes = twisted(argument).toStringProto(as_twisted(argument, value), None)
    return data


def twisted_decode(argument: Argument[Any], data: bytes) -> Any:
    """Return what Twisted makes of bytes, as a value of ours."""
    return as_ours(argument, twisted(argument).fromStringProto(data, None))


def as_twisted(argument: Argument[Any], value: Any) -> Any:
    """Return a value of ours as a program on Twisted has it: a FilePath for a Path, a dict for a record."""
    if isinstance(argument, Path):
        return FilePath(str(value))
    if isinstance(argument, ListOf):
        return [as_twisted(argument.element, element) for element in value]
    if isinstance(argument, AmpList):
        return [objects(argument.record, record) for record in value]
    return value


def objects(cls: Any, record: Any) -> dict[str, Any]:
    """Return a record of ours as a dict of Twisted's; None for an optional value is left out."""
    values = {field.name: (field.argument, getattr(record, field.name)) for field in cls.__schema__.fields}
    return {name: as_twisted(argument, value) for name, (argument, value) in values.items() if value is not None}


def as_ours(argument: Argument[Any], value: Any) -> Any:
    """Return a value of Twisted's as one of ours."""
    if isinstance(argument, Path):
        return argument.decode(value.asTextMode().path.encode())
    if isinstance(argument, ListOf):
        return [as_ours(argument.element, element) for element in value]
    if isinstance(argument, AmpList):
        return [from_objects(argument.record, item) for item in value]
    return value


def from_objects(cls: Any, values: dict[str, Any]) -> Any:
    """Return a record of ours for a dict of Twisted's."""
    arguments = {field.name: field.argument for field in cls.__schema__.fields}
    return cls(**{name: value if value is None else as_ours(arguments[name], value) for name, value in values.items()})
