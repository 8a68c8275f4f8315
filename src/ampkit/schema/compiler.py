r"""Fields as two functions, record to bytes and box to record, generated once a class; knows no annotation.

For a `Sum` with an integer a and a text b the generated functions are, in essence,

    def encode(record, carrier=None):
        v0 = record.a
        if v0.__class__ is not int: v0 = e0(v0); n0 = short[len(v0)]
        elif 0 <= v0 < 257: n0, v0 = small[v0]
        else: v0 = b"%d" % v0; n0 = short[len(v0)]
        v1 = record.b
        v1 = v1.encode() if v1.__class__ is str else e1(v1)
        n1 = len(v1); n1 = short[n1] if n1 < 256 else n1.to_bytes(2, "big")
        return join((b"\0\1a", n0, v0, b"\0\1b", n1, v1))

    def decode(box, carrier=None):
        record = new(Sum)
        record.a = n if (n := known(v := box[b"a"])) is not None else int(v) if v.isdigit() else d0(v)
        record.b = box[b"b"].decode()
        return record

They take the straight way only. When anything on it raises, the same is done again slowly by `encode_plainly` and
`decode_plainly`, which say what was wrong with which field. These two are the reference. Only where a record inside of
the record was wrong nothing is done again, or a fault at depth n would be looked at 2 ** n times; `at` is the index of
the field that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.schema import scalars
from ampkit.schema.argument import Argument, NestedError
from ampkit.schema.descriptor import Carrier
from ampkit.schema.plain import bad_argument, bad_value, decode_plainly, encode_plainly
from ampkit.schema.typed import Field

Lines: TypeAlias = tuple[str, ...]

_SHORT: Final = tuple(length.to_bytes(2, "big") for length in range(256))
"""The two length bytes of short values."""

_KNOWN: Final = {b"%d" % n: n for n in range(257)}
"""The integers that CPython keeps ready too, because programs use them all the time, by their wire forms."""

_SMALL: Final = tuple((_SHORT[len(data)], data) for data in _KNOWN)
"""Length and wire form of each of them."""

MEASURE: Final = "{n} = len({v}); {n} = short[{n}] if {n} < 256 else {n}.to_bytes(2, 'big')"
"""What sets n to the two length bytes of v."""

_ENCODE: Final[Mapping[type[Argument[Any]], Lines]] = {
    scalars.Integer: (
        "if {v}.__class__ is not int: {v} = {e}({v}); {n} = short[len({v})]",
        "elif 0 <= {v} < 257: {n}, {v} = small[{v}]",
        "else: {v} = b'%d' % {v}; {n} = short[len({v})]",
    ),
    scalars.Text: ("{v} = {v}.encode() if {v}.__class__ is str else {e}({v})", MEASURE),
    scalars.Bytes: ("if {v}.__class__ is not bytes: {v} = {e}({v})", MEASURE),
}
_ENCODE_BY_CALL: Final[Lines] = (
    "at = {i}; {v} = {e}({v}{carrier})",
    "if {v}.__class__ is not bytes: raise TypeError",
    MEASURE,
)
"""The length of what is not bytes may be another number than that of its bytes."""

_DECODE: Final[Mapping[type[Argument[Any]], str]] = {
    scalars.Integer: "n if (n := known(v := {raw})) is not None else int(v) if v.isdigit() else {d}(v)",
    scalars.Text: "{raw}.decode()",
    scalars.Bytes: "{raw}",
}
_DECODE_BY_CALL: Final = "{d}({raw}{carrier})"


def _handlers(parameter: str) -> Lines:
    return (
        "except NestedError as error: raise nested(at, error) from error",
        f"except Exception: return plainly({parameter}, carrier)",
    )


def make_encoder(owner: str, fields: Sequence[Field], head: bytes = b"") -> Callable[..., bytes]:
    """Return a function from a record to its pairs in the order of the keys, behind `head`, without the box's end.

    Its second parameter is the Carrier of what travels beside the box, or None. It raises LocalProtocolError with the
    field and the reason.
    """
    plainly, nested = careful_encoder(owner, fields, head)
    body, pieces, names = encoder_body(fields, head, "record.{0}")
    body.append(joined(pieces))
    return define("encode", "record", body, _handlers("record"), {**names, "plainly": plainly, "nested": nested})


def careful_encoder(
    owner: str, fields: Sequence[Field], head: bytes
) -> tuple[Callable[..., bytes], Callable[[int, NestedError], LocalProtocolError]]:
    """Return what encodes what the straight way does not, and what makes an error of a NestedError."""

    def plainly(record: object, carrier: Carrier | None) -> bytes:
        return head + encode_plainly(owner, fields, record, carrier)

    return plainly, lambda at, error: bad_value(owner, fields[at], error)


def encoder_body(
    fields: Sequence[Field], head: bytes, value: str, optional: str = ""
) -> tuple[list[str], list[str], dict[str, Any]]:
    """Generate what makes the pieces of the pairs, the names of these, and what it needs.

    `value` is the expression for a field's value by its name, as is `optional`.
    """
    names: dict[str, Any] = {"join": b"".join, "short": _SHORT, "small": _SMALL, "NestedError": NestedError}
    body: list[str] = []
    pieces: list[str] = []
    literal = head
    for i, field in enumerate(fields):
        argument = field.argument
        names[f"e{i}"] = argument.encode_with if takes_carrier(argument) else argument.encode
        key = b"\0%c%b" % (len(field.key), field.key)
        body += _encode_field(i, field, key, ((field.optional and optional) or value).format(field.name))
        pieces += [repr(literal), f"k{i}"] if field.optional else [repr(literal + key)]
        pieces += [f"n{i}", f"v{i}"]
        literal = b""
    return body, [*pieces, repr(literal)], names


def joined(pieces: Iterable[str]) -> str:
    """Generate what returns the pieces as one."""
    items = [f"{piece}, " for piece in pieces if piece != "b''"]
    return f"return join(({''.join(items)}))"


def _encode_field(i: int, field: Field, key: bytes, value: str) -> Iterator[str]:
    """Generate what sets v0 to the field's bytes and n0 to their length and, if it is optional, k0 to its key."""
    yield f"v{i} = {value}"
    if field.optional:
        yield f"if v{i} is None: k{i} = n{i} = v{i} = b''"
        yield "else:"
        yield f" k{i} = {key!r}"
    for line in _ENCODE.get(type(field.argument), _ENCODE_BY_CALL):
        yield " " * field.optional + line.format(i=i, v=f"v{i}", n=f"n{i}", e=f"e{i}", carrier=_carrier(field))


