"""A unix socket on uvloop, which drops one as soon as that has an error, though there may be bytes left to read."""

from __future__ import annotations

import socket

from ampkit.asyncio.unix_transport import UnixTransport


class UvUnixTransport(UnixTransport):
    """Reads to the end although the other end has closed with something of ours unread, which is such an error."""

    __slots__ = ()

    def _readable(self) -> None:
        super()._readable()
        # Asking for the error takes it away; on uvloop 0.23 the reader has been called for the last time then.
        if not self._is_closing and self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._loop.call_soon(self._look_again)

    def _look_again(self) -> None:
        if self._is_reading and not self._is_closing:
            self._loop.remove_reader(self._fd)  # it is still in uvloop's table, or would be twice
            self._loop.add_reader(self._fd, self._readable)
