"""A value typed on the command line as a Python value, by the type of its field; knows no field of a command."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from ampkit.schema.argument import Argument
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.record import Record
from ampkit.schema.scalars import Boolean


def read_value(argument: Argument[Any], data: bytes) -> Any:
    """Return the value that the bytes spell.

    A list is JSON, `[1,2]`, or single values with commas between them, `1,2`; a list of records is JSON objects.
    Truth may be true and false. Everything else is written as on the wire. Raises ValueError, or what the type of
    argument raises, for anything else.
    """
    if isinstance(argument, AmpList) or (_is_list_of(argument) and data.lstrip().startswith(b"[")):
        return _from_json(argument, json.loads(data, parse_int=str, parse_float=str))  # no digit is lost on the way
    if _is_list_of(argument):
        return [read_value(argument.element, item) for item in data.split(b",")] if data else []
    return argument.decode(data.title() if isinstance(argument, Boolean) else data)


def _from_json(argument: Argument[Any], value: Any) -> Any:
    if isinstance(argument, AmpList):
        return [_record(argument.record, item) for item in _checked(list, value)]
    if _is_list_of(argument):
        return [_from_json(argument.element, item) for item in _checked(list, value)]
    return read_value(argument, str(_checked(str | bool, value)).encode())


def _record(record: type[Record], value: Any) -> Record:
    arguments = {field.name: field.argument for field in record.__schema__.fields}
    values: dict[str, Any] = {}
    for name, item in _checked(dict, value).items():
        if name not in arguments:
            raise ValueError(f"{record.__name__} has no field {name!r}; its fields: {', '.join(arguments)}")
        values[name] = None if item is None else _from_json(arguments[name], item)
    return record(**values)


def _checked(kind: Any, value: Any) -> Any:
    """Return the value, if it is of this kind; numbers are still the text that they were."""
    if isinstance(value, kind):
        return value
    wanted = {list: "a list", dict: "an object"}.get(kind, "a text, a number, true or false")
    raise ValueError(f"in the JSON {wanted} should stand in place of {json.dumps(value)}")


def _is_list_of(argument: Argument[Any]) -> TypeGuard[ListOf[Any]]:
    return isinstance(argument, ListOf)
