"""Names on the wire and in Python: dashes, keywords of two Python versions, and what cannot be spelled."""

# mypy: allow-untyped-calls

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols import amp

from ampkit.schema.names import KEYWORDS, python_name, wire_name


@pytest.mark.parametrize(
    ("wire", "python"),
    [
        (b"a", "a"),
        (b"foo-bar", "foo_bar"),
        (b"foo_bar", "foo_bar"),
        (b"from", "From"),
        (b"print", "Print"),
        (b"exec", "Exec"),
        (b"async", "async_"),
        (b"True", "True_"),
        (b"match", "match"),
        (b"self", "self"),
        (b"_private", "_private"),
    ],
)
def test_the_python_name_of_a_name_on_the_wire(wire: bytes, python: str) -> None:
    """Dashes become underscores, and a keyword gets a capital, or an underscore if it is younger than AMP."""
    assert python_name(wire) == python


@pytest.mark.parametrize("wire", [b"", b"1st", b"a b", b"a.b", "é".encode(), b"\xff", b"\x1b[2J"])
def test_what_python_cannot_spell_is_a_type_error(wire: bytes) -> None:
    """The message says what helps: a typed field with another name."""
    with pytest.raises(TypeError, match=r"cannot be spelled in Python; use a typed field with Wire\(name=b") as caught:
        python_name(wire)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("python", "wire"),
    [
        ("a", b"a"),
        ("foo_bar", b"foo_bar"),
        ("From", b"from"),
        ("from_", b"from"),
        ("Print", b"print"),
        ("print_", b"print"),
        ("async_", b"async"),
        ("True_", b"True"),
        ("FROM", b"FROM"),
        ("FroM_", b"FroM_"),
        ("total_", b"total_"),
        ("_", b"_"),
    ],
)
def test_the_wire_name_of_a_python_name(python: str, wire: bytes) -> None:
    """A name is itself, but for both spellings of a keyword."""
    assert wire_name(python) == wire


def test_names_on_the_wire_are_ascii_unless_said_otherwise() -> None:
    """Others could not spell them; Wire(name=...) can still say it."""
    with pytest.raises(TypeError, match=r"^'größe' is not ASCII; give it a name on the wire with Wire\(name=\.\.\.\)$"):
        wire_name("größe")


@given(st.sampled_from([*sorted(KEYWORDS), *keyword.kwlist]) | st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True))
def test_names_come_back(name: str) -> None:
    """wire_name(python_name(x)) == x for every lower-case identifier, keyword or not, and the result is usable."""
    python = python_name(name.encode())
    assert python.isidentifier()
    assert not keyword.iskeyword(python)
    bare = name.removesuffix("_")
    if bare == name or not (bare in KEYWORDS or keyword.iskeyword(bare)):
        assert wire_name(python) == name.encode()


@given(st.from_regex(r"[a-z_][a-z0-9_-]*", fullmatch=True) | st.sampled_from(sorted(KEYWORDS)))
def test_twisted_has_the_same_python_names(name: str) -> None:
    """But for keywords that are younger than its list, which Twisted's programs can only pass by **."""
    twisted: str = amp._wireNameToPythonIdentifier(name.encode())
    expected = f"{twisted}_" if keyword.iskeyword(twisted) else twisted
    assert python_name(name.encode()) == expected


def test_the_keywords_are_twisted_s() -> None:
    """The list is a contract between two programs, so it does not follow Python's."""
    assert list(KEYWORDS) == amp.PYTHON_KEYWORDS
