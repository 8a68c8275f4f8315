"""Who the other end is, as its verified certificate says; verifies nothing itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of the other end, which this end's TLS has verified."""

    subject: tuple[tuple[str, str], ...]
    """Whose it is, as (name, value) in the order of the certificate: `("commonName", "Ada")` may be one."""

    alternative_names: tuple[tuple[str, str], ...]
    """For whom else it is, as (kind, value): `("DNS", "example.org")`, `("IP Address", "127.0.0.1")`."""

    not_after: datetime
    """When it ends, in UTC."""

    der: bytes = field(repr=False)
    """The whole of it, for whoever wants to read more, or to compare."""

    @property
    def common_name(self) -> str | None:
        """The subject's common name, or None if it has none."""
        return next((value for name, value in self.subject if name == "commonName"), None)


def certificate_of(tls: ssl.SSLObject | None) -> Certificate | None:
    """Return the certificate of the other end; None without TLS, without one, or if nobody has verified it."""
    described: Any = tls.getpeercert() if tls is not None else None
    if not described:  # an empty one where there is a certificate that was not verified
        return None
    assert tls is not None  # noqa: S101 - narrows the type
    return Certificate(
        subject=tuple(_pairs(described.get("subject", ()))),
        alternative_names=tuple(described.get("subjectAltName", ())),
        not_after=datetime.fromtimestamp(ssl.cert_time_to_seconds(described["notAfter"]), UTC),
        der=tls.getpeercert(binary_form=True) or b"",
    )


def _pairs(names: Any) -> Iterator[tuple[str, str]]:
    """Flatten what `ssl` has as a tuple of tuples of pairs."""
    for together in names:
        yield from together
