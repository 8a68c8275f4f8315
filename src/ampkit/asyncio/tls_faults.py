"""What OpenSSL says, as the typed error that says which end has which fault; handles nothing."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from ampkit.errors import TlsFailed
from ampkit.wire.text import printable

_FLAWS: Final[Mapping[int, tuple[str, str]]] = {
    9: ("not yet valid", "is not valid yet"),
    10: ("expired", "has expired"),
    18: ("self-signed", "is self-signed, and not one that is trusted"),
    19: ("unknown authority", "is vouched for by an authority that is not trusted"),
    20: ("unknown authority", "is vouched for by an authority that is not trusted"),
    21: ("unknown authority", "is vouched for by an authority that is not trusted"),
    23: ("revoked", "was revoked"),
    62: ("wrong host", "is for another host"),
    64: ("wrong host", "is for another host"),
}
"""By OpenSSL's number of why a certificate is not trusted: our word, and what the certificate is."""

_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": ("no certificate", "the other end has shown no certificate"),
    "UNSUPPORTED_PROTOCOL": ("version", "the other end speaks no version of TLS that this one does"),
    "WRONG_SSL_VERSION": ("version", "the other end speaks no version of TLS that this one does"),
    "WRONG_VERSION_NUMBER": ("not TLS", "what the other end sent is not TLS"),
    "HTTP_REQUEST": ("not TLS", "the other end sent an HTTP request"),
    "HTTPS_PROXY_REQUEST": ("not TLS", "the other end sent an HTTP request"),
    "RECORD_LAYER_FAILURE": ("not TLS", "what the other end sent is not TLS"),
}
"""By OpenSSL's name of what went wrong here."""

_ALERTS: Final[Mapping[str, str]] = {
    "CERTIFICATE_REQUIRED": "it requires a certificate of this end",
    "UNKNOWN_CA": "it does not trust the authority of this end's certificate",
    "CERTIFICATE_EXPIRED": "this end's certificate has expired",
    "CERTIFICATE_REVOKED": "this end's certificate was revoked",
    "BAD_CERTIFICATE": "it does not accept this end's certificate",
    "CERTIFICATE_UNKNOWN": "it does not accept this end's certificate",
    "UNSUPPORTED_CERTIFICATE": "it does not accept this end's certificate",
    "PROTOCOL_VERSION": "it speaks no version of TLS that this end does",
    "HANDSHAKE_FAILURE": "the two have no way in common, or it requires a certificate of this end",
}
"""By what the other end's last word was: what is wrong in its eyes."""


def tls_failure(error: ssl.SSLError) -> TlsFailed:
    """Return the error for the program."""
    failure = _failure(error)
    failure.__cause__ = error.with_traceback(None)  # whose frames have the connection
    return failure


def _failure(error: ssl.SSLError) -> TlsFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        fault, what = _FLAWS.get(error.verify_code, ("untrusted", "is not trusted"))
        return TlsFailed(f"the other end's certificate {what} ({_printable(error.verify_message)})", fault)
    reason = error.reason or ""
    before, alert, name = reason.partition("_ALERT_")
    if alert and before.startswith(("SSLV", "TLSV")):
        why = _ALERTS.get(name, name.lower().replace("_", " "))
        return TlsFailed(f"the other end refuses TLS: {why}", "refused")
    fault, what = _REASONS.get(reason, ("not TLS", "what the other end sent is not the TLS that was expected"))
    return TlsFailed(f"{what} ({reason or _printable(str(error))})", fault)


def _printable(text: str) -> str:
    return printable(text.encode("utf-8", "backslashreplace"))
