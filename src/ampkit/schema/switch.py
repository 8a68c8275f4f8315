"""What a responder returns to let its connection go on with another protocol; switches nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


class Switch:
    """The answer to a `class BecomeHttp(Command[Switch])`: from it on, the connection speaks another protocol.

    `Switch(HttpProtocol)` calls `HttpProtocol()` for an `asyncio.Protocol`; `Switch(streams=serve_http)` calls
    `serve_http(reader, writer)`, as `asyncio.start_server` does. Raises TypeError unless it is given one of them.
    """

    __slots__ = ("protocol", "streams")

    def __init__(
        self,
        protocol: Callable[[], Any] | None = None,
        *,
        streams: Callable[[Any, Any], Awaitable[None] | None] | None = None,
    ) -> None:
        if (protocol is None) is (streams is None):
            raise TypeError("a Switch takes what makes a protocol, or streams=, and not both")
        self.protocol = protocol
        self.streams = streams
