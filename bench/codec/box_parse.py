"""What does it cost to take boxes out of the bytes of one read? Half are Sum asks of 4 keys, half answers of 2."""

# mypy: allow-untyped-calls

from collections.abc import Callable

from bench.codec.streams import ASKS_AND_ANSWERS, BOXES


def twisted(stream: bytes = ASKS_AND_ANSWERS) -> Callable[[], int]:
    """`parseString`, which is how Twisted's protocol parses, without a transport."""
    from twisted.protocols.amp import parseString  # noqa: PLC0415  (a process loads one library)

    def work() -> int:
        boxes = parseString(stream)
        return BOXES if len(boxes) == BOXES else 0

    return work


def ampkit(stream: bytes = ASKS_AND_ANSWERS) -> Callable[[], int]:
    """A new `Decoder`, as `parseString` makes a new parser."""
    from ampkit.wire.codec import Decoder  # noqa: PLC0415

    def work() -> int:
        decoder = Decoder()
        decoder.feed(stream)
        boxes = list(iter(decoder.next_box, None))
        return BOXES if len(boxes) == BOXES else 0

    return work
