"""Nothing that is done again and again takes memory each time: blocks of the allocator are counted, not megabytes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, Final

import pytest

from ampkit import AmpError, Limits, Options, Peer
from ampkit.schema.codecs import make_caller, make_mapping_decoder, make_mapping_encoder
from ampkit.schema.containers import AmpList
from ampkit.testing import VirtualTimeLoop, peer_pair
from ampkit.wire.box import encode_box
from ampkit.wire.codec import Decoder
from tests.speed.office import COMPILED, make_service
from tests.speed.scripts import write
from tests.speed.stage import play

pytestmark = pytest.mark.skipif(sys.getallocatedblocks() == 0, reason="the blocks of this allocator cannot be counted")

ROUNDS: Final = int(os.environ.get("LEAK_ROUNDS", "130"))
"""A leak is a block a round, or every sixth; what is kept once, as a timer or a warm cache, is not."""

_SPANS: Final = 3
"""How often so many rounds are counted. The least counts: a leak is there each time, while what the thread of the test
runner allocates meanwhile is not."""

_KEPT: Final = 20


def _blocks() -> int:
    """Return how many there are without garbage and without the names in CPython's cache of looked-up attributes.

    The latter grows with each task that ends with an exception, by a new string `result`.
    """
    gc.collect()
    sys._clear_type_cache()
    return sys.getallocatedblocks()


def _growth(once: Callable[[], object], rounds: int = ROUNDS) -> int:
    """Return how many blocks more there are after so many rounds than after a few."""
    for _ in range(30):
        once()
    counts = [_blocks()]
    for _ in range(_SPANS):
        for _ in range(rounds):
            once()
        counts.append(_blocks())
    return min(after - before for before, after in pairwise(counts))


async def _growth_of(once: Callable[[], Awaitable[object]]) -> int:
    for _ in range(100):
        await once()
    counts = [_blocks()]
    for _ in range(_SPANS):
        for _ in range(ROUNDS):
            await once()
        counts.append(_blocks())
    return min(after - before for before, after in pairwise(counts))


def _quietly(function: Callable[..., object], *args: Any, **kwargs: Any) -> None:
    with contextlib.suppress(AmpError, TypeError, ValueError):
        function(*args, **kwargs)


def _decode(*pieces: bytes) -> None:
    decoder = Decoder(Limits(max_box_bytes=100))
    with contextlib.suppress(AmpError):
        for piece in pieces:
            decoder.feed(piece)
            while decoder.next_box() is not None:
                pass
        assert decoder.unread is not None
        decoder.end()


K: Final = COMPILED
_BOX: Final = encode_box({b"a": b"13", b"key": b"value"})
_PAIRS: Final = [(left, right) for left in range(5) for right in range(5)]
_FIELDS: Final = K.Many.__schema__.fields
_TO_BOX: Final = make_mapping_encoder(_FIELDS, b"_ask", b"", closed=True)
_TO_MAPPING: Final = make_mapping_decoder(_FIELDS)
_CALL: Final = make_caller(_FIELDS)
_VALUES: Final = vars(K.Many())
_FLAT: Final = AmpList(K.Flat)
_ITEMS: Final = AmpList(K.Item)

SYNCHRONOUS: Final[dict[str, Callable[[], object]]] = {
    "boxes": lambda: _decode(_BOX * 20),
    "boxes in pieces": lambda: _decode(_BOX[:3], _BOX[3:9], _BOX[9:] + _BOX[:1]),
    "no boxes": lambda: _decode(_BOX + b"\1\0\0"),
    "boxes that are too large": lambda: _decode(_BOX, b"\0\1k\0\xff", bytes(255)),
    "keys that look alike": lambda: _decode(*(encode_box({b"k%d1%d1" % pair: b""}) for pair in _PAIRS)),
    "records": lambda: (K.Sum(a=1, b=2), K.Item(name="x"), K.Check(number=5)),
    "a call of a record that lacks something": lambda: _quietly(K.Sum, a=1),
    "a call of a record that has too much": lambda: _quietly(K.Sum, a=1, b=2, c=3),
    "positional calls of records": lambda: _quietly(K.Sum, 1, 2),
    "encoding": lambda: K.Many.__command__.encode(
        K.Many(d_text="\xe4", b_float=1.5, h_none=10**30, f_items=[K.Item(name="x")])
    ),
    "large values": lambda: K.Many.__command__.encode(K.Many(a_bytes=bytes(60_000))),
    "encoding what is wrong": lambda: _quietly(K.Many.__command__.encode, K.Many(a_bytes=bytes(70_000), e_odd=2)),
    "decoding": lambda: K.Many.__schema__.decode({b"aBytes": b"x", b"bFloat": b"1.5", b"eOdd": b"7", b"hNone": b"5"}),
    "decoding what is wrong": lambda: _quietly(K.Many.__schema__.decode, {b"bFloat": b"1.5.", b"dText": b"\xff"}),
    "lists": lambda: (_FLAT.decode(encode_box({b"name": b"x"}) * 5), _ITEMS.decode(encode_box({b"name": b"x"}) * 5)),
    "lists that are wrong": lambda: _quietly(_FLAT.decode, encode_box({b"name": b"x"}) + b"\0\1"),
    "mappings": lambda: (_TO_BOX(dict(_VALUES), b"1"), _TO_MAPPING({}), _CALL({}, lambda *_, **__: 5, 0)),
    "mappings that are wrong": lambda: (_TO_BOX({"x": 5}, b"1"), _TO_MAPPING({b"hNone": b"x"})),
}


@pytest.mark.parametrize("name", SYNCHRONOUS)
def test_work_without_a_connection(name: str) -> None:
    """Good and bad."""
    assert _growth(SYNCHRONOUS[name]) < _KEPT


async def _cancelled(work: Awaitable[Any], turns: int) -> None:
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def _suppressed(work: Awaitable[Any]) -> None:
    with contextlib.suppress(AmpError, KeyError):
        await work


CALLS: Final[dict[str, Callable[[Peer], Awaitable[Any]]]] = {
    "call": lambda peer: peer.call(K.Sum(a=1, b=2)),
    "call in time": lambda peer: peer.call(K.Sum(a=1, b=2), timeout=5),
    "late call": lambda peer: _suppressed(peer.call(K.Wait(number=100), timeout=0.01)),
    "coroutine": lambda peer: peer.call(K.Wait(number=0)),
    "call back": lambda peer: peer.call(K.Back(depth=2)),
    "call_many": lambda peer: peer.call_many([K.Sum(a=1, b=2), K.Wait(number=0)] * 5),
    "late call_many": lambda peer: peer.call_many([K.Wait(number=100)] * 5, timeout=0.01, return_exceptions=True),
    "errors": lambda peer: peer.call_many(
        [K.Raise(name="declared"), K.Raise(name="remote", later=True)], return_exceptions=True
    ),
    "undeclared error": lambda peer: _suppressed(peer.call(K.Raise(name="undeclared"))),
    "wrong response": lambda peer: _suppressed(peer.call(K.Give(name="too large"))),
    "mapping": lambda peer: peer.call(K.Give(name="mapping", later=True)),
    "a response that its class refuses": lambda peer: _suppressed(peer.call(K.Check(number=-1))),
    "unencodable": lambda peer: _suppressed(peer.call(K.Sum(a=None, b=2))),
    "tell": lambda peer: peer.tell(K.Note(text="x")),
    "cancelled call": lambda peer: _cancelled(peer.call(K.Wait(number=100)), 1),
    "cancelled later": lambda peer: _cancelled(peer.call(K.Wait(number=100), timeout=5), 5),
    "cancelled call_many": lambda peer: _cancelled(peer.call_many([K.Wait(number=100), K.Sum(a=1, b=2)] * 3), 3),
    "malformed ask": lambda peer: _suppressed(peer.call_raw(b"Sum", {b"a": b"x"})),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """However they end."""
    caplog.set_level(logging.CRITICAL + 1, "ampkit")

    async def main() -> int:
        options = Options(ping_interval=None)
        service = make_service(K, lambda *_: None)
        async with peer_pair(service, service, options=options) as (peer, _):

            async def once() -> None:
                await CALLS[name](peer)
                await asyncio.sleep(0.02)

            return await _growth_of(once)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) < _KEPT


def test_connections_that_close_with_calls_pending() -> None:
    """All that belonged to them goes, without the garbage collector or with it."""
    service = make_service(K, lambda *_: None)  # a class, which others remember; so it is not made each time

    async def once() -> None:
        async with peer_pair(None, service) as (peer, _):
            calls = [asyncio.ensure_future(peer.call(K.Wait(number=100), timeout=timeout)) for timeout in (None, 5)]
            calls.append(asyncio.ensure_future(peer.call_many([K.Wait(number=100)] * 3)))
            await asyncio.sleep(0.1)
        await asyncio.wait(calls)
        assert all(isinstance(call.exception(), AmpError) for call in calls)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(_growth_of(once)) < _KEPT


def test_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    """The same scripts again leave nothing more."""
    caplog.set_level(logging.CRITICAL + 1, "ampkit")
    scripts = [write(seed) for seed in range(12)]

    def once() -> None:
        for script in scripts:
            play(script, compiled=True)

    assert _growth(once, ROUNDS // 20) < _KEPT
