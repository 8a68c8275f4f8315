"""Hypothesis strategies for what AMP carries: boxes, ways to cut a stream, typed commands; needs the extra `testing`.

    @given(commands(Sum))
    def test_every_sum_crosses_the_wire(command: Sum) -> None: ...

Values are made from the types of arguments, so a strategy never makes what cannot be sent.
"""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ampkit.schema.argument import Argument
from ampkit.schema.command import Command
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.record import Record
from ampkit.schema.scalars import Boolean, Bytes, Decimal, Enumeration, Float, Integer, Path, Text
from ampkit.schema.times import DateTime
from ampkit.schema.typed import Field
from ampkit.wire.box import Box
from ampkit.wire.keys import ASK, COMMAND, RESERVED
from ampkit.wire.limits import MAX_KEY_LENGTH, MAX_VALUE_LENGTH

R = TypeVar("R", bound=Record)
C = TypeVar("C", bound=Command[Any])

_MOST_OFFSET: Final = 24 * 60 - 1
"""Minutes; Python's own limit for the offset of a time zone."""

_EDGES: Final = (255, 256, MAX_VALUE_LENGTH - 1, MAX_VALUE_LENGTH)
"""Lengths of values at which one of the two length bytes changes or ends."""

_MOST_ELEMENTS: Final = 4
"""Values in a list: lists of lists of texts still fit in one value."""

# Bytes


def keys(*, reserved: bool = True) -> SearchStrategy[bytes]:
    """Keys of 1 to 255 bytes; without `reserved`, none of AMP's own, such as `_ask`."""
    anything = st.binary(min_size=1, max_size=MAX_KEY_LENGTH)
    if reserved:
        return st.sampled_from(sorted(RESERVED)) | anything
    return anything.filter(lambda key: key not in RESERVED)


def values() -> SearchStrategy[bytes]:
    """Values of 0 to 65,535 bytes: mostly short ones, and now and then one of the lengths where mistakes are made."""
    edges = st.builds(_repeated, st.binary(min_size=1, max_size=1), st.sampled_from(_EDGES))
    return st.binary(max_size=64) | edges


def _repeated(byte: bytes, size: int) -> bytes:
    return byte * size


def boxes(*, reserved: bool = True) -> SearchStrategy[Box]:
    """Boxes of 1 to 8 keys. `reserved=False` makes what may be the arguments of an ask."""
    return st.dictionaries(keys(reserved=reserved), values(), min_size=1, max_size=8)


def asks() -> SearchStrategy[Box]:
    """Boxes that are asks, with `_command`, mostly with `_ask`, and any arguments."""
    names = st.binary(min_size=1, max_size=32)
    tags = st.binary(min_size=1, max_size=8)
    given = st.dictionaries(keys(reserved=False), values(), max_size=8)
    own = st.fixed_dictionaries({COMMAND: names}, optional={ASK: tags})
    return st.builds(_joined, given, own)


def _joined(arguments: Box, own: Box) -> Box:
    return {**arguments, **own}


def chunks(data: bytes) -> SearchStrategy[list[bytes]]:
    """All ways to cut a byte string into pieces that are not empty; it shrinks to the whole in one piece."""
    inside = st.integers(1, max(1, len(data) - 1))
    equal = inside.map(lambda size: range(size, len(data), size))
    return (st.lists(inside, unique=True).map(sorted) | equal).map(lambda cuts: _cut(data, cuts))


def _cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    pieces = [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]
    return [piece for piece in pieces if piece]


# Python values


def records(record: type[R], **fields: SearchStrategy[Any]) -> SearchStrategy[R]:
    """Instances of a `Record` or `Response` class, with all values that its fields can carry; lists are short.

    `fields` replaces the strategies of single fields: `records(Range, first=st.integers(0, 9))`. Raises TypeError
    for a field whose type of argument is your own, until you give one.
    """
    return _Fields().records(record, fields)


def commands(command: type[C], **fields: SearchStrategy[Any]) -> SearchStrategy[C]:
    """Instances of a `Command` class. As `records` otherwise."""
    return records(command, **fields)


def arguments(argument: Argument[Any]) -> SearchStrategy[Any]:
    """Return the values that a type of argument can carry; raises TypeError if it is one of your own."""
    return _Fields().values(argument)


def _moments() -> SearchStrategy[datetime.datetime]:
    minutes = st.integers(-_MOST_OFFSET, _MOST_OFFSET)
    zones = minutes.map(lambda n: datetime.timezone(datetime.timedelta(minutes=n)))
    return st.datetimes(timezones=zones).map(lambda moment: moment.replace(fold=0))  # the wire has no fold


def _texts() -> SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"))


_BY_ARGUMENT: Final[Mapping[type[Argument[Any]], Callable[[], SearchStrategy[Any]]]] = {
    Integer: st.integers,
    Bytes: st.binary,
    Text: _texts,
    Float: st.floats,
    Boolean: st.booleans,
    Decimal: st.decimals,
    DateTime: _moments,
    Path: lambda: _texts().map(pathlib.Path),
}


class _Fields:
    """Makes strategies of types of arguments; remembers the records it is inside of, as they may hold themselves."""

    def __init__(self) -> None:
        self._records: dict[type[Record], SearchStrategy[Any]] = {}

    def records(self, record: type[R], given: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[R]:
        built: SearchStrategy[R]
        self._records[record] = st.deferred(lambda: built)
        fields = {field.name: field for field in record.__schema__.fields}
        if unknown := given.keys() - fields.keys():
            raise TypeError(f"{record.__name__} has no field {', '.join(sorted(unknown))}")
        made = {name: self._values_of(field) for name, field in fields.items() if name not in given}
        built = st.builds(record, **made, **given)
        del self._records[record]
        return built

    def _values_of(self, field: Field) -> SearchStrategy[Any]:
        values = self.values(field.argument)
        return st.none() | values if field.optional else values

    def values(self, argument: Argument[Any]) -> SearchStrategy[Any]:
        make = self._of_several().get(type(argument))
        if make is not None:
            return make(argument)
        make_simple = _BY_ARGUMENT.get(type(argument))
        if make_simple is None:
            raise TypeError(f"no strategy is known for {argument!r}; give one for its field: commands(..., field=...)")
        return make_simple()

    def _of_several(self) -> Mapping[type[Argument[Any]], Callable[[Any], SearchStrategy[Any]]]:
        return {ListOf: self._lists, AmpList: self._lists_of_records, Enumeration: self._members}

    def _lists(self, argument: ListOf[Any]) -> SearchStrategy[Any]:
        return st.lists(self.values(argument.element), max_size=_MOST_ELEMENTS)

    def _lists_of_records(self, argument: AmpList) -> SearchStrategy[Any]:
        record = argument.record
        if record in self._records:  # inside itself: mostly empty, or it would not end
            return st.just([]) | st.lists(self._records[record], max_size=2)
        return st.lists(self.records(record, {}), max_size=_MOST_ELEMENTS)

    def _members(self, argument: Enumeration) -> SearchStrategy[Any]:
        return st.sampled_from(argument.members)
