"""The bytes that the codec questions read; knows only the wire format."""

from collections.abc import Iterable, Mapping

BOXES = 64


def box(fields: Mapping[bytes, bytes]) -> bytes:
    """One box as it travels."""
    pairs = (part for field in fields.items() for part in field)
    return b"".join(len(part).to_bytes(2, "big") + part for part in pairs) + b"\0\0"


def stream(boxes: Iterable[Mapping[bytes, bytes]]) -> bytes:
    """Boxes as they travel, one behind the other."""
    return b"".join(map(box, boxes))


def sum_ask(tag: int) -> dict[bytes, bytes]:
    """The Sum of 13 and 81, asked for."""
    return {b"_ask": b"%x" % tag, b"_command": b"Sum", b"a": b"13", b"b": b"81"}


def sum_answer(tag: int) -> dict[bytes, bytes]:
    """The Sum of 13 and 81, answered."""
    return {b"_answer": b"%x" % tag, b"total": b"94"}


def order_ask(tag: int) -> dict[bytes, bytes]:
    """An ask with three arguments."""
    arguments = {b"customer": b"Ada Lovelace", b"quantity": b"12", b"unit_price": b"19.90"}
    return {b"_ask": b"%x" % tag, b"_command": b"PlaceOrder", **arguments}


ANSWERS = stream(map(sum_answer, range(BOXES)))
ARGUMENTS = stream({b"a": b"13", b"b": b"81"} for _ in range(BOXES))
RESULTS = stream({b"total": b"94"} for _ in range(BOXES))
ASKS_AND_ANSWERS = stream(kind(number) for number in range(BOXES // 2) for kind in (sum_ask, sum_answer))
FIVE_KEYS = stream(map(order_ask, range(BOXES)))
