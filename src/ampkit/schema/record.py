"""Typed groups of fields as classes: how a class body becomes a schema; knows no command."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, dataclass_transform

from ampkit.schema.codecs import make_decoder, make_encoder, make_quickly
from ampkit.schema.hints import Compiled, own_hints, scope_of
from ampkit.schema.typed import Field, fields_of


@dataclass(frozen=True, slots=True)
class Schema:
    """What a record is on the wire, compiled once a class."""

    name: str
    fields: tuple[Field, ...]
    encode: Callable[..., bytes]
    """The record, and the Carrier of what travels beside its box, if anything may."""
    decode: Callable[..., Any]
    """The box, and the Carrier of what has come beside it."""


@dataclass_transform(kw_only_default=True, field_specifiers=(dataclasses.field,))
class Record:
    """A typed group of fields, sent as one box inside a list: `items: list[Item]`.

    A subclass is a dataclass whose fields are given by keyword; see `typed` for the types that have a wire
    form. A field with a default may be absent in what the other end sends. Defining a subclass whose fields
    have no wire form raises TypeError.
    """

    __schema__: ClassVar[Schema]
    __hints__: ClassVar[Mapping[str, Any]]
    """What the annotations of this class itself mean."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in cls.__dict__:
            raise TypeError(f"{cls.__name__}: the fields are the parameters of __init__; check them in __post_init__")
        dataclass(kw_only=True)(cls)
        make_quickly(cls)
        scope = scope_of(cls)
        Compiled.install(cls, "__hints__", lambda: own_hints(cls, scope))
        Compiled.install(cls, "__schema__", lambda: _schema(cls))


def _schema(owner: type[Record]) -> Schema:
    fields = fields_of(owner, _hints(owner))
    return Schema(owner.__name__, fields, make_encoder(owner.__name__, fields), make_decoder(owner, fields))


def _hints(owner: type[Record]) -> dict[str, Any]:
    """Return all that is annotated on a class and its bases, each evaluated where it was written."""
    hints: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        hints |= _own_hints(base)
    return hints


def _own_hints(base: Any) -> Mapping[str, Any]:
    hints: Mapping[str, Any] = {}
    if "__hints__" in vars(base):
        hints = base.__hints__
    elif dataclasses.is_dataclass(base):  # it is no Record but lends its fields
        hints = typing.get_type_hints(base, include_extras=True)
    return hints


class Response(Record):
    """What a command's responder returns and its caller gets."""
