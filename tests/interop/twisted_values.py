"""Python values as Twisted wants them and back; knows only that its paths are `FilePath`."""

# mypy: allow-untyped-calls

import pathlib
from typing import Any

from twisted.python.filepath import FilePath


def to_twisted(value: Any) -> Any:
    """The same value with Twisted's paths."""
    if isinstance(value, list):
        return [to_twisted(item) for item in value]
    return FilePath(str(value)) if isinstance(value, pathlib.Path) else value


def from_twisted(value: Any) -> Any:
    """The same value with the standard library's paths."""
    if isinstance(value, list):
        return [from_twisted(item) for item in value]
    if isinstance(value, dict):
        return {name: from_twisted(item) for name, item in value.items()}
    return pathlib.Path(value.asTextMode().path) if isinstance(value, FilePath) else value
