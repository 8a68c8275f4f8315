"""What does it cost to get typed values out of the bytes of Sum answers?"""

# mypy: allow-untyped-calls

from collections.abc import Callable
from typing import Any

from bench.codec.streams import ANSWERS, BOXES


def twisted() -> Callable[[], int]:
    """`parseString`, then `parseResponse` as `callRemote` does."""
    from twisted.protocols.amp import AMP, parseString  # noqa: PLC0415  (a process loads one library)

    from bench.ends.twisted_commands import Sum  # noqa: PLC0415

    peer = AMP()

    def work() -> int:
        reply: dict[str, Any] = {}
        for box in parseString(ANSWERS):
            reply = Sum.parseResponse(box, peer)
        return BOXES if reply["total"] == 94 else 0

    return work


def ampkit() -> Callable[[], int]:
    """A new `Decoder`, as `parseString` makes a new parser, then the compiled decoder of the response."""
    from ampkit.wire.codec import Decoder  # noqa: PLC0415
    from bench.ends.ampkit_commands import Sum, Total  # noqa: PLC0415

    decode = Sum.__command__.decode_response

    def work() -> int:
        reply = Total(total=0)
        decoder = Decoder()
        decoder.feed(ANSWERS)
        for box in iter(decoder.next_box, None):
            reply = decode(box)
        return BOXES if reply.total == 94 else 0

    return work
