"""The parts of TLS that a command needs before the transport is secured; secures nothing itself."""

from __future__ import annotations

import sys
from typing import Any

from ampkit.twisted._boxes import Box
from ampkit.twisted._errors import RemoteAmpError


def tlsModule() -> Any:
    """Return `twisted.internet.ssl`, or None without it: whatever the facade's `ssl` is now, as programs assign it."""
    return sys.modules["ampkit.twisted.amp"].ssl


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
        signed = key.signCertificateRequest(name, request, lambda _: True, 1)
        return key.newCertificate(signed).options(*authorities)


class _TLSBox(Box):
    """The answer to StartTLS: behind it the transport is secured. Its two entries stay on this side."""

    __slots__: list[str] = []

    def __init__(self) -> None:
        if tlsModule() is None:
            raise RemoteAmpError(b"TLS_ERROR", "TLS not available")
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
        box = Box(self)
        box.pop(b"tls_localCertificate", None)
        box.pop(b"tls_verifyAuthorities", None)
        proto.sendBox(box)
        proto._startTLS(self.certificate, self.verify)
