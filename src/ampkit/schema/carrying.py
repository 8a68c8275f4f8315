"""Which records have descriptors in them; sends and receives none."""

from __future__ import annotations

from typing import Any

from ampkit.schema.argument import Argument
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.descriptor import Descriptor
from ampkit.schema.record import Record


def carries(record: type[Record]) -> bool:
    """Say whether values of a record, or of records in its lists, travel beside its box."""
    return _carries(record, set())


def descriptor_keys(record: type[Record]) -> tuple[bytes, ...]:
    """Return the keys of a record whose values are descriptors."""
    return tuple(field.key for field in record.__schema__.fields if isinstance(field.argument, Descriptor))


def _carries(record: type[Record], seen: set[type[Record]]) -> bool:
    if record in seen:  # it has a list of its own kind
        return False
    seen.add(record)
    return any(_argument_carries(field.argument, seen) for field in record.__schema__.fields)


def _argument_carries(argument: Argument[Any], seen: set[type[Record]]) -> bool:
    if isinstance(argument, ListOf):
        element: Argument[Any] = argument.element  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return _argument_carries(element, seen)
    if isinstance(argument, AmpList):
        return _carries(argument.record, seen)
    return isinstance(argument, Descriptor)
