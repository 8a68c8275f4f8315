"""AMP's wire format read in the plainest way, to compare the decoder with: one pass over all bytes at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ampkit.wire.box import Box
from ampkit.wire.limits import Limits


@dataclass
class Reading:
    """What a stream says."""

    boxes: list[Box] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Behind which byte of the stream each box ends."""
    fault: tuple[str, int] | None = None
    """What is no AMP in it, and where."""
    inside: int = 0
    """Bytes of a box without an end."""


def read(stream: bytes, limits: Limits, *, empty_boxes: bool = False) -> Reading:
    """Read boxes until there is a fault, or nothing more that is whole."""
    reading = Reading()
    begin = 0
    while begin < len(stream):
        box: Box = {}
        at, keys = begin, 0
        while True:
            reading.inside = len(stream) - begin
            if len(stream) - at < 2:
                return reading
            key_length = int.from_bytes(stream[at : at + 2], "big")
            if key_length == 0:
                break
            value = at + 4 + key_length
            value_length = int.from_bytes(stream[value - 2 : value], "big") if len(stream) >= value else 0
            reading.fault = _fault(key_length, keys, value + value_length + 2 - begin, at, limits)
            if reading.fault or len(stream) < value + value_length:
                return reading
            box[stream[at + 2 : value - 2]] = stream[value : value + value_length]
            at, keys = value + value_length, keys + 1
        if not box and not empty_boxes:
            reading.fault = ("an empty box", begin)
            return reading
        begin = at + 2
        reading.inside = 0
        reading.boxes.append(box)
        reading.ends.append(begin)
    return reading


def _fault(key_length: int, keys: int, size: int, at: int, limits: Limits) -> tuple[str, int] | None:
    if key_length > 255:
        return f"a key of {key_length} bytes; AMP keys are 1 to 255", at
    if keys >= limits.max_box_keys:
        return f"a box of more than {limits.max_box_keys} keys", at
    if size > limits.max_box_bytes:
        return f"a box of more than {limits.max_box_bytes} bytes", at
    return None
