"""Mappings to pairs and boxes to mappings, on the compiler's straight way only; says nothing about what is wrong.

It is for those who have another way for what is unusual: there the generated functions return None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ampkit.schema.compiler import decode_field, decoder_names, define, encoder_body
from ampkit.schema.typed import Field

_HANDLERS: Final = ("except Exception: return None",)


def make_mapping_encoder(
    fields: Sequence[Field], head: bytes, *, closed: bool
) -> Callable[[Mapping[str, Any]], bytes | None]:
    """Return a function from a mapping of values by name to pairs behind `head`.

    If it is `closed`, a name that no field has is unusual too, else it is ignored.
    """
    body, names = encoder_body(fields, head, "record[{0!r}]", optional="record.get({0!r})")
    known = frozenset(field.name for field in fields)
    if closed and any(field.optional for field in fields):
        body.insert(0, "if not known.issuperset(record): return None")
    elif closed:
        body.insert(0, f"if len(record) != {len(known)}: return None")
    return define("encode", "record", body, _HANDLERS, {**names, "known": known})


def make_mapping_decoder(fields: Sequence[Field]) -> Callable[[Mapping[bytes, bytes]], dict[str, Any] | None]:
    """Return a function from a box to a dictionary of values by name; keys that no field has are ignored."""
    body = [line for i, field in enumerate(fields) for line in decode_field(i, field, f"v{i}")]
    made = ", ".join(f"{field.name!r}: v{i}" for i, field in enumerate(fields))
    return define("decode", "box", [*body, f"return {{{made}}}"], _HANDLERS, decoder_names(fields))
