"""Certificates for tests, good ones and all kinds of bad ones, made once a session; knows no AMP."""

from __future__ import annotations

import atexit
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ampkit import Tls


@dataclass(frozen=True)
class Files:
    """The folder, the authority's certificate, and files that hold a key and its certificates."""

    folder: Path
    authority: str
    server: str
    """For localhost and 127.0.0.1."""
    client: str
    """For Ada, ada@example.org."""
    rogue_authority: str
    rogue_server: str
    rogue_client: str
    expired: str
    early: str
    self_signed: str
    nameless: str
    """For another host."""


class Certificates:
    """The files, and the `Tls` of both ends."""

    @cached_property
    def files(self) -> Files:
        """Make them, when the first test wants them."""
        folder = Path(mkdtemp())
        atexit.register(shutil.rmtree, folder)
        good, rogue = trustme.CA(), trustme.CA()
        now = datetime.now(UTC)
        leaves = {
            "server": good.issue_cert("localhost", "127.0.0.1"),
            "client": good.issue_cert("ada@example.org", common_name="Ada"),
            "rogue_server": rogue.issue_cert("localhost", "127.0.0.1"),
            "rogue_client": rogue.issue_cert("ada@example.org", common_name="Ada"),
            "expired": good.issue_cert("localhost", "127.0.0.1", not_after=now - timedelta(days=1)),
            "early": good.issue_cert("localhost", "127.0.0.1", not_before=now + timedelta(days=1)),
            "nameless": good.issue_cert("example.org"),
        }
        for name, leaf in leaves.items():
            leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / name))
        good.cert_pem.write_to_path(str(folder / "authority"))
        rogue.cert_pem.write_to_path(str(folder / "rogue_authority"))
        (folder / "self_signed").write_bytes(self_signed())
        names = [name for name in Files.__dataclass_fields__ if name != "folder"]
        return Files(folder, **{name: str(folder / name) for name in names})

    def server(self, certificate: str = "") -> Tls:
        """What a server has that knows no client."""
        return Tls(certificate=certificate or self.files.server)

    def client(self) -> Tls:
        """What an anonymous client has."""
        return Tls(authority=self.files.authority)

    def mutual_server(self) -> Tls:
        """What a server has that wants to know its clients."""
        files = self.files
        return Tls(certificate=files.server, authority=files.authority, client_certificate="required")

    def mutual_client(self, certificate: str = "") -> Tls:
        """What Ada has."""
        return Tls(certificate=certificate or self.files.client, authority=self.files.authority)


def self_signed() -> bytes:
    """Make a key and a certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + certificate.public_bytes(pem)


CERTIFICATES: Final = Certificates()
