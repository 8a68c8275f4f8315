"""How a name is spelled on the wire and in Python; looks nothing up in any class."""

from __future__ import annotations

import keyword
from typing import Final

KEYWORDS: Final = tuple(
    "and del for is raise assert elif from lambda return break else global not try class except if or while "  # noqa: SIM905
    "continue exec import pass yield def finally in print".split()
)
"""The keywords that AMP programs spell with a capital in Python: `from` is `From`. The list is Python 2.5's and fixed,
because both ends' programs are written against it; later keywords get an underscore behind: `async_`."""


def python_name(wire_name: bytes) -> str:
    """Return the Python identifier for a name on the wire: `foo-bar` is `foo_bar`, `from` is `From`.

    Raises TypeError for a name that has none; a typed field can give it one with `Wire(name=...)`.
    """
    name = wire_name.decode("ascii", "replace").replace("-", "_")
    if name in KEYWORDS:
        return name.title()
    if keyword.iskeyword(name):
        return name + "_"
    if not name.isidentifier():
        raise TypeError(f"{wire_name!r} cannot be spelled in Python; use a typed field with Wire(name={wire_name!r})")
    return name


def wire_name(python_name: str) -> bytes:
    """Return the default name on the wire for a Python identifier: itself, but `from_` and `From` are `from`.

    Raises TypeError for a name that is not ASCII, because names on the wire are ASCII by convention.
    """
    if not python_name.isascii():
        raise TypeError(f"{python_name!r} is not ASCII; give it a name on the wire with Wire(name=...)")
    lower = python_name.lower()
    if lower in KEYWORDS and python_name == lower.title():
        return lower.encode()
    bare = python_name.removesuffix("_")
    return (bare if bare in KEYWORDS or keyword.iskeyword(bare) else python_name).encode()
