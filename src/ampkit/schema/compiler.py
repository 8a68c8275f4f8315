r"""Fields as two functions, record to bytes and box to record, generated once a class; knows no annotation.

For a `Sum` with an integer a and a text b the generated functions are, in essence,

    def encode(record):
        v0 = record.a
        if v0.__class__ is not int: v0 = e0(v0); n0 = short[len(v0)]
        elif 0 <= v0 < 257: n0, v0 = small[v0]
        else: v0 = b"%d" % v0; n0 = short[len(v0)]
        v1 = record.b
        v1 = v1.encode() if v1.__class__ is str else e1(v1)
        n1 = len(v1); n1 = short[n1] if n1 < 256 else n1.to_bytes(2, "big")
        return join((b"\0\1a", n0, v0, b"\0\1b", n1, v1))

    def decode(box):
        record = new(Sum)
        record.a = n if (n := known(v := box[b"a"])) is not None else int(v) if v.isdigit() else d0(v)
        record.b = box[b"b"].decode()
        return record

They take the straight way only. When anything on it raises, the same is done again slowly by `encode_plainly` and
`decode_plainly`, which say what was wrong with which field. These two are the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ampkit.schema import scalars
from ampkit.schema.argument import Argument
from ampkit.schema.plain import decode_plainly, encode_plainly
from ampkit.schema.typed import Field

Lines: TypeAlias = tuple[str, ...]

_SHORT: Final = tuple(length.to_bytes(2, "big") for length in range(256))
"""The two length bytes of short values."""

_KNOWN: Final = {b"%d" % n: n for n in range(257)}
"""The integers that CPython keeps ready too, because programs use them all the time, by their wire forms."""

_SMALL: Final = tuple((_SHORT[len(data)], data) for data in _KNOWN)
"""Length and wire form of each of them."""

_MEASURE: Final = "{n} = len({v}); {n} = short[{n}] if {n} < 256 else {n}.to_bytes(2, 'big')"

_ENCODE: Final[Mapping[type[Argument[Any]], Lines]] = {
    scalars.Integer: (
        "if {v}.__class__ is not int: {v} = {e}({v}); {n} = short[len({v})]",
        "elif 0 <= {v} < 257: {n}, {v} = small[{v}]",
        "else: {v} = b'%d' % {v}; {n} = short[len({v})]",
    ),
    scalars.Text: ("{v} = {v}.encode() if {v}.__class__ is str else {e}({v})", _MEASURE),
    scalars.Bytes: ("if {v}.__class__ is not bytes: {v} = {e}({v})", _MEASURE),
}
_ENCODE_BY_CALL: Final[Lines] = ("{v} = {e}({v})", "if {v}.__class__ is not bytes: raise TypeError", _MEASURE)
"""The length of what is not bytes may be another number than that of its bytes."""

_DECODE: Final[Mapping[type[Argument[Any]], str]] = {
    scalars.Integer: "n if (n := known(v := {raw})) is not None else int(v) if v.isdigit() else {d}(v)",
    scalars.Text: "{raw}.decode()",
    scalars.Bytes: "{raw}",
}
_DECODE_BY_CALL: Final = "{d}({raw})"


def make_encoder(owner: str, fields: Sequence[Field], head: bytes = b"") -> Callable[[Any], bytes]:
    """Return a function from a record to its pairs in the order of the keys, behind `head`, without the box's end.

    It raises LocalProtocolError with the field and the reason.
    """

    def plainly(record: object) -> bytes:
        return head + encode_plainly(owner, fields, record)

    return _encoder(fields, head, plainly, lambda field: f"record.{field.name}")


def make_mapping_encoder(
    fields: Sequence[Field], head: bytes, plainly: Callable[[Any], bytes]
) -> Callable[[Mapping[str, Any]], bytes]:
    """Return a function from a mapping of values by name to pairs, as `make_encoder` does from a record.

    Where the straight way raises, it returns or raises what `plainly` does.
    """
    return _encoder(fields, head, plainly, lambda f: f"record.get({f.name!r})" if f.optional else f"record[{f.name!r}]")


def _encoder(
    fields: Sequence[Field], head: bytes, plainly: Callable[[Any], bytes], access: Callable[[Field], str]
) -> Callable[[Any], bytes]:
    names: dict[str, Any] = {"plainly": plainly, "join": b"".join, "short": _SHORT, "small": _SMALL}
    body: list[str] = []
    pieces: list[str] = []
    literal = head
    for i, field in enumerate(fields):
        names[f"e{i}"] = field.argument.encode
        key = b"\0%c%b" % (len(field.key), field.key)
        body += _encode_field(i, field, key, access(field))
        pieces += [repr(literal), f"k{i}"] if field.optional else [repr(literal + key)]
        pieces += [f"n{i}", f"v{i}"]
        literal = b""
    items = [f"{piece}, " for piece in [*pieces, repr(literal)] if piece != "b''"]
    body.append(f"return join(({''.join(items)}))")
    return _define("encode", "record", body, names)


def _encode_field(i: int, field: Field, key: bytes, access: str) -> Iterator[str]:
    """Generate what sets v0 to the field's bytes and n0 to their length and, if it is optional, k0 to its key."""
    yield f"v{i} = {access}"
    if field.optional:
        yield f"if v{i} is None: k{i} = n{i} = v{i} = b''"
        yield "else:"
        yield f" k{i} = {key!r}"
    for line in _ENCODE.get(type(field.argument), _ENCODE_BY_CALL):
        yield " " * field.optional + line.format(v=f"v{i}", n=f"n{i}", e=f"e{i}")


