"""`ampkit call` against a server in another process."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ampkit.cli import main

Call = Callable[..., tuple[int, str, str]]
TYPED = ["--commands", "tests.cli.sample"]
ECHO = {
    "integer": "-1",
    "text": "naïve",
    "data:": r"\x00\xff",
    "real": "inf",
    "exact": "1.50",
    "yes": "true",
    "when": "2012-01-23T12:34:56.054321-01:23",
    "path": "/a",
    "colour": "blue",
    "numbers": "1,2",
    "grid": '[["a"],[]]',
    "parts": '[{"number":1}]',
}


@pytest.fixture
def call(address: str, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run `ampkit call` in this process; returns exit code, output and errors."""

    def run(*arguments: str, to: str = address) -> tuple[int, str, str]:
        code = main(["call", to, *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_bytes_in_and_text_out(call: Call) -> None:
    """Without command classes the answer is printed as it came."""
    assert call("Sum", "a=1", "from=2") == (0, "total: 3\n", "")


def test_bytes_in_and_json_out(call: Call) -> None:
    """As JSON, its values are texts."""
    assert call("Sum", "a=1", "from=2", "--json") == (0, '{"total": "3"}\n', "")


def test_an_empty_answer(call: Call) -> None:
    """An answer without values prints nothing, or an empty object."""
    assert call("Nothing") == (0, "", "")
    assert call("Nothing", *TYPED) == (0, "", "")
    assert call("Nothing", "--json") == (0, "{}\n", "")
    assert call("Nothing", "--json", *TYPED) == (0, "{}\n", "")


def test_typed(call: Call) -> None:
    """With command classes the answer has the types of its command, one field a line in the class's order."""
    code, out, err = call("Echo", *(f"{key}={value}" for key, value in ECHO.items()), *TYPED)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "integer: -1",
        "text: naïve",
        r"data: \x00\xff",
        "real: inf",
        "exact: 1.50",
        "yes: True",
        "when: 2012-01-23T12:34:56.054321-01:23",
        "path: /a",
        "colour: blue",
        "numbers: [1, 2]",
        'grid: [["a"], []]',
        'parts: [{"number": 1, "remark": null, "sizes": []}]',
        "absent: None",
    ]


def test_typed_json(call: Call) -> None:
    """As JSON, values are what JSON has for them."""
    code, out, err = call("Echo", *(f"{key}={value}" for key, value in ECHO.items()), *TYPED, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["integer"] == -1
    assert answer["data"] == {"base64": "AP8="}
    assert answer["parts"] == [{"number": 1, "remark": None, "sizes": []}]


def test_a_refusal_is_safe_to_read(call: Call) -> None:
    """Code and description are one printable line, whatever the other end wrote, and the exit code is 1."""
    expected = r"ampkit: RUDE: \x1b[31mred\n\x07 you" + "\n"
    assert call("Insult") == (1, "", expected)
    assert call("Insult", *TYPED) == (1, "", expected)


def test_a_refusal_as_json(call: Call) -> None:
    """With --json the refusal is the output."""
    code, out, err = call("Insult", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {"error": {"code": "RUDE", "description": "\x1b[31mred\n\x07 you"}}
    assert "\x1b" not in out


def test_an_unknown_command(call: Call) -> None:
    """What nobody responds to is a refusal."""
    assert call("Nonsense") == (1, "", "ampkit: UNHANDLED: Unhandled Command: 'Nonsense'\n")


def test_malformed_arguments(call: Call) -> None:
    """What the other end cannot read is a refusal of theirs, and with classes a wrong usage of ours."""
    assert call("Sum", "a=x") == (1, "", "ampkit: MALFORMED: argument a of Sum: not an integer: x\n")
    assert call("Sum", "a=x", *TYPED) == (2, "", "ampkit: Sum.a: not an integer: x\n")


def test_an_answer_that_is_not_as_declared(call: Call) -> None:
    """It cannot be read, and the exit code is 1."""
    assert call("WrongSum", "a=1", *TYPED) == (1, "", "ampkit: Noted lacks the argument text\n")


@pytest.mark.parametrize("typed", [[], TYPED], ids=["raw", "typed"])
def test_tell(call: Call, typed: list[str]) -> None:
    """With --tell nothing is awaited, and it arrives."""
    assert call("Note", "text=hello", "--tell", *typed) == (0, "", "")
    assert call("next-note") == (0, "text: hello\n", "")


def test_a_command_that_wants_no_answer(call: Call) -> None:
    """A class that says `answers=False` is told without being asked to."""
    assert call("Note", "text=again", *TYPED, "--json") == (0, "", "")
    assert call("NextNote", *TYPED) == (0, "text: again\n", "")


def test_no_answer_in_time(call: Call) -> None:
    """The exit code is 4."""
    code, out, err = call("Wait", "--timeout", "0.05")
    assert (code, out) == (4, "")
    assert err.startswith("ampkit: no answer to Wait from tcp://127.0.0.1:")
    assert err.endswith("in time\n")


def test_a_lost_connection(call: Call) -> None:
    """The exit code is 3."""
    code, out, err = call("Leave")
    assert (code, out) == (3, "")
    assert err.startswith("ampkit: no answer to Leave from tcp://127.0.0.1:")


def test_no_connection(call: Call, tmp_path: Path) -> None:
    """The exit code is 3, and the line says which address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for address in (f"tcp://127.0.0.1:{port}", f"unix://{tmp_path}/nobody"):
            code, out, err = call("Sum", to=address)
            assert (code, out) == (3, "")
            assert err.startswith(f"ampkit: cannot connect to {address}: ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Sum", "a"], "expected key=value"),
        (["Sum", f"a={'1' * 65_536}"], "value of key a is 65536 bytes long"),
        (["Sum", "_ask=1"], "_ask"),
        (["Sum", "a=1", "--commands", "nowhere"], "no module 'nowhere'"),
        (["Sum", "a=1", "--timeout", "0"], "--timeout"),
        (["Sum", "a=1", "--timeout", "soon"], "--timeout"),
        (["Sum", "a=1", "--bogus"], "--bogus"),
        ([], "COMMAND"),
    ],
)
def test_wrong_usage(call: Call, arguments: list[str], reason: str) -> None:
    """The exit code is 2, and one line says why."""
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("ampkit: ")
    assert reason in err
    assert err.count("\n") == 1


def test_an_address_that_is_none(call: Call) -> None:
    """The line shows what an address looks like."""
    code, _, err = call("Sum", to="localhost:1234")
    assert code == 2
    assert "tcp://host:port" in err
