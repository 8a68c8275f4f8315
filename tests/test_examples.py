"""Each program in `examples/` runs, ends by itself, and prints what it is there to show."""

import asyncio
import dataclasses
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ampkit
from ampkit import Options, RemoteError
from tests.certificates import CERTIFICATES

ROOT = Path(__file__).parent.parent
PRINTED = {
    "authenticate": """\
WhoAmI - UNAUTHENTICATED: log in first
OpenSafe - UNAUTHENTICATED: log in first
LogIn - nobody has this token
WhoAmI - Ada
""",
    "calculator": """\
13 + 81 = 94
doubled: [0, 2, 4, 6, 8]
the server says: division by zero
""",
    "chat": """\
[Ada's screen] room: Ada is here
[Ada's screen] room: Bob is here
[Bob's screen] room: Bob is here
[Ada's screen] Ada: Hello Bob!
[Bob's screen] Ada: Hello Bob!
[Ada's screen] Ada: Gone already?
""",
    "errors": """\
NotEnough: there is only 100, and you want 500
RemoteError: NOT_ENOUGH - there is only 100, and you want 500
UnknownRemoteError: UNKNOWN: Unknown Error
UnhandledCommand: UNHANDLED: Unhandled Command: 'Rob'
DeadlineExceeded: no answer within a tenth of a second
LocalProtocolError: Withdraw.amount: expected int, not str
ConnectionLost: the server has closed
""",
    "file_transfer": """\
no such file: secrets.txt
zeros.bin has 5000000 bytes; intact
""",
    "twisted_classic": """\
tea costs 5
coffee costs 7
two, as a gift, cost 11
OutOfStock: there are only 100, and you want 1000
""",
}


def test_every_example_is_run() -> None:
    """No example stands beside these tests."""
    assert {path.stem for path in ROOT.glob("examples/*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_it_prints_what_it_shows(name: str) -> None:
    """It ends by itself, without a warning."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (finished.stdout, finished.stderr, finished.returncode) == (PRINTED[name], "", 0)


@pytest.fixture
def authenticate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the example of that name, without running it."""
    name = "authenticate"
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("has_one", [True, False])
async def test_a_client_is_known_by_its_certificate(authenticate: ModuleType, has_one: bool) -> None:
    """The hooks of `authenticate` let it in without a token, by the name that TLS has verified; nobody else."""
    theirs = dataclasses.replace(CERTIFICATES.mutual_server(), client_certificate="wanted")
    ours = CERTIFICATES.mutual_client() if has_one else CERTIFICATES.client()
    options = Options(hooks=(authenticate.Authenticate(),))
    async with (
        ampkit.serve(authenticate.Office(), "tls://127.0.0.1:0", tls=theirs, options=options) as server,
        ampkit.connect(server.addresses[0], tls=ours) as peer,
    ):
        asking = asyncio.ensure_future(peer.call(authenticate.WhoAmI()))
        if has_one:
            assert (await asking).name == "Ada"
        else:
            with pytest.raises(RemoteError, match="UNAUTHENTICATED"):
                await asking
