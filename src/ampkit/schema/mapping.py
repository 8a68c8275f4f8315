"""Mappings to boxes and boxes to mappings, on the compiler's straight way only; says nothing about what is wrong.

It is for those who have another way for what is unusual: there the generated functions return None, or UNUSUAL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any, Final

from ampkit.schema.compiler import MEASURE, decode_field, decoder_names, define, encoder_body, joined
from ampkit.schema.typed import Field
from ampkit.wire.box import END

_HANDLERS: Final = ("except Exception: return None",)

UNUSUAL: Final = object()
"""Where None may be the result."""


def make_mapping_encoder(
    fields: Sequence[Field], first: bytes, head: bytes, *, closed: bool
) -> Callable[[Mapping[str, Any], bytes], bytes | None]:
    """Return a function from a mapping of values by name, and the value of the key `first`, to a whole box.

    Behind the first pair stands `head`. Without a first key its value is ignored. If the encoder is `closed`, a name
    that no field has is unusual too, else it is ignored.
    """
    body, pieces, names = encoder_body(fields, head, "record[{0!r}]", optional="record.get({0!r})")
    known = frozenset(field.name for field in fields)
    if closed and any(field.optional for field in fields):
        body.insert(0, "if not known.issuperset(record): return None")
    elif closed:
        body.insert(0, f"if len(record) != {len(known)}: return None")
    if first:
        body.append(MEASURE.format(n="n", v="first"))
        pieces = [repr(b"\0%c%b" % (len(first), first)), "n", "first", *pieces]
    body.append(joined([*pieces, repr(END)]))
    return define("encode", "record, first", body, _HANDLERS, {**names, "known": known})


def make_mapping_decoder(fields: Sequence[Field]) -> Callable[[Mapping[bytes, bytes]], dict[str, Any] | None]:
    """Return a function from a box to a dictionary of values by name; keys that no field has are ignored."""
    body = [line for i, field in enumerate(fields) for line in decode_field(i, field, f"v{i}")]
    return define("decode", "box", [*body, f"return {_display(fields)}"], _HANDLERS, decoder_names(fields))


def make_caller(fields: Sequence[Field]) -> Callable[[Mapping[bytes, bytes], Callable[..., Any], object], Any]:
    """Return a function that calls a method of an object with a box's values by name, and returns what that returns.

    It returns UNUSUAL without a call, and raises what the method raises.
    """
    body = [line for i, field in enumerate(fields) for line in decode_field(i, field, f"v{i}")] or ["pass"]
    arguments = f"**{_display(fields)}"
    if all(_is_plain(field.name) for field in fields):
        arguments = ", ".join(f"{field.name}=v{i}" for i, field in enumerate(fields))
    lines = ("except Exception: return unusual", f"return method(owner, {arguments})")
    return define("call", "box, method, owner", body, lines, {**decoder_names(fields), "unusual": UNUSUAL})


def _display(fields: Sequence[Field]) -> str:
    return f"{{{', '.join(f'{field.name!r}: v{i}' for i, field in enumerate(fields))}}}"


def _is_plain(name: str) -> bool:
    """Say whether a name can stand in Python's own call syntax, and means itself there."""
    return name.isascii() and name.isidentifier() and not iskeyword(name) and name != "__debug__"
