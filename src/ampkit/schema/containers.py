"""The wire forms of lists: of values, and of records; what a value or record is, others know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ampkit.errors import AmpError, RemoteProtocolError
from ampkit.schema.argument import Argument, NestedError, wrong_type
from ampkit.speed import twin
from ampkit.wire.box import END
from ampkit.wire.codec import parse_string
from ampkit.wire.limits import MAX_VALUE_LENGTH

if TYPE_CHECKING:
    from ampkit.schema.descriptor import Carrier
    from ampkit.schema.record import Record

T = TypeVar("T")


def _one_by_one(*_: Any) -> Any:
    return None


_decode_quickly: Final[Callable[[Any, bytes], list[Any] | None]] = twin("decode_records", _one_by_one)
"""Return the records of a list, or None if they have to be looked at one by one."""

_encode_quickly: Final[Callable[[Any, type, object], bytes | None]] = twin("encode_records", _one_by_one)
"""Return the bytes of a list of records, or None if they have to be looked at one by one."""

_NO_LIST: Final[tuple[type, ...]] = (str, bytes, bytearray, memoryview, Mapping)
"""Collections whose elements nobody means when he gives them for a list."""


class ListOf(Argument[list[T]]):
    """Any number of values of one type, each with a 2-byte length before it, together at most 65,535 bytes."""

    def __init__(self, element: Argument[T], optional: bool = False) -> None:
        super().__init__(optional)
        self.element = element

    def encode(self, value: Collection[T]) -> bytes:
        return self.encode_with(value, None)

    def decode(self, data: bytes) -> list[T]:
        return self.decode_with(data, None)

    def encode_with(self, value: Collection[T], carrier: Carrier | None) -> bytes:
        encode = self.element.encode if carrier is None else partial(_swapped, self.element.encode_with, carrier)
        return b"".join(_each(_with_length, _each(encode, _collection(value))))

    def decode_with(self, data: bytes, carrier: Carrier | None) -> list[T]:
        decode = self.element.decode if carrier is None else partial(_swapped, self.element.decode_with, carrier)
        return _each(decode, _split(data))

    def __repr__(self) -> str:
        return f"ListOf({self.element!r}{', optional=True' if self.optional else ''})"


class AmpList(Argument[list[Any]]):
    """Any number of records of one type, each as a box, together at most 65,535 bytes.

    Give it a `Record` class, or a classic list of `(b"name", Argument())`; a dict is taken for a record when
    it is sent.
    """

    def __init__(self, record: type[Record] | Sequence[tuple[bytes, Argument[Any]]], optional: bool = False) -> None:
        super().__init__(optional)
        self.record: type[Record] = record if isinstance(record, type) else _item(record)

    def encode(self, value: Collection[Any]) -> bytes:
        return self.encode_with(value, None)

    def decode(self, data: bytes) -> list[Any]:
        return self.decode_with(data, None)

    def encode_with(self, value: Collection[Any], carrier: Carrier | None) -> bytes:
        encode = self.record.__schema__.encode
        data = _encode_quickly(encode, self.record, value) if carrier is None else None
        one = partial(self._encode_record, encode, carrier)
        return b"".join(_each(one, _collection(value))) if data is None else data

    def _encode_record(self, encode: Callable[..., bytes], carrier: Carrier | None, item: object) -> bytes:
        if not isinstance(item, self.record):
            if not isinstance(item, Mapping):
                raise wrong_type(item, self.record.__name__)
            item = self.record(**item)
        return encode(item, carrier) + END

    def decode_with(self, data: bytes, carrier: Carrier | None) -> list[Any]:
        decode = self.record.__schema__.decode
        records = _decode_quickly(decode, data) if carrier is None else None
        return self._decode_each(partial(_swapped, decode, carrier), data) if records is None else records

    def _decode_each(self, decode: Callable[[Any], Any], data: bytes) -> list[Any]:
        try:
            boxes = parse_string(data, empty_boxes=True)
        except RemoteProtocolError as error:
            raise ValueError(f"{error.reason} (at byte {error.position} of the list)") from None
        return _each(decode, boxes)

    def __repr__(self) -> str:
        return f"AmpList({self.record.__name__}{', optional=True' if self.optional else ''})"


def _item(classic: Sequence[tuple[bytes, Argument[Any]]]) -> type[Record]:
    from ampkit.schema.classic import record_from_classic  # noqa: PLC0415 - a record's field may be an AmpList
    from ampkit.schema.record import Record  # noqa: PLC0415

    return record_from_classic("AmpListItem", classic, Record)


def _collection(value: Collection[T]) -> Collection[T]:
    if not _is_list(value):
        raise wrong_type(value, "list")
    return value


def _is_list(value: object) -> bool:
    """Refuse also what cannot be walked twice, as an iterator: after an error the rest would be taken for it."""
    return isinstance(value, Collection) and not isinstance(value, _NO_LIST)


def _each(convert: Callable[[Any], T], values: Iterable[Any]) -> list[T]:
    """Convert one after the other, and say at which one it failed."""
    converted: list[T] = []
    try:
        for value in values:
            converted.append(convert(value))
    except (AmpError, NestedError) as error:
        raise NestedError(f"element {len(converted)}: {error}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"element {len(converted)}: {error}") from error
    except RecursionError:
        raise NestedError(f"element {len(converted)}: nested too deeply") from None
    return converted


def _swapped(convert: Callable[[Any, Carrier | None], T], carrier: Carrier | None, value: Any) -> T:
    return convert(value, carrier)


def _with_length(data: bytes) -> bytes:
    if not isinstance(data, bytes):
        raise wrong_type(data, "bytes")
    if len(data) > MAX_VALUE_LENGTH:
        raise ValueError(f"it is {len(data)} bytes long; the most is {MAX_VALUE_LENGTH}")
    return len(data).to_bytes(2, "big") + data


def _split(data: bytes) -> Iterator[bytes]:
    """Take the elements of a ListOf apart."""
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise ValueError("the list ends inside of it")
        yield data[start:at]
