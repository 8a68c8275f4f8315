"""Whatever a program's own code does while a box is read or written, nothing breaks and every call ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable
from typing import Annotated, Final

import pytest

from ampkit import AmpError, Argument, Command, ConnectionLost, Options, Peer, Response, Service
from ampkit.testing import VirtualTimeLoop, peer_pair
from ampkit.wire.box import encode_box
from ampkit.wire.codec import Decoder

_INSIDE: Final = b"\0\4_ask\0\2in\0\x08_command\0\4Echo\0\5value\0\0010\0\0"

_left: Final[list[tuple[str, Peer]]] = []
"""What the next values do that are converted, and with which peer."""


def _fail() -> None:
    raise ValueError("it fails")


def _forget(peer: Peer) -> None:
    peer.channel.connection.conversation.pending.clear()
    peer.calls.end()


def _transport(peer: Peer) -> asyncio.Transport:
    assert peer.channel.transport is not None
    return peer.channel.transport


def _stop() -> None:
    raise asyncio.CancelledError


ACTS: Final[dict[str, Callable[[Peer], object]]] = {
    "feed": lambda peer: peer.channel.data_received(_INSIDE),
    "feed a part": lambda peer: peer.channel.data_received(_INSIDE[:9]),
    "feed nonsense": lambda peer: peer.channel.data_received(b"\xff\xff"),
    "pull": lambda peer: peer.channel.pull(),
    "next box": lambda peer: peer.channel.connection.link.decoder.next_box(),
    "rest": lambda peer: peer.channel.connection.link.decoder.take_rest(),
    "flush": lambda peer: peer.channel.flush(),
    "end": lambda peer: peer.channel.end(ConnectionLost("ended inside")),
    "abort": lambda peer: _transport(peer).abort(),
    "close": lambda peer: peer.closing.end(),
    "call": lambda peer: asyncio.ensure_future(peer.call(Echo(value=0))).add_done_callback(
        lambda call: call.exception()
    ),
    "pause": lambda peer: peer.channel.pause_writing(),
    "forget": _forget,
    "collect": lambda _: gc.collect(),
    "nothing": lambda _: None,
    "fail": lambda _: _fail(),
    "cancel": lambda _: _stop(),
}


class Acting(Argument[int]):
    """A number, and an act whenever it is converted."""

    def encode(self, value: int) -> bytes:
        _act()
        return b"%d" % value

    def decode(self, data: bytes) -> int:
        _act()
        return int(data)


def _act() -> None:
    if _left:
        name, peer = _left.pop()
        ACTS[name](peer)


class Echoed(Response):
    """What came."""

    value: Annotated[int, Acting()]


class Echo(Command[Echoed]):
    """Come back."""

    value: Annotated[int, Acting()]


class Echoes(Service):
    """Acts as well, before it answers."""

    @Echo.responder
    def echo(self, command: Echo) -> Echoed:
        """Answer."""
        _act()
        return Echoed(value=command.value)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("name", ACTS)
def test_an_act_inside(name: str, after: int, side: int, many: bool, caplog: pytest.LogCaptureFixture) -> None:
    """At each place at which a call runs code of the program's."""
    caplog.set_level(logging.CRITICAL + 1, "ampkit")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # of what the acts themselves raise out of a transport's call
        async with peer_pair(Echoes(), Echoes(), options=Options(timeout=5, ping_interval=None)) as ends:
            peer = ends[0]
            _left[:] = [(name, ends[side]), *(("nothing", peer) for _ in range(after))]
            works = [peer.call_many([Echo(value=1)] * 3) if many else peer.call(Echo(value=1)) for _ in range(2)]
            calls = [asyncio.ensure_future(work) for work in works]
            async with asyncio.timeout(3_600):
                await asyncio.wait(calls)
            _left.clear()
            for call in calls:
                if not call.cancelled():
                    with contextlib.suppress(AmpError, ValueError):
                        call.result()
            for end in ends:
                end.channel.resume_writing()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_a_decoder_that_is_fed_by_a_finalizer() -> None:
    """The garbage collector may run anything, in the middle of anything."""
    decoder = Decoder()
    box = encode_box({b"a": b"1", b"b": bytes(100)})

    class Feeding:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            decoder.feed(box)

    thresholds = gc.get_threshold()
    pulled = 0
    try:
        gc.set_threshold(1, 1, 1)
        for _ in range(300):
            Feeding()
            decoder.feed(box)
            while decoder.next_box() is not None:
                pulled += 1
    finally:
        gc.set_threshold(*thresholds)
        gc.collect()
    assert pulled >= 300


class Written(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.data += data


class Late:
    """Sends a box when it is collected as garbage."""

    def __init__(self, peer: Peer) -> None:
        self._me = self
        self._peer = peer

    def __del__(self) -> None:
        self._peer.channel.connection.link.send(b"late")


async def test_garbage_is_collected_while_boxes_are_written() -> None:
    """What is sent meanwhile is written now or the next time."""
    async with peer_pair(None, Echoes()) as (peer, _):
        transport, written = peer.channel.transport, Written()
        enabled, thresholds = gc.isenabled(), gc.get_threshold()
        gc.collect()
        gc.disable()
        lists: list[list[int]] = [[] for _ in range(200)]  # so that none is left that need not be allocated
        peer.channel.transport = written
        try:
            for _ in range(100):
                peer.channel.connection.link.send(b"box ")
            Late(peer)
            gc.set_threshold(1)
            gc.enable()
            peer.channel.flush()
        finally:
            gc.set_threshold(*thresholds)
            (gc.enable if enabled else gc.disable)()
            lists.clear()
        gc.collect()
        peer.channel.flush()
        peer.channel.transport = transport
    assert written.data == b"box " * 100 + b"late"
