"""Command classes found in a user's module, and filled from bytes."""

import pytest

from ampkit.cli.commands import fill_command, find_command
from ampkit.cli.exits import Failure
from tests.cli import sample

MODULE = "tests.cli.sample"


def test_by_class_name_and_by_wire_name() -> None:
    """Both names find it."""
    assert find_command(MODULE, "NextNote") is find_command(MODULE, "next-note")


def test_the_class_name_goes_first() -> None:
    """A class is found by its own name even when another has it on the wire."""
    assert find_command(MODULE, "Sum").__name__ == "Sum"
    assert find_command(MODULE, "WrongSum").__name__ == "WrongSum"


def test_a_name_that_nobody_has() -> None:
    """The failure lists the commands."""
    with pytest.raises(Failure, match=f"module '{MODULE}' has no command 'Summ'; its commands: Begun, Echo, .*, Wait"):
        find_command(MODULE, "Summ")


def test_a_module_without_commands() -> None:
    """The failure says that there are none."""
    with pytest.raises(Failure, match="its commands: none"):
        find_command("json", "Sum")


def test_a_name_that_two_have_on_the_wire() -> None:
    """The failure names both classes."""
    with pytest.raises(Failure, match="several commands are 'ambiguous' on the wire: Either, Other"):
        find_command(MODULE, "ambiguous")


def test_fields_by_either_name() -> None:
    """A field goes by its Python name and by its name on the wire; what has a default may be absent."""
    assert fill_command(sample.Sum, {b"a": b"1", b"from": b"2", b"more-of-it": b"3"}) == sample.Sum(
        a=1, from_=2, extra=3
    )
    assert fill_command(sample.Sum, {b"a": b"1", b"from_": b"2", b"extra": b"3"}) == sample.Sum(a=1, from_=2, extra=3)
    assert fill_command(sample.Sum, {b"a": b"1"}) == sample.Sum(a=1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "Sum lacks the argument a"),
        ({b"a": b"x"}, "Sum.a: not an integer: x"),
        ({b"a": b"1", b"b": b"2"}, "Sum has no argument b; its arguments: a, from_, extra"),
        ({b"a": b"1", b"extra": b"2", b"more-of-it": b"2"}, "the argument extra is given twice"),
        ({b"a": b"13"}, "Sum: 13 is unlucky"),
    ],
)
def test_what_does_not_fit(arguments: dict[bytes, bytes], reason: str) -> None:
    """The failure names command and argument."""
    with pytest.raises(Failure, match=reason):
        fill_command(sample.Sum, arguments)
