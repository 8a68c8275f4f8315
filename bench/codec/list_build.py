"""What does it cost to make the items of an AmpList, and its bytes of them? An item is the arguments of a Sum."""

# mypy: allow-untyped-calls

from collections.abc import Callable

from bench.codec.streams import ARGUMENTS, BOXES


def twisted() -> Callable[[], int]:
    """A list of dictionaries."""
    from twisted.protocols.amp import AMP, AmpList  # noqa: PLC0415  (a process loads one library)

    from bench.ends.twisted_commands import Sum  # noqa: PLC0415

    peer = AMP()
    items = AmpList(Sum.arguments)

    def work() -> int:
        data = items.toStringProto([{"a": 13, "b": 81} for _ in range(BOXES)], peer)
        return BOXES if data == ARGUMENTS else 0

    return work


def ampkit() -> Callable[[], int]:
    """A list of records: a command is one, too."""
    from ampkit import AmpList  # noqa: PLC0415
    from bench.ends.ampkit_commands import Sum  # noqa: PLC0415

    items = AmpList(Sum)

    def work() -> int:
        data = items.encode([Sum(a=13, b=81) for _ in range(BOXES)])
        return BOXES if data == ARGUMENTS else 0

    return work
