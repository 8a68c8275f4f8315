"""`ampkit certs`: a private authority and certificates, for tests and local use; the cryptography is trustme's."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from ampkit.cli.exits import Failure

if TYPE_CHECKING:
    from trustme import CA

AUTHORITY: Final = "authority.pem"
AUTHORITY_KEY: Final = "authority-key.pem"

_SECRET: Final = 0o600
_PUBLIC: Final = 0o644


def certs(
    folder: str,
    /,
    *names: str,
    client: Annotated[str | None, Parameter(show_default=False)] = None,
    days: int = 365,
) -> None:
    """Make a private authority and certificates, for tests and local use.

    For example:

        ampkit certs certs localhost 127.0.0.1
        ampkit certs certs --client ada@example.org

    Writes authority.pem, whom to trust, and authority-key.pem; with names,
    server.pem; with --client, client.pem. Each of the latter two has a private
    key and its certificate. Called again for the same folder, it takes the
    authority that is there, and replaces the others.

    Files with private keys are for their owner's eyes only.

    Parameters
    ----------
    folder
        Where the files go; made if it is not there.
    names
        Host names and IP addresses for which server.pem is valid.
    client
        For whom client.pem is: a name or an e-mail address.
    days
        For how many days both are valid.
    """
    if days < 1:
        raise Failure(f"--days must be at least 1, not {days}")
    place = Path(folder)
    until = datetime.now(UTC) + timedelta(days=days)
    try:
        place.mkdir(parents=True, exist_ok=True)
        authority = _authority(place)
        if names:
            leaf = authority.issue_cert(*names, not_after=until)
            _write(place / "server.pem", leaf.private_key_and_cert_chain_pem.bytes(), _SECRET)
        if client is not None:
            leaf = authority.issue_cert(client, common_name=client, not_after=until)
            _write(place / "client.pem", leaf.private_key_and_cert_chain_pem.bytes(), _SECRET)
    except (OSError, ValueError) as error:  # the latter for names and files that are none
        raise Failure(f"cannot make certificates in {folder}: {error}") from error


def _authority(place: Path) -> CA:
    """Return the authority of a folder; a new one if there is none."""
    try:
        from trustme import CA  # noqa: PLC0415 - the extra that this subcommand alone needs
    except ImportError as error:
        raise Failure("certificates are made by trustme: pip install 'ampkit[certs]'") from error
    if (place / AUTHORITY_KEY).exists():
        return CA.from_pem((place / AUTHORITY).read_bytes(), (place / AUTHORITY_KEY).read_bytes())
    authority = CA()
    _write(place / AUTHORITY, authority.cert_pem.bytes(), _PUBLIC)
    _write(place / AUTHORITY_KEY, authority.private_key_pem.bytes(), _SECRET)
    return authority


def _write(path: Path, data: bytes, mode: int) -> None:
    """Put a file in its place as a whole, so that a server never reads half of one; print its name."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
    fresh.replace(path)
    print(path)
