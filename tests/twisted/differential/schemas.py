"""Random commands as either module makes them, random values for them, and values of any kind; compares nothing."""

# mypy: allow-untyped-calls

import decimal
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from twisted.python.filepath import FilePath

from ampkit.schema.names import KEYWORDS

RESERVED = {"self", "f", "commandType"}
"""Names of parameters that Twisted has itself, so that no argument can have them there."""


@dataclass(frozen=True)
class Kind:
    """A type of argument: its name, and what it is a list of."""

    name: str
    of: Any = None

    def make(self, amp: Any, *, optional: bool = False) -> Any:
        """Make it of a module's classes."""
        cls = getattr(amp, self.name)
        if self.name == "ListOf":
            return cls(self.of.make(amp), optional)
        if self.name == "AmpList":
            return cls(made(amp, self.of), optional)
        return cls(optional)


@dataclass(frozen=True)
class Named:
    """One argument of a command."""

    key: bytes
    kind: Kind
    optional: bool

    @property
    def name(self) -> str:
        """Its name in Python."""
        name = self.key.decode().replace("-", "_")
        return name.title() if name in KEYWORDS else name


Fields = tuple[Named, ...]


def made(amp: Any, fields: Fields) -> list[Any]:
    """Make an argument list of a module's classes."""
    return [(each.key, each.kind.make(amp, optional=each.optional)) for each in fields]


MINUTES = st.integers(-86_340, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Integer": st.integers() | st.booleans() | st.integers(-(10**30), 10**30),
    "String": st.binary(max_size=40) | st.sampled_from([b"x" * 65_535, bytearray(b"buffer")]),
    "Unicode": st.text(max_size=40),
    "Float": st.floats(),
    "Boolean": st.booleans() | st.sampled_from([0, "", "False", None]),
    "Path": st.sampled_from(["/", "/a/b", "/a/\u20ac"]).map(FilePath),
    "Decimal": st.decimals() | st.sampled_from([decimal.Decimal("-sNaN12"), decimal.Decimal("1E+9")]),
    "DateTime": st.datetimes(timezones=MINUTES) | st.datetimes(),
}
ODD: list[Any] = [None, "text", b"bytes", 3, 1.5, True, [], {}, (), ["x"], [None], [{}], {"a": 1}, "\ud800"]
ANYTHING: st.SearchStrategy[Any] = st.sampled_from([*ODD, b"x" * 65_536, [b"x" * 65_536]])
STRINGS = b"| 12 |1_0|True|true|1.50|NaN|/a|\xff|\xd9\xa3|\0\0|\0\1a|\0\1a\0\0011\0\0|\0\0010\0\1x".split(b"|")
MOMENTS = [b"2012-01-23T12:34:56.054321-01:23", b"2012/01/23 12-34-56,054321+01.23"]
LONG = [b"1" * 4_301, b"\1\0" + b"k" * 256 + b"\0\0"]
WIRE: st.SearchStrategy[bytes] = (
    st.binary(max_size=12)
    | st.integers().map(lambda n: b"%d" % n)
    | st.floats().map(lambda n: repr(n).encode())
    | st.sampled_from([*STRINGS, *MOMENTS, *LONG])
)
"""What may stand in a box, of some type or of none."""

KEYS = st.sampled_from(
    [b"a", b"b-c", b"from", b"print", b"A", b"_x", b"0", b"class", b"async", b"k" * 255, b"k" * 256]
) | st.from_regex(rb"[a-z][a-z-]{0,4}", fullmatch=True)
KINDS = st.recursive(
    st.sampled_from([*VALUES]).map(Kind),
    lambda inner: (
        st.builds(Kind, st.just("ListOf"), inner)
        | st.builds(
            Kind, st.just("AmpList"), st.lists(st.builds(Named, KEYS, inner, st.booleans()), max_size=3).map(tuple)
        )
    ),
    max_leaves=4,
)
FIELDS: st.SearchStrategy[Fields] = (
    st.lists(st.builds(Named, KEYS, KINDS, st.booleans()), max_size=4)
    .map(tuple)
    .filter(lambda fields: RESERVED.isdisjoint(each.name for each in fields))
)


def value_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of a type."""
    if kind.name == "ListOf":
        return st.lists(value_of(kind.of), max_size=3)
    if kind.name == "AmpList":
        return st.lists(objects_of(kind.of), max_size=3)
    return VALUES[kind.name]


def objects_of(fields: Fields) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of an argument list; what is optional may be missing."""
    wanted = {each.name: value_of(each.kind) for each in fields if not each.optional}
    optional = {each.name: value_of(each.kind) | st.none() for each in fields if each.name not in wanted}
    return st.fixed_dictionaries(wanted, optional=optional)


def any_objects_of(fields: Fields) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that may be of another type, missing, or too many."""
    values = {each.name: value_of(each.kind) | ANYTHING for each in fields}
    return st.fixed_dictionaries({}, optional={**values, "more": ANYTHING}) | objects_of(fields)


def any_strings_of(fields: Fields) -> st.SearchStrategy[dict[bytes, bytes]]:
    """Boxes in which anything may stand."""
    return st.fixed_dictionaries({}, optional={**{each.key[:255]: WIRE for each in fields}, b"more": WIRE}) | (
        st.fixed_dictionaries({each.key[:255]: WIRE for each in fields})
    )


@dataclass(frozen=True)
class Schema:
    """A command."""

    arguments: Fields
    response: Fields

    def make(self, amp: Any) -> Any:
        """Make it of a module's classes."""
        lists = {"arguments": made(amp, self.arguments), "response": made(amp, self.response)}
        return type(
            "Any", (amp.Command,), {**lists, "errors": {LookupError: b"LOOKUP"}, "fatalErrors": {OSError: b"OS"}}
        )


SCHEMAS = st.builds(Schema, FIELDS, FIELDS)
