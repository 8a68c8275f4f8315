"""Accepts the connections of a unix socket as transports that carry descriptors; knows no peer."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Final

from ampkit.asyncio.unix_socket import begin_unix

_AT_A_TIME: Final = 128
"""Connections that are accepted in one turn of the loop: others have their turn too."""

_SHARED_AT_A_TIME: Final = 1
"""The same where other processes accept from the same socket: whoever wakes first is not to take all that wait."""

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE: Final = 1.0
"""Seconds until a system that had no file left may have one."""

_logger: Final = logging.getLogger("ampkit")


class Acceptor:
    """Accepts until it is closed. The listening socket is its own."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        is_shared: bool = False,
    ) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._make_protocol = make_protocol
        self._at_a_time = _SHARED_AT_A_TIME if is_shared else _AT_A_TIME
        self._timer: asyncio.TimerHandle | None = None
        self._resume()

    def _resume(self) -> None:
        self._loop.add_reader(self._sock.fileno(), self._accept)

    def pause(self) -> None:
        """Accept nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._sock.fileno())

    def close(self) -> None:
        """Close the socket; connections go on."""
        if self._sock.fileno() >= 0:
            self.pause()
            self._sock.close()

    def _accept(self) -> None:
        for _ in range(self._at_a_time):
            try:
                connection, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._refused(error)
                return
            begin_unix(self._loop, connection, self._make_protocol())

    def _refused(self, error: OSError) -> None:
        self.pause()
        if error.errno not in _EXHAUSTED:
            raise error
        _logger.error("cannot accept connections for a second: %s", error)
        self._timer = self._loop.call_later(_PAUSE, self._resume)
