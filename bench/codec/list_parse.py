"""What does it cost to get the items of an AmpList out of its bytes? An item is what a Sum results in."""

# mypy: allow-untyped-calls

from collections.abc import Callable

from bench.codec.streams import BOXES, RESULTS


def twisted() -> Callable[[], int]:
    """A list of dictionaries."""
    from twisted.protocols.amp import AMP, AmpList  # noqa: PLC0415  (a process loads one library)

    from bench.ends.twisted_commands import Sum  # noqa: PLC0415

    peer = AMP()
    results = AmpList(Sum.response)

    def work() -> int:
        items = results.fromStringProto(RESULTS, peer)
        return BOXES if items[-1]["total"] == 94 else 0

    return work


def ampkit() -> Callable[[], int]:
    """A list of records."""
    from ampkit import AmpList  # noqa: PLC0415
    from bench.ends.ampkit_commands import Total  # noqa: PLC0415

    results = AmpList(Total)

    def work() -> int:
        items = results.decode(RESULTS)
        return BOXES if items[-1].total == 94 else 0

    return work
