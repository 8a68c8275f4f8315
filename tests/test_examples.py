"""Each program in `examples/` runs, ends by itself, and prints what it is there to show."""

import subprocess
import sys
from pathlib import Path

import pytest

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