def make_decoder(record: type, fields: Sequence[Field]) -> Callable[..., Any]:
    """Return a function from a box to a record; keys that no field has are ignored, as every AMP peer does.

    Its second parameter is the Carrier of what has come beside the box, or None. It raises RemoteProtocolError with
    the field and the reason.
    """
    plainly, nested = careful_decoder(record, fields)
    checked = is_checked(record)
    names: dict[str, Any] = {"cls": record, "new": object.__new__, "NestedError": NestedError, **decoder_names(fields)}
    body = [] if checked else ["record = new(cls)"]
    for i, field in enumerate(fields):
        body += decode_field(i, field, f"v{i}" if checked else f"record.{field.name}")
    made = ", ".join(f"{field.name}=v{i}" for i, field in enumerate(fields))
    body.append(f"return cls({made})" if checked else "return record")
    return define("decode", "box", body, _handlers("box"), {**names, "plainly": plainly, "nested": nested})


def careful_decoder(
    record: type, fields: Sequence[Field]
) -> tuple[Callable[..., Any], Callable[[int, NestedError], RemoteProtocolError]]:
    """Return what decodes what the straight way does not, and what makes an error of a NestedError."""

    def plainly(box: Mapping[bytes, bytes], carrier: Carrier | None) -> Any:
        return decode_plainly(record, fields, box, carrier)

    return plainly, lambda at, error: bad_argument(record, fields[at], error)


def is_checked(record: type) -> bool:
    """Say whether a record has to be made as a program makes it, because its class looks at it then."""
    return hasattr(record, "__post_init__")


def decoder_names(fields: Sequence[Field]) -> dict[str, Any]:
    """Return what the generated values need."""
    names: dict[str, Any] = {"known": _KNOWN.get}
    for i, field in enumerate(fields):
        argument = field.argument
        names[f"d{i}"] = argument.decode_with if takes_carrier(argument) else argument.decode
        names[f"a{i}"] = field.absent
    return names


def decode_field(i: int, field: Field, target: str) -> Iterator[str]:
    """Generate what sets the target to the field's value."""
    inline = _DECODE.get(type(field.argument))
    if inline is None:
        yield f"at = {i}"
    value = (inline or _DECODE_BY_CALL).format(raw=f"box[{field.key!r}]", d=f"d{i}", carrier=_carrier(field))
    yield f"{target} = {value}" if field.absent is None else f"{target} = ({value}) if {field.key!r} in box else a{i}()"


def takes_carrier(argument: Argument[Any]) -> bool:
    """Say whether a type of argument has its own way with what travels beside the box; most have not."""
    return cast(Any, type(argument)).encode_with is not cast(Any, Argument).encode_with


def _carrier(field: Field) -> str:
    return ", carrier" if takes_carrier(field.argument) else ""


def define(
    name: str, parameter: str, body: Sequence[str], handlers: Sequence[str], names: dict[str, Any]
) -> Callable[..., Any]:
    """Return the function that these lines make: the body, and what handles the exceptions of it."""
    # The source is built from indices, key literals and names that the dataclass module has accepted as identifiers.
    lines = [
        f"def {name}({parameter}, carrier=None):",
        " try:",
        *(f"  {line}" for line in body),
        *(f" {line}" for line in handlers),
    ]
    exec("\n".join(lines), names)  # noqa: S102
    function: Callable[..., Any] = names[name]
    return function
