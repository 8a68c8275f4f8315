"""`key=value` on the command line as keys and bytes; knows no command and no type."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ampkit.cli.exits import Failure
from ampkit.cli.files import open_to_read
from ampkit.wire.box import Box
from ampkit.wire.text import from_text, printable


def read_arguments(arguments: Iterable[str]) -> Box:
    r"""Return the bytes of each argument by its key.

    `key=text` is UTF-8, `key=@file` the content of a file, `key:=text` the form that answers are printed in, with
    `\xNN` and `\\`. Raises Failure for anything else, and for a key that comes twice.
    """
    box: Box = {}
    for argument in arguments:
        key, value = _read_argument(argument)
        if key in box:
            raise Failure(f"the argument {printable(key)} is given twice")
        box[key] = value
    return box


def _read_argument(argument: str) -> tuple[bytes, bytes]:
    name, equals, text = argument.partition("=")
    escaped = name.endswith(":")
    key = os.fsencode(name.removesuffix(":"))
    if not (key and equals):
        raise Failure(f"expected key=value, key=@file or key:=escaped, not {argument!r}")
    if escaped:
        return key, _unescaped(argument, text)
    if text.startswith("@"):
        with open_to_read(text[1:]) as file:
            return key, file.read()
    return key, os.fsencode(text)


def _unescaped(argument: str, text: str) -> bytes:
    if "\n" in text:
        raise Failure(rf"{argument!r}: write a line break as \x0a")
    try:
        (box,) = from_text(f"value: {text}")
    except ValueError as error:
        raise Failure(f"{argument!r}: {str(error).removeprefix('line 1: ')}") from error
    return box[b"value"]
