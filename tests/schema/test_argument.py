"""What a program must and may say when it adds a type of argument of its own."""

from __future__ import annotations

from typing import Any

import pytest

from ampkit.schema.argument import Argument, NestedError, wrong_type


class Upper(Argument[str]):
    """Text in capitals."""

    def encode(self, value: str) -> bytes:
        return value.upper().encode()

    def decode(self, data: bytes) -> str:
        return data.decode().lower()


class Quiet(Upper):
    """Its __init__ does not call its base's."""

    def __init__(self) -> None:
        self.colour = "grey"


def test_both_directions_must_be_there() -> None:
    """A type of argument without encode or decode cannot be made."""
    half: Any = type("Half", (Argument,), {"encode": Upper.encode})
    with pytest.raises(TypeError, match=r"abstract method '?decode"):
        half()


@pytest.mark.parametrize(("argument", "shown"), [(Upper(), "Upper()"), (Upper(optional=True), "Upper(optional=True)")])
def test_it_shows_how_it_was_made(argument: Upper, shown: str) -> None:
    """The repr is the call that makes it."""
    assert repr(argument) == shown
    assert argument.optional is ("optional" in shown)


def test_it_is_not_optional_unless_it_says_so() -> None:
    """Not even if a subclass forgets to call the __init__ of its base."""
    assert not Quiet().optional
    assert not Upper().optional


def test_a_fault_inside_of_a_value_is_a_value_error() -> None:
    """So who catches what decode promises to raise catches this as well."""
    assert issubclass(NestedError, ValueError)


def test_the_wrong_type_is_named() -> None:
    """The message has the expected type and the given one, and not the value."""
    error = wrong_type("a secret", "int")
    assert isinstance(error, TypeError)
    assert str(error) == "expected int, not str"
