"""Modules and attributes that the command line names."""

from pathlib import Path

import pytest

from ampkit.cli.exits import Failure
from ampkit.cli.loading import load_attribute, load_module


def test_the_current_directory_can_be_imported(folder: Path) -> None:
    """A module beside the user is found."""
    (folder / "nearby.py").write_text("value = 3")
    assert load_module("nearby").value == 3


def test_an_attribute_of_an_attribute(folder: Path) -> None:
    """The attribute may be a path."""
    (folder / "nearby.py").write_text("class Outer:\n    inner = 5")
    assert load_attribute("nearby:Outer.inner") == 5


@pytest.mark.parametrize("name", ["nowhere", "nowhere.deeper", "os.nowhere"])
def test_a_module_that_is_not_there(folder: Path, name: str) -> None:
    """The failure names the module and where it was looked for."""
    with pytest.raises(Failure, match=f"no module '{name}' in {folder}"):
        load_module(name)


def test_an_attribute_that_is_not_there(folder: Path) -> None:
    """The failure names both."""
    (folder / "nearby.py").touch()
    with pytest.raises(Failure, match="module 'nearby' has no attribute 'Calculator'"):
        load_attribute("nearby:Calculator")


@pytest.mark.parametrize("spec", ["", "module", "module:", ":attribute"])
def test_something_else_than_module_and_attribute(spec: str) -> None:
    """The failure shows the form."""
    with pytest.raises(Failure, match="expected module:attribute, as in calculator:Calculator"):
        load_attribute(spec)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("\n1 / 0", r"ZeroDivisionError: division by zero \(.*broken.py, line 2\)"),
        ("\n\ndef", r"SyntaxError: .*broken.py, line 3\)"),
        ("import nowhere", r"ModuleNotFoundError: No module named 'nowhere' \(.*broken.py, line 1\)"),
    ],
)
def test_a_module_that_fails(folder: Path, source: str, reason: str) -> None:
    """The failure says what is wrong in which line of the user's file, also when it is an import there."""
    (folder / "broken.py").write_text(source)
    with pytest.raises(Failure, match=f"cannot import 'broken': {reason}"):
        load_module("broken")
