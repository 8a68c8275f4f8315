"""What does it cost to get from the values of a Sum to the bytes of its ask?"""

# mypy: allow-untyped-calls

from collections.abc import Callable

from bench.codec.streams import BOXES, box, sum_ask

EXPECTED = box(sum_ask(BOXES))


def twisted() -> Callable[[], int]:
    """What `callRemote` does before it writes, without its counter and its Deferred."""
    from twisted.protocols.amp import AMP, ASK, COMMAND  # noqa: PLC0415  (a process loads one library)

    from bench.ends.twisted_commands import Sum  # noqa: PLC0415

    peer = AMP()

    def work() -> int:
        data = b""
        for number in range(1, BOXES + 1):
            ask = Sum.makeArguments(Sum(a=13, b=81).structured, peer)
            ask[COMMAND] = Sum.commandName
            ask[ASK] = b"%x" % number
            data = ask.serialize()
        return BOXES if data == EXPECTED else 0

    return work


def ampkit() -> Callable[[], int]:
    """The compiled encoder of the command, and the core's template around it, without counter and waiter."""
    from bench.ends.ampkit_commands import Sum  # noqa: PLC0415

    encode = Sum.__command__.encode

    def work() -> int:
        data = b""
        for number in range(1, BOXES + 1):
            tag = b"%x" % number
            data = b"\0\4_ask\0%c%b%b\0\0" % (len(tag), tag, encode(Sum(a=13, b=81)))
        return BOXES if data == EXPECTED else 0

    return work
