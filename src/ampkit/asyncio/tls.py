"""What a program says about TLS: its certificate, whom it trusts, how sure it wants to be; secures nothing itself."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ALPN: Final = "amp"
"""The name of this protocol within TLS, so that a server of several protocols can tell it.

Where TLS begins behind boxes, both ends know the protocol already. There it is not named, as Twisted's servers refuse
a name that they do not expect.
"""

StrPath: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS with the standard `ssl` module, for `connect`, `serve` and `Peer.start_tls`; for either end.

    The end that connected is the TLS client: it verifies the chain and the host name of the other's certificate. The
    end that serves must have a certificate. Files are in PEM; they are looked at for each handshake, so a
    certificate that is replaced is used from the next connection on. TLS 1.2 is the oldest version that is spoken.

    Where this is not enough pass an `ssl.SSLContext`: all that stands there is taken as it is.
    Raises ValueError for what makes no sense together.
    """

    certificate: StrPath | None = None
    """The file of this end's certificate, followed by those between it and its authority."""

    key: StrPath | None = None
    """The file of its private key, without a password; None if it stands in the certificate's file."""

    authority: StrPath | None = None
    """The file of the certificates that are trusted to vouch for others; None trusts those of the system."""

    host_name: str | None = None
    """The name that the server's certificate must have; None takes the host of the address."""

    client_certificate: Literal["unwanted", "wanted", "required"] = "unwanted"
    """Whether the serving end asks clients for a certificate, and whether it refuses those that have none."""

    alpn: bool = True
    """Whether a client of `tls://` names the protocol, `amp`. Twisted's TLS servers refuse clients that do, unless
    they were told of the name; there, say False."""

    unsafe_trust_anyone: bool = False
    """As TLS client, believe whoever answers. The connection is then encrypted, perhaps with an attacker."""

    def __post_init__(self) -> None:
        if self.key is not None and self.certificate is None:
            raise ValueError("Tls.key needs Tls.certificate")
        if self.client_certificate not in {"unwanted", "wanted", "required"}:
            raise ValueError(f"Tls.client_certificate is unwanted, wanted or required, not {self.client_certificate!r}")
        if self.client_certificate != "unwanted" and self.authority is None:
            raise ValueError("Tls.client_certificate needs Tls.authority: the system's vouch for every web site")
        if self.unsafe_trust_anyone and self.host_name is not None:
            raise ValueError("Tls.unsafe_trust_anyone verifies no name: leave out Tls.host_name")


def files_of(tls: Tls) -> list[StrPath]:
    """Return the files that a Tls names."""
    return [path for path in (tls.certificate, tls.key, tls.authority) if path is not None]


def make_context(tls: Tls, *, server_side: bool, alpn: bool = True) -> ssl.SSLContext:
    """Return the context for one side; `alpn` says whether to name the protocol.

    Raises OSError (an ssl.SSLError is one) for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if alpn and tls.alpn:
        context.set_alpn_protocols([ALPN])
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    if server_side:
        _judge_clients(context, tls)
    else:
        _judge_servers(context, tls)
    return context


def _judge_clients(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.client_certificate != "unwanted":
        context.verify_mode = ssl.CERT_REQUIRED if tls.client_certificate == "required" else ssl.CERT_OPTIONAL
        context.load_verify_locations(tls.authority)


def _judge_servers(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.unsafe_trust_anyone:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.authority is not None:
        context.load_verify_locations(tls.authority)
    else:
        context.load_default_certs()


def _no_password() -> str:
    """Fail in place of OpenSSL, which would ask at the terminal and block the program."""
    raise ssl.SSLError("the private key has a password; use an ssl.SSLContext")