def make_decoder(record: type, fields: Sequence[Field]) -> Callable[[Mapping[bytes, bytes]], Any]:
    """Return a function from a box to a record; keys that no field has are ignored, as every AMP peer does.

    It raises RemoteProtocolError with the field and the reason.
    """

    def plainly(box: Mapping[bytes, bytes]) -> Any:
        return decode_plainly(record, fields, box)

    names: dict[str, Any] = {"plainly": plainly, "cls": record, "new": object.__new__}
    values = _decode_fields(fields, names)
    if hasattr(record, "__post_init__"):
        body = [f"return cls({', '.join(f'{name}=({value})' for name, value in values)})"]
    else:
        body = ["record = new(cls)", *(f"record.{name} = {value}" for name, value in values), "return record"]
    return _define("decode", "box", body, names)


def make_mapping_decoder(
    fields: Sequence[Field], plainly: Callable[[Any], Any]
) -> Callable[[Mapping[bytes, bytes]], dict[str, Any]]:
    """Return a function from a box to a dictionary of values by name, as `make_decoder` does to a record.

    Where the straight way raises, it returns or raises what `plainly` does.
    """
    names: dict[str, Any] = {"plainly": plainly}
    items = ", ".join(f"{name!r}: ({value})" for name, value in _decode_fields(fields, names))
    return _define("decode", "box", [f"return {{{items}}}"], names)


def _decode_fields(fields: Sequence[Field], names: dict[str, Any]) -> list[tuple[str, str]]:
    """Generate each field's value from its box; add what that needs to `names`."""
    names["known"] = _KNOWN.get
    values = []
    for i, field in enumerate(fields):
        names[f"d{i}"], names[f"a{i}"] = field.argument.decode, field.absent
        value = _DECODE.get(type(field.argument), _DECODE_BY_CALL).format(raw=f"box[{field.key!r}]", d=f"d{i}")
        if field.absent is not None:
            value = f"({value}) if {field.key!r} in box else a{i}()"
        values.append((field.name, value))
    return values


def _define(name: str, parameter: str, body: Sequence[str], names: dict[str, Any]) -> Callable[[Any], Any]:
    # The source is built from indices, key literals and names that the dataclass module has accepted as identifiers.
    lines = [f"def {name}({parameter}):", " try:", *(f"  {line}" for line in body)]
    lines += [" except Exception:", f"  return plainly({parameter})"]
    exec("\n".join(lines), names)  # noqa: S102
    function: Callable[[Any], Any] = names[name]
    return function
