"""A real peer whose other end is played by the test, in boxes and bytes; knows no command's fields and judges nothing.

    async with fake_peer() as (peer, fake):
        call = asyncio.create_task(peer.call(Sum(a=13, b=81)))
        ask = await fake.next_ask()  # AskReceived(tag=b"1", command=b"Sum", box={b"a": b"13", b"b": b"81"})
        fake.answer(ask.tag, {b"total": b"94"})
        assert await call == Total(total=94)

The fake end sends nothing of its own accord, so what goes over the wire is what the test says. It would not answer
pings either: unless a test gives other options, the peer sends none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from ampkit.asyncio.memory import connect_pair
from ampkit.asyncio.peer import Peer
from ampkit.core.events import AskReceived
from ampkit.errors import AmpError, ConnectionLost
from ampkit.policy.options import Options
from ampkit.schema.responders import Services
from ampkit.testing.pipe import NOWHERE, make_peer
from ampkit.wire.box import Box, encode_box
from ampkit.wire.codec import Decoder
from ampkit.wire.keys import ANSWER, ASK, COMMAND, ERROR, ERROR_CODE, ERROR_DESCRIPTION
from ampkit.wire.limits import DEFAULT_LIMITS, Limits
from ampkit.wire.text import to_text

WITHOUT_PINGS: Final = Options(ping_interval=None)


@asynccontextmanager
async def fake_peer(
    service: Services = None, *, limits: Limits = DEFAULT_LIMITS, options: Options = WITHOUT_PINGS
) -> AsyncGenerator[tuple[Peer, FakePeer], None]:
    """Join a peer under test, which answers with `service`, to a fake one; close both at the end of the block."""
    loop = asyncio.get_running_loop()
    peer, fake = make_peer(service, limits, options), FakePeer(loop, limits)
    connect_pair(loop, peer.channel, fake, NOWHERE)
    try:
        yield peer, fake
    finally:
        fake.start_reading()
        await peer.close()


class FakePeer(asyncio.Protocol):
    """The scripted end of a connection: it sends what it is told to, right or wrong, and answers nothing by itself.

    Whatever it sends after the connection has ended is dropped. Boxes that cannot be encoded raise
    LocalProtocolError; for bytes that are no boxes there is `send_bytes`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits) -> None:
        self._transport: asyncio.Transport
        self._decoder = Decoder(limits)
        self._boxes: deque[Box] = deque()
        self._news = asyncio.Event()
        self._closed: asyncio.Future[AmpError] = loop.create_future()
        self._asked = 0

    # What the peer under test has sent

    async def next_box(self) -> Box:
        """Wait for the next box and return it. Raises ConnectionLost if the peer has closed and there is none."""
        while not self._boxes:
            if self._closed.done():
                raise self._closed.result()
            self._news.clear()
            await self._news.wait()
        return self._boxes.popleft()

    @property
    def has_boxes(self) -> bool:
        """Whether `next_box` would return at once."""
        return bool(self._boxes)

    async def next_ask(self) -> AskReceived:
        """Wait for the next box, which must be an ask, and return it; its tag is None if no answer is wanted.

        Raises AssertionError if it is another kind of box, and as `next_box` does.
        """
        box = await self.next_box()
        shown = to_text(box)
        tag, command = box.pop(ASK, None), box.pop(COMMAND, None)
        if command is None:
            raise AssertionError(f"expected an ask, not this box:\n{shown}")
        return AskReceived(tag, command, box)

    async def wait_closed(self) -> None:
        """Wait until the connection has ended, by whichever end. What came before can still be had."""
        await asyncio.shield(self._closed)

    # What it sends

    def ask(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> bytes:
        """Ask, and return the tag, which the answer has as its `_answer` or `_error`: `fake-1`, then `fake-2`, ..."""
        self._asked += 1
        tag = b"fake-%d" % self._asked
        self.send_box({ASK: tag, COMMAND: command, **(box or {})})
        return tag

    def tell(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        """Send a command that wants no answer."""
        self.send_box({COMMAND: command, **(box or {})})

    def answer(self, tag: bytes | None, box: Mapping[bytes, bytes] | None = None) -> None:
        """Answer an ask. Raises AssertionError for the tag None: then no answer is wanted."""
        self.send_box({ANSWER: _wanted(tag), **(box or {})})

    def refuse(self, tag: bytes | None, code: bytes, description: bytes = b"") -> None:
        """Refuse an ask. Raises AssertionError for the tag None: then no answer is wanted."""
        self.send_box({ERROR: _wanted(tag), ERROR_CODE: code, ERROR_DESCRIPTION: description})

    def send_box(self, box: Mapping[bytes, bytes]) -> None:
        """Send any box."""
        self.send_bytes(encode_box(box))

    def send_bytes(self, data: bytes) -> None:
        """Send any bytes."""
        self._transport.write(data)

    # What it does to the connection

    def stop_reading(self) -> None:
        """Take nothing more, as a peer that is busy or stuck: what the peer under test sends piles up on its side."""
        self._transport.pause_reading()

    def start_reading(self) -> None:
        """Take again what comes and has come."""
        self._transport.resume_reading()

    def close(self) -> None:
        """Close the connection; the peer under test first gets all that was sent."""
        self._transport.close()

    def abort(self) -> None:
        """Break the connection, as a crash does."""
        self._transport.abort()

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._decoder.feed(data)
        self._boxes.extend(iter(self._decoder.next_box, None))
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set_result(ConnectionLost(f"the connection was {'broken' if exc else 'closed'}"))
        self._news.set()


def _wanted(tag: bytes | None) -> bytes:
    if tag is None:
        raise AssertionError("this ask has no tag, so no answer is wanted")
    return tag
