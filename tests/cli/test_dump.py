"""`ampkit dump` of files and of standard input."""

import json
from pathlib import Path

import pytest

import ampkit
from ampkit.cli import main
from ampkit.wire.text import from_text
from tests.cli import running

BOXES = [
    {b"_ask": b"1", b"_command": b"Sum", b"a": b"13"},
    {b"_answer": b"1", b"total": "naïve\n".encode(), b"raw": b"\x1b[31m\xff"},
    {b"long": b"x" * 60_000},
]
STREAM = b"".join(ampkit.encode_box(box) for box in BOXES)
MALFORMED = ampkit.encode_box(BOXES[0]) + b"HTTP/1.1"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A file with a few boxes."""
    path = tmp_path / "capture.amp"
    path.write_bytes(STREAM)
    return path


def test_readable_text(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One key a line, an empty line behind each box; nothing raw, and long values shortened."""
    assert main(["dump", str(capture)]) == 0
    shortened = "x" * 120 + r"\... (60000 bytes)"
    assert capsys.readouterr() == (
        f"_ask: 1\n_command: Sum\na: 13\n\n_answer: 1\nraw: \\x1b[31m\\xff\ntotal: naïve\\x0a\n\nlong: {shortened}\n\n",
        "",
    )


def test_full_text_can_be_read_back(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --full, nothing is lost."""
    assert main(["dump", str(capture), "--full"]) == 0
    assert from_text(capsys.readouterr().out) == BOXES


def test_json(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with whole values; bytes that are no text are base64."""
    assert main(["dump", "--json", str(capture)]) == 0
    first, second, third = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert first == {"_ask": "1", "_command": "Sum", "a": "13"}
    assert second == {"_answer": "1", "total": "naïve\n", "raw": {"base64": "G1szMW3/"}}
    assert third == {"long": "x" * 60_000}


def test_boxes_larger_than_a_connection_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A capture of peers with other limits can be read."""
    path = tmp_path / "large"
    path.write_bytes(ampkit.encode_box({b"%d" % number: bytes(1_000) for number in range(2_000)}))
    assert main(["dump", str(path)]) == 0
    assert capsys.readouterr().out.count("(1000 bytes)") == 2_000


@pytest.mark.parametrize(
    ("stream", "printed", "reason"),
    [
        (MALFORMED, "_ask: 1\n_command: Sum\na: 13\n\n", "a key of 18516 bytes"),
        (STREAM[:30], "", "the stream ended"),
        (b"\0\0", "", "an empty box (at byte 0 of the stream)"),
    ],
)
def test_malformed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stream: bytes, printed: str, reason: str
) -> None:
    """What came before is printed, then one line with the position, and the exit code is 1."""
    path = tmp_path / "malformed"
    path.write_bytes(stream)
    assert main(["dump", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == printed
    assert err.startswith(f"ampkit: {reason}")
    assert err.endswith(" of the stream)\n")


def test_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing in it, and nothing wrong with it."""
    path = tmp_path / "empty"
    path.touch()
    assert main(["dump", str(path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2."""
    assert main(["dump", "/nowhere"]) == 2
    assert capsys.readouterr() == ("", "ampkit: cannot read /nowhere: No such file or directory\n")


def test_standard_input() -> None:
    """`-` is standard input; what is malformed stands behind what came before."""
    finished = running.ampkit("dump", "-", "--json", stdin=MALFORMED)
    assert finished.returncode == 1
    assert finished.stdout == '{"_ask": "1", "_command": "Sum", "a": "13"}\n'
    assert finished.stderr.startswith("ampkit: a key of 18516 bytes")


def test_a_stream_is_printed_as_it_comes() -> None:
    """Each box is shown before the next one is there."""
    with running.running("dump", "-") as process:
        assert process.stdin is not None
        for number in range(3):
            running.write(process, ampkit.encode_box({b"number": b"%d" % number}))
            assert running.next_line(process) == f"number: {number}"
            assert running.next_line(process) == ""
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_goes_away() -> None:
    """When nobody reads on, it ends without a word."""
    with running.running("dump", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        running.write(process, STREAM)
        process.stdin.close()
        assert process.wait() == 141
        assert process.stderr.read() == ""
