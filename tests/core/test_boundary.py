"""The first byte where TLS begins: no box begins like TLS, and no TLS like a box."""

from __future__ import annotations

import pytest

from ampkit.core.boundary import check_tls
from ampkit.errors import RemoteProtocolError


@pytest.mark.parametrize("first", range(256))
def test_only_a_record_of_a_handshake_may_begin(first: int) -> None:
    """A hello (22), an alert (21), and the change of ciphers (20) of TLS 1.2; all else is plaintext."""
    data = bytes([first]) + b"\x03\x01"
    if first in {20, 21, 22}:
        check_tls(data)
    else:
        with pytest.raises(RemoteProtocolError, match=r"^plaintext came where TLS was to begin$"):
            check_tls(data)


def test_nothing_is_no_plaintext() -> None:
    """Most of the time nothing has come yet."""
    check_tls(b"")
