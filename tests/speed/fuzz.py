"""Streams with random faults through both twins, until the time is over: `python -m tests.speed.fuzz SECONDS [SEED]`.

Ends with 1, and the stream in hexadecimal, where the twins differ; whatever else is wrong ends the process.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from ampkit import AmpList, Command, Limits, Options, RemoteProtocolError, Response, Service
from ampkit.asyncio.address import UnixAddress
from ampkit.asyncio.peer import Peer
from ampkit.schema.compiler import make_decoder
from ampkit.schema.responders import Responders
from ampkit.speed import compiled
from ampkit.wire.codec import PythonDecoder
from tests.speed.twins import outcome, shown

WORDS = [
    *(b"_ask _answer _error _command _timeout _error_code _error_description a b c d total".split()),
    *(b"Mix 1 2 ff 13 -7 007 +5 True False 1.5 nan 1e9 text \xff\xfe".split()),
    b"",
    b"x" * 300,
]


class Total(Response):
    """What comes back."""

    total: int
    c: str | None = None


class Mix(Command[Total]):
    """One field of each kind."""

    a: int
    b: str = "none"
    c: bytes | None = None
    d: float = 0.0
    e: bool = False


class Mixer(Service):
    """Answers."""

    @Mix.responder
    def mix(self, command: Mix) -> Total:
        """Fail now and then."""
        if command.a % 5 == 0:
            raise ValueError(command.b)
        return Total(total=command.a, c=command.b)


class Sink(asyncio.Transport):
    """Takes what is written, and keeps none of it."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Drop it."""

    def writelines(self, list_of_data: Any) -> None:
        """Drop them."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There are none."""

    def get_write_buffer_size(self) -> int:
        """It is always empty."""
        return 0

    def is_closing(self) -> bool:
        """It does not close."""
        return False

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""

    def abort(self) -> None:
        """There is nothing to end."""


def stream(rng: random.Random) -> bytes:
    """Return boxes of words, some of them with a fault."""
    data = bytearray()
    for _ in range(rng.randrange(1, 5)):
        for _ in range(rng.randrange(6)):
            for word in (rng.choice(WORDS), rng.choice(WORDS)):
                data += len(word).to_bytes(2, "big") + word
        data += b"\0\0"
    for _ in range(rng.choice([0, 0, 1, 3])):
        at = rng.randrange(len(data))
        kind = rng.randrange(3)
        if kind == 0:
            data[at] = rng.randrange(256)
        else:
            data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4)) if kind == 1 else b""
            data += b"\0\0"
    return bytes(data)


def pieces(rng: random.Random, data: bytes) -> list[bytes]:
    """Cut a stream anywhere."""
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice([0, 0, 1, 5])))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def boxes(decoder: Any, parts: list[bytes]) -> list[Any]:
    """Return all that a decoder gives, and how it ends."""
    given: list[Any] = []
    try:
        for part in parts:
            decoder.feed(part)
            given += iter(decoder.next_box, None)
        decoder.end()
    except RemoteProtocolError as error:
        given.append((str(error), error.position))
    return given


def check(rng: random.Random, data: bytes, twins: list[tuple[Callable[..., Any], Callable[..., Any]]]) -> None:
    """Raise AssertionError where the twins differ."""
    parts = pieces(rng, data)
    limits = Limits(max_box_keys=rng.choice([2, 1_024]), max_box_bytes=rng.choice([40, 1_048_576]))
    given = boxes(compiled.Decoder(limits, empty_boxes=True), parts)
    assert given == boxes(PythonDecoder(limits, empty_boxes=True), parts)
    for box in given:
        for ours, theirs in twins if isinstance(box, dict) else []:
            assert outcome(ours, box) == outcome(theirs, box)
    in_list = compiled.decode_records(Total.__schema__.decode, data)
    if in_list is not None:
        careful = [
            make_decoder(Total, Total.__schema__.fields)(box) for box in boxes(PythonDecoder(empty_boxes=True), [data])
        ]
        assert shown(in_list) == shown(careful)
    outcome(AmpList(Total).decode, data)


async def through_a_peer(parts: list[bytes], responders: Responders) -> None:
    """Let a peer read it: whatever comes, it goes on or ends."""
    peer = Peer(lambda _: responders, UnixAddress("/"), limits=Limits(), options=Options(ping_interval=None))
    peer.channel.connection_made(Sink())
    calls = [asyncio.ensure_future(peer.call(Mix(a=number))) for number in range(2)]
    await asyncio.sleep(0)
    for part in parts:
        peer.channel.data_received(part)
        await asyncio.sleep(0)
    peer.channel.connection_lost(None)
    await asyncio.gather(*calls, return_exceptions=True)


async def main(seconds: float, seed: int) -> int:
    """Fuzz, and say how much."""
    logging.getLogger("ampkit").addHandler(logging.NullHandler())
    if compiled is None:
        print("there is no compiled module", file=sys.stderr)
        return 2
    rng, responders = random.Random(seed), Responders(Mixer())
    twins = [(kind.__schema__.decode, make_decoder(kind, kind.__schema__.fields)) for kind in (Mix, Total)]
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = stream(rng)
        try:
            check(rng, data, twins)
        except AssertionError as error:
            print(f"the twins differ (seed {seed}, stream {count}): {data.hex()}\n{error!r}", file=sys.stderr)
            return 1
        await through_a_peer(pieces(rng, data), responders)
        count += 1
    print(f"{count:,} streams in {seconds:g} s: the twins agree (seed {seed})")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
