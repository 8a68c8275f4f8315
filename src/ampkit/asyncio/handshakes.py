"""The TLS handshakes of one side: its context, made anew when files change, and the name to verify; moves no bytes."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final, TypeAlias

from ampkit.asyncio.log import logger
from ampkit.asyncio.tls import Tls, files_of, make_context
from ampkit.errors import LocalProtocolError

AnyTls: TypeAlias = Tls | ssl.SSLContext

_OTHER_SIDE: Final = {True: ssl.PROTOCOL_TLS_CLIENT, False: ssl.PROTOCOL_TLS_SERVER}
"""By whether this is the server: the kind of context that cannot be used."""


class Handshakes:
    """Makes the handshakes of one `connect`, `serve` or `start_tls`.

    Raises LocalProtocolError if that cannot work: a server without a certificate, a client that does not know whose
    name to verify, files that cannot be read.
    """

    def __init__(
        self, tls: AnyTls, *, server_side: bool, host: str | None, timeout: float, from_first_byte: bool = True
    ) -> None:
        self.server_side = server_side
        self.timeout = timeout
        """Seconds that a handshake may take."""
        self._tls = tls
        self._alpn = server_side or from_first_byte
        self._host = (tls.host_name if isinstance(tls, Tls) else None) or host
        self._seen: object = None
        self._context = self._first_context()
        if not server_side and self._host is None and self._context.check_hostname:
            raise LocalProtocolError("there is no host name to verify; give one with Tls(host_name=...)")

    def begin(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        """Return one end of TLS between two buffers, with the certificates that the files have now."""
        if isinstance(self._tls, Tls):
            self._look_again(self._tls)
        host = None if self.server_side else self._host
        return self._context.wrap_bio(incoming, outgoing, server_side=self.server_side, server_hostname=host)

    def _first_context(self) -> ssl.SSLContext:
        tls = self._tls
        if isinstance(tls, ssl.SSLContext):
            if tls.protocol is _OTHER_SIDE[self.server_side]:
                raise LocalProtocolError(f"this end is the TLS {self._role()}; the SSLContext is for the other")
            return tls
        if self.server_side and tls.certificate is None:
            raise LocalProtocolError("the end that serves needs Tls(certificate=...)")
        self._seen = _state_of(tls)
        try:
            return make_context(tls, server_side=self.server_side, alpn=self._alpn)
        except OSError as error:
            raise LocalProtocolError(_unusable(tls, error)) from error

    def _look_again(self, tls: Tls) -> None:
        """Make the context anew if a file is another one now; the old one is kept where that fails."""
        state = _state_of(tls)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._context = make_context(tls, server_side=self.server_side, alpn=self._alpn)
        except OSError as error:  # they may be half replaced: the next handshake looks again
            logger.warning("%s; the TLS %s goes on with what it had", _unusable(tls, error), self._role())

    def _role(self) -> str:
        return "server" if self.server_side else "client"


def _state_of(tls: Tls) -> object:
    """Return what is different when a file has changed."""
    return [_state_of_file(Path(path)) for path in files_of(tls)]


def _state_of_file(path: Path) -> object:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _unusable(tls: Tls, error: OSError) -> str:
    files = ", ".join(os.fspath(path) for path in files_of(tls))
    return f"cannot use {files or 'the certificates of the system'} for TLS: {error}"
