"""`key=value` as keys and bytes."""

from pathlib import Path

import pytest

from ampkit.cli.arguments import read_arguments
from ampkit.cli.exits import Failure
from ampkit.wire.text import printable


@pytest.mark.parametrize(
    ("argument", "key", "value"),
    [
        ("a=13", b"a", b"13"),
        ("a=", b"a", b""),
        ("naïve=é = è", "naïve".encode(), "é = è".encode()),
        ("a=\udcff", b"a", b"\xff"),
        (r"a=\x00", b"a", rb"\x00"),
        (r"a:=\x00\xff\\n", b"a", b"\x00\xff\\n"),
        ("a:=@home", b"a", b"@home"),
        ("a:=", b"a", b""),
        ("a:b=c", b"a:b", b"c"),
    ],
)
def test_text_and_escapes(argument: str, key: bytes, value: bytes) -> None:
    """Behind `=` stands UTF-8 as it is, behind `:=` the readable form with its escapes."""
    assert read_arguments([argument]) == {key: value}


def test_what_was_printed_can_be_typed() -> None:
    """The escaped form takes whatever `printable` prints."""
    value = bytes(range(256))
    assert read_arguments([f"a:={printable(value, None)}"]) == {b"a": value}


def test_the_bytes_of_a_file(folder: Path) -> None:
    """Behind `=@` stands a file."""
    (folder / "photo").write_bytes(bytes(range(256)))
    assert read_arguments(["a=1", "photo=@photo"]) == {b"a": b"1", b"photo": bytes(range(256))}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a"], "expected key=value, key=@file or key:=escaped, not 'a'"),
        (["=1"], "expected key=value"),
        ([":=1"], "expected key=value"),
        (["a=1", "a:=1"], "the argument a is given twice"),
        (["a=@nowhere"], "cannot read nowhere: No such file"),
        (["a=@."], "cannot read .: Is a directory"),
        ([r"a:=\q"], "a backslash stands only before"),
        (["a:=1\nb: 2"], "write a line break as"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_no_argument(arguments: list[str], reason: str) -> None:
    """The failure says what was expected."""
    with pytest.raises(Failure, match=reason):
        read_arguments(arguments)
