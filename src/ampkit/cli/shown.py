"""Answers as text that is safe on any terminal, and as JSON; prints nothing."""

from __future__ import annotations

import base64
import dataclasses
import enum
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from ampkit.schema.record import Record
from ampkit.wire.text import printable


def value_text(value: Any) -> str:
    """Return one value as one line of printable characters."""
    if isinstance(value, enum.Enum):
        return value_text(value.value)
    if isinstance(value, bytes):
        return printable(value, None)
    if isinstance(value, list):
        text = json_line(value)
    else:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
    return printable(text.encode("utf-8", "surrogateescape"), None)


def json_line(value: Any) -> str:
    """Return any value, a response or a box as one line of JSON in ASCII."""
    return json.dumps(plain(value))


def record_values(record: Record) -> dict[str, Any]:
    """Return the values of a record by their Python names, in the order of its class."""
    typed: Any = record  # a dataclass, which type checkers do not know of the base
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(typed)}


def plain(value: Any) -> Any:
    """Return what JSON can say of a value; text, where it has nothing better."""
    for kind, convert in _PLAIN:
        if isinstance(value, kind):
            return convert(value)
    return str(value)


def _plain_bytes(value: bytes) -> str | dict[str, str]:
    """Return bytes as the text that they are, or as `{"base64": ...}` if they are none."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character in "\t\n\r" for character in text):
        return text
    return {"base64": base64.b64encode(value).decode("ascii")}


def _plain_box(box: Mapping[bytes, Any]) -> dict[str, Any]:
    return {printable(key, None): plain(value) for key, value in box.items()}


def _plain_list(values: list[Any]) -> list[Any]:
    return [plain(value) for value in values]


def _plain_record(record: Record) -> dict[str, Any]:
    return {name: plain(value) for name, value in record_values(record).items()}


_PLAIN: Final[tuple[tuple[type[Any], Callable[[Any], Any]], ...]] = (
    (enum.Enum, lambda member: plain(member.value)),
    (bytes, _plain_bytes),
    (float, lambda number: number if math.isfinite(number) else str(number)),
    (int, lambda number: number),
    (datetime, datetime.isoformat),
    (Record, _plain_record),
    (Mapping, _plain_box),
    (list, _plain_list),
    (type(None), lambda nothing: nothing),
)
