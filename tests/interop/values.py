"""Python values as JSON and back, so that two processes can compare what they saw; knows no AMP library."""

import dataclasses
import datetime
import decimal
import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

LONGEST_TEXT = 2_000


WRITERS: list[tuple[type, str, Callable[[Any], Any]]] = [
    (dict, "record", lambda value: {name: to_plain(item) for name, item in value.items()}),
    (bytes, "bytes", bytes.hex),
    (float, "float", repr),
    (decimal.Decimal, "decimal", str),
    (datetime.datetime, "datetime", lambda value: value.isoformat(timespec="microseconds")),
    (pathlib.PurePath, "path", str),
]


def to_plain(value: Any) -> Any:
    """What JSON can hold for `value`; equal only for values that are the same (nan is nan, -0.0 is not 0.0)."""
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return to_plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    for kind, name, write in WRITERS:
        if isinstance(value, kind):
            return {name: write(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"no plain form for {type(value).__name__}")


READERS: dict[str, Callable[[Any], Any]] = {
    "record": lambda plain: {name: from_plain(item) for name, item in plain.items()},
    "bytes": bytes.fromhex,
    "float": float,
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "path": pathlib.Path,
}


def from_plain(plain: Any) -> Any:
    """The value that `to_plain` described."""
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if isinstance(plain, dict):
        ((kind, content),) = plain.items()
        return READERS[kind](content)
    return plain


def fingerprint(value: Any) -> str:
    """One line for `value`: its JSON if that is short, otherwise the digest of it."""
    line = json.dumps(to_plain(value), sort_keys=True)
    if len(line) <= LONGEST_TEXT:
        return line
    return f"{len(line)} characters, sha256 {hashlib.sha256(line.encode()).hexdigest()}"
