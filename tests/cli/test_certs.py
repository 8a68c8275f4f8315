"""`ampkit certs`: what it writes is private where it must be, and serves and connects."""

from __future__ import annotations

from pathlib import Path

import pytest

import ampkit
from ampkit import Command, Peer, Response, Service, Tls
from ampkit.cli import main
from tests.cli.running import ROOT, next_line, running
from tests.cli.running import ampkit as run_ampkit


class Name(Response):
    """Somebody's name."""

    name: str | None = None


class Who(Command[Name]):
    """Ask who the server thinks is there."""


class Door(Service):
    """Reads certificates."""

    @Who.responder
    def who(self, command: Who, peer: Peer) -> Name:  # noqa: ARG002 - the command says nothing
        """Read one."""
        return Name(name=peer.certificate.common_name if peer.certificate else None)


async def who(folder: Path) -> str | None:
    """Serve and connect with the files of a folder, and return who the server thinks is there."""
    authority = folder / "authority.pem"
    server_tls = Tls(certificate=folder / "server.pem", authority=authority, client_certificate="required")
    client_tls = Tls(certificate=folder / "client.pem", authority=authority)
    async with (
        ampkit.serve(Door(), "tls://localhost:0", tls=server_tls) as server,
        ampkit.connect(server.addresses[0], tls=client_tls) as peer,
    ):
        return (await peer.call(Who())).name


async def test_the_files_serve_and_connect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Server and client verify each other; made anew by the same authority, each goes with the other's old one."""
    folder = tmp_path / "new" / "certs"
    assert main(["certs", str(folder), "localhost", "127.0.0.1", "::1", "--client", "ada@example.org"]) == 0
    names = ["authority.pem", "authority-key.pem", "server.pem", "client.pem"]
    assert capsys.readouterr() == ("".join(f"{folder / name}\n" for name in names), "")
    assert await who(folder) == "ada@example.org"
    assert main(["certs", str(folder), "--client", "bob@example.org", "--days", "1"]) == 0
    assert capsys.readouterr() == (f"{folder / 'client.pem'}\n", "")
    assert await who(folder) == "bob@example.org"


def test_private_keys_are_private(tmp_path: Path) -> None:
    """Whatever the umask; nothing else is left in the folder."""
    assert (
        run_ampkit("certs", str(tmp_path), "localhost", "--client", "Ada", python="import os; os.umask(0)").returncode
        == 0
    )
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"authority.pem": 0o644, "authority-key.pem": 0o600, "server.pem": 0o600, "client.pem": 0o600}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--days", "0"], "--days must be at least 1"),
        (["localhost", "not a name"], "cannot make certificates"),
    ],
)
def test_what_cannot_be_made_is_one_line(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And exit code 2."""
    assert main(["certs", str(tmp_path), *arguments]) == 2
    printed = capsys.readouterr().err
    assert complaint in printed
    assert printed.count("\n") == 1


def test_a_file_that_is_no_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As is an authority that cannot be read."""
    (tmp_path / "file").touch()
    assert main(["certs", str(tmp_path / "file"), "localhost"]) == 2
    (tmp_path / "authority-key.pem").write_text("noise")
    (tmp_path / "authority.pem").write_text("noise")
    assert main(["certs", str(tmp_path), "localhost"]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """In one line."""
    finished = run_ampkit("certs", str(tmp_path), "localhost", python="import sys; sys.modules['trustme'] = None")
    assert finished.returncode == 2
    assert finished.stderr == "ampkit: certificates are made by trustme: pip install 'ampkit[certs]'\n"


def test_the_command_line_serves_and_calls_over_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With an authority the server wants to know its clients; without one, a client trusts nobody here."""
    assert main(["certs", str(tmp_path), "localhost", "127.0.0.1", "--client", "Ada"]) == 0
    authority, server, client = (str(tmp_path / name) for name in ("authority.pem", "server.pem", "client.pem"))
    secure = ["--certificate", server, "--authority", authority]
    with running("serve", "calculator:Calculator", "tls://127.0.0.1:0", *secure, cwd=ROOT / "examples") as process:
        address = next_line(process)
        capsys.readouterr()
        ask = ["call", address, "Sum", "a=13", "b=81"]
        assert main([*ask, "--authority", authority, "--certificate", client]) == 0
        assert capsys.readouterr().out == "total: 94\n"
        assert main([*ask, "--authority", authority]) == 3
        assert "requires a certificate" in capsys.readouterr().err
        assert main(ask) == 3
        assert "not trusted" in capsys.readouterr().err
