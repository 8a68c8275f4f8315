"""Where AMP ends and TLS begins: which first bytes can be TLS; encrypts nothing."""

from __future__ import annotations

from typing import Final

from ampkit.errors import RemoteProtocolError

_RECORDS: Final = (20, 21, 22)
"""TLS: the types of record that a handshake has. A box begins with a zero, as no key is longer than 255 bytes."""


def check_tls(data: bytes) -> None:
    """Raise RemoteProtocolError if the first of these bytes, which came where TLS begins, is plaintext."""
    if data and data[0] not in _RECORDS:
        raise RemoteProtocolError("plaintext came where TLS was to begin")
