"""What a protocol above TLS has as its transport: the same methods as a plain one; encrypts nothing itself."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ampkit.asyncio.tls_layer import TlsLayer


class TlsTransport(asyncio.Transport):
    """Writes through TLS. Flow control is that of the transport below, as nothing waits in between."""

    def __init__(self, layer: TlsLayer, tls: ssl.SSLObject) -> None:
        super().__init__({"ssl_object": tls, "sslcontext": tls.context, "cipher": tls.cipher()})
        self._layer = layer
        self._below = layer.transport
        self._has_written_eof = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what TLS knows, `ssl_object` above all, or else what the transport below does."""
        return super().get_extra_info(name) or self._below.get_extra_info(name, default)

    # Writing

    def write(self, data: Any) -> None:
        """Write; dropped once this end or the connection is closed."""
        if self._has_written_eof:
            raise RuntimeError("cannot write behind write_eof()")
        self._layer.write(data)

    def can_write_eof(self) -> bool:
        """Half-closing is offered; ends that do not know it close altogether."""
        return True

    def write_eof(self) -> None:
        """Write nothing more, but read on."""
        if not self._has_written_eof:
            self._has_written_eof = True
            self._layer.write_eof()

    def get_write_buffer_size(self) -> int:
        """Count the bytes that the system has not taken."""
        return self._layer.unsent() + self._below.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high mark in bytes."""
        return self._below.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the bytes above which the protocol is paused, and below which it is resumed."""
        self._below.set_write_buffer_limits(high, low)

    # Reading

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Deliver again what comes."""
        self._below.resume_reading()
        asyncio.get_running_loop().call_soon(self._layer.end_if_due)

    def is_reading(self) -> bool:
        """Whether what comes is delivered."""
        return self._below.is_reading()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who receives."""
        return self._layer.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol receive from now on."""
        self._layer.protocol = protocol

    # The end

    def close(self) -> None:
        """Close when all is written."""
        self._layer.close()

    def is_closing(self) -> bool:
        """Whether `close` or `abort` was called, or the connection has ended."""
        return self._layer.is_closing or self._below.is_closing()

    def abort(self) -> None:
        """Close at once; what is not written is lost."""
        self._below.abort()
