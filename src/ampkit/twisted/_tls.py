"""The parts of TLS that a command needs before the transport is secured; secures nothing itself."""

from __future__ import annotations

import sys
from typing import Any

from ampkit.twisted._boxes import Box
from ampkit.twisted._errors import OnlyOneTLS, RemoteAmpError
from ampkit.twisted._names import ASK, ERROR, ERROR_CODE, ERROR_DESCRIPTION
from ampkit.twisted._stock import stock

TLS_ERROR = b"TLS_ERROR"


def tlsModule() -> Any:
    """Return `twisted.internet.ssl`, or None without it: whatever the facade's `ssl` is now, as programs assign it."""
    return sys.modules["ampkit.twisted.amp"].ssl


def _isMine(_: Any) -> bool:
    """Agree to sign a certificate of one's own."""
    return True


class _NoCertificate:
    """Stands for the certificate of an end that has none of its own.

    As client it is anonymous, and verifies the other end only if authorities are given. As server it makes a
    throw-away certificate: the connection is encrypted, and nobody's identity is proven.
    """

    def __init__(self, client: bool) -> None:
        self.client = client

    def options(self, *authorities: Any) -> Any:
        """Return the context factory for the transport's `startTLS`."""
        tls = tlsModule()
        if self.client:
            extra = {"verify": True, "requireCertificate": True, "caCerts": [each.original for each in authorities]}
            return tls.CertificateOptions(**(extra if authorities else {}))
        name = tls.DN(CN="TEMPORARY CERTIFICATE")
        key = tls.KeyPair.generate()
        request = key.certificateRequest(name)
        signed = key.signCertificateRequest(name, request, _isMine, 1)
        return key.newCertificate(signed).options(*authorities)


class _TLSBox(Box):
    """The answer to StartTLS: behind it the transport is secured. Its two entries stay on this side."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        if tlsModule() is None:
            raise RemoteAmpError(TLS_ERROR, "TLS not available")
        super().__init__()

    @property
    def certificate(self) -> Any:
        """What this end presents."""
        return self.get(b"tls_localCertificate", _NoCertificate(False))

    @property
    def verify(self) -> Any:
        """Whom this end trusts; None is anybody."""
        return self.get(b"tls_verifyAuthorities", None)

    def _sendTo(self, proto: Any) -> None:
        checkOnlyOneTLS(proto, self.certificate, self.verify)  # before the answer: nobody could take it back
        box = Box(self)
        box.pop(b"tls_localCertificate", None)
        box.pop(b"tls_verifyAuthorities", None)
        box._sendTo(proto)
        proto._startTLS(self.certificate, self.verify)


def isSecuring(responseType: Any) -> bool:
    """Say whether an answer of a class starts TLS."""
    return isinstance(responseType, type) and issubclass(responseType, _TLSBox | stock._TLSBox)


def checkOnlyOneTLS(proto: Any, certificate: Any, verifyAuthorities: Any) -> None:
    """Raise OnlyOneTLS if a connection is secure already."""
    if getattr(proto, "hostCertificate", None) is not None:
        raise OnlyOneTLS(
            f"Previously authenticated connection between {proto.hostCertificate} and {_peerOf(proto)} "
            f"is trying to re-establish as {(certificate, verifyAuthorities)}"
        )


def _peerOf(proto: Any) -> Any:
    try:
        return proto.peerCertificate
    except Exception:  # noqa: BLE001 - whatever the reason is, the other end has none that could be shown
        return None


def giveToTLS(transport: Any, before: Any, data: bytes) -> None:
    """Let TLS judge the bytes behind the boundary: its handshake goes on, and plaintext ends the connection.

    `before` is the transport's protocol as it was before TLS was started.
    """
    layer = getattr(transport, "protocol", None)
    if layer is None or layer is before:
        transport.loseConnection()
    else:
        layer.dataReceived(data)


def notSent(ask: Any) -> Box:
    """Return the refusal of an ask that was to be sent behind a TLS that did not come."""
    description = b"not sent: it was to go behind StartTLS, which the other end refused"
    return Box({ERROR: ask[ASK], ERROR_CODE: TLS_ERROR, ERROR_DESCRIPTION: description})
