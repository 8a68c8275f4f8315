"""TLS between a transport and a protocol: handshake, records in and out, the end of both directions; knows no box."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Final, cast

from ampkit.asyncio.handshakes import Handshakes
from ampkit.asyncio.tls_faults import tls_failure
from ampkit.asyncio.tls_transport import TlsTransport
from ampkit.core.boundary import check_tls
from ampkit.errors import AmpError, ConnectionLost, RemoteProtocolError, TlsFailed

_READ_SIZE: Final = 262_144

_LINGER: Final = 1.0
"""Seconds that the other end has to read why it was refused; a socket closed with unread bytes would lose that."""

_NOBODY: Final = asyncio.Protocol()


class TlsLayer(asyncio.Protocol):
    """The protocol of a transport of bytes. Once the handshake is done, it is the `protocol`'s transport of secrets.

    Then `opened` is called with the `TlsTransport`; `failed`, in its place, with why there is no TLS, and the transport
    that was to carry it. The protocol hears nothing before it is opened, unless it was upgraded, as it was the
    transport's before: then its flow control goes on, and it hears of the loss.
    """

    def __init__(
        self,
        protocol: asyncio.Protocol,
        handshakes: Handshakes,
        *,
        opened: Callable[[TlsTransport], None],
        failed: Callable[[AmpError, asyncio.Transport], None],
    ) -> None:
        self.protocol: asyncio.BaseProtocol = protocol
        """Who receives; a transport's `set_protocol` replaces it."""
        self._transport: asyncio.Transport | None = None
        self.is_closing = False
        self._loop = asyncio.get_running_loop()
        self._handshakes = handshakes
        self._opened = opened
        self._failed = failed
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._timer: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLObject | None = None
        self._is_open = False
        self._is_connected = self._is_unchecked = False
        self._fault: Exception | None = None
        self._unsent = b""
        self._has_ended = self._is_end_due = self._is_shut = False

    @property
    def transport(self) -> asyncio.Transport:
        """The transport below."""
        assert self._transport is not None  # noqa: S101 - narrows the type
        return self._transport

    # What the transport below calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake on a new connection."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        if self._fault is None:
            self._begin()
        else:  # it was given up before it began
            self.transport.abort()

    def upgrade(self, transport: asyncio.Transport, received: bytes, pause: float = 0.0) -> None:
        """Begin the handshake, after a pause, on a connection that was in use; `received` has come for TLS already."""
        self._transport = transport
        self._is_connected = self._is_unchecked = True
        transport.set_protocol(self)
        if pause:
            self._timer = self._loop.call_later(pause, self._begin)
        else:
            self._begin()
        transport.resume_reading()
        if received:
            self.data_received(received)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or decrypt."""
        if self._fault is not None:
            return
        if self._is_unchecked and not self._may_begin(data):
            return
        self._incoming.write(data)
        if self._is_open or self._shake_hands():
            self._decrypt()

    def eof_received(self) -> bool:
        """End: without TLS's own goodbye, bytes may be missing at the end, so this is no orderly one."""
        if not self._is_open:
            self._fail(TlsFailed("the other end closed the connection during the TLS handshake", "ended"))
        elif not self._has_ended and self._fault is None:
            self._fault = ConnectionResetError("TLS has ended without a goodbye; something may be missing")
        return self._has_ended and not self.is_closing

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the transport below is closed."""
        if not self._is_open:
            why = f": {exc}" if exc else ""
            self._fail(TlsFailed(f"the connection ended during the TLS handshake{why}", "ended"))
        self._stop_timer()
        protocol, self.protocol = self.protocol, _NOBODY
        if self._is_connected:
            protocol.connection_lost(self._fault if self._fault is not None and not self.is_closing else exc)

    def pause_writing(self) -> None:
        """Hand on: what is written here is written below at once."""
        if self._is_connected:
            self.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand on."""
        if self._is_connected:
            self.protocol.resume_writing()

    # The handshake

    def _begin(self) -> None:
        self._timer = self._loop.call_later(self._handshakes.timeout, self._time_out)
        try:
            self._tls = self._handshakes.begin(self._incoming, self._outgoing)
        except (ValueError, ssl.SSLError) as error:  # a context of the program's own that does not fit
            self._fail(TlsFailed(f"TLS cannot begin: {error}", "version"))
        else:
            self._shake_hands()

    def _shake_hands(self) -> bool:
        """Take the next step, and return whether it was the last."""
        assert self._tls is not None  # noqa: S101 - narrows the type
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            self._fail(tls_failure(error))
            return False
        self._stop_timer()
        self._is_open = self._is_connected = True
        self._flush()
        self._opened(TlsTransport(self, self._tls))
        return True

    def _may_begin(self, data: bytes) -> bool:
        """Look whether what comes first behind boxes can be TLS."""
        self._is_unchecked = False
        try:
            if self._tls is None:
                raise RemoteProtocolError("the other end sent something behind its ask for TLS")
            check_tls(data)
        except RemoteProtocolError as error:
            self._fail(error)
            return False
        return True

    def _time_out(self) -> None:
        self._fail(TlsFailed(f"no TLS handshake within {self._handshakes.timeout} s", "timeout"))

    def abort(self) -> None:
        """End at once what has not come to an open connection; nobody waits for it any more."""
        if not self._is_open:
            self._fault = self._fault or ConnectionLost("this end has given up the TLS handshake")
            if self._transport is not None:
                self._transport.abort()

    def _fail(self, error: AmpError) -> None:
        """Give up the handshake: tell the other end why, and wait a little until it has read that."""
        if self._fault is not None:
            return
        self._stop_timer()
        self._fault = error
        self._failed(error, self.transport)
        self._flush()
        self._part()

    def _part(self) -> None:
        """Close; where bytes that nobody reads could undo what was written last, not before the other end does.

        A client may have sent its first calls before it can know that its certificate is refused.
        """
        if self._handshakes.server_side and self.transport.can_write_eof() and not self.transport.is_closing():
            self._shut()
            self._timer = self._loop.call_later(_LINGER, self.transport.abort)
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Reading

    def _decrypt(self) -> None:
        """Give the protocol all that can be read, in one piece, and the end if that has come."""
        assert self._tls is not None  # noqa: S101 - narrows the type
        pieces: list[bytes] = []
        fault = None
        try:
            while piece := self._tls.read(_READ_SIZE):
                pieces.append(piece)
            self._is_end_due = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # as the end is called once this end has said goodbye too
            self._is_end_due = True
        except ssl.SSLError as error:
            fault = tls_failure(error)
        self._encrypt()  # TLS may have something to say of its own, or have waited for what came
        if pieces and not self.is_closing:
            cast(asyncio.Protocol, self.protocol).data_received(b"".join(pieces))
        if fault is not None:
            self._fault = self._fault or fault
            self._part()
        self.end_if_due()

    def end_if_due(self) -> None:
        """Tell the protocol that nothing more comes, once it has read what came before."""
        if not self._is_end_due or self._has_ended or self.is_closing or not self.transport.is_reading():
            return
        self._has_ended = True
        if not cast(asyncio.Protocol, self.protocol).eof_received():
            self.close()

    # Writing

    def write(self, data: Any) -> None:
        """Encrypt and write."""
        if data and not self.is_closing and self._fault is None:
            self._unsent += data
            self._encrypt()

    def unsent(self) -> int:
        """Count the bytes that are not encrypted yet."""
        return len(self._unsent)

    def _encrypt(self) -> None:
        assert self._tls is not None  # noqa: S101 - narrows the type
        try:
            while self._unsent:
                self._unsent = self._unsent[self._tls.write(self._unsent) :]
        except ssl.SSLWantReadError:
            pass  # TLS 1.2 negotiates anew, which a context of the program's own may allow
        except ssl.SSLError as error:
            self._unsent = b""
            self._fault = self._fault or tls_failure(error)
            self._part()
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending and not self._is_shut:
            self.transport.write(self._outgoing.read())

    def _shut(self) -> None:
        """Write nothing more below."""
        if not self._is_shut and self.transport.can_write_eof():
            self._is_shut = True
            self.transport.write_eof()

    # The end

    def write_eof(self) -> None:
        """Write nothing more, but read on."""
        if not self.is_closing:
            self._say_goodbye()
            self._shut()

    def _say_goodbye(self) -> None:
        assert self._tls is not None  # noqa: S101 - narrows the type
        with contextlib.suppress(ssl.SSLError):  # it would wait for the other end's goodbye, which comes or does not
            self._tls.unwrap()
        self._flush()

    def close(self) -> None:
        """Say goodbye, and close when all is written."""
        if not self.is_closing:
            self.is_closing = True
            self._say_goodbye()
            self.transport.close()
