"""Which twin runs, the compiled module or the Python that it stands for; knows not what either does.

The environment decides when ampkit is first imported. `AMPKIT_PURE=1` takes the Python, whether there is a compiled
module or not; with `AMPKIT_REQUIRE_SPEED=1` importing ampkit without one raises ImportError.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final, TypeVar

T = TypeVar("T")


def _load() -> Any:
    pure, required = (os.environ.get(name) == "1" for name in ("AMPKIT_PURE", "AMPKIT_REQUIRE_SPEED"))
    if pure and required:
        raise ImportError("AMPKIT_PURE=1 and AMPKIT_REQUIRE_SPEED=1 exclude each other")
    if pure:
        return None
    try:
        return import_module("ampkit._speed")
    except ImportError as error:
        if required:
            raise ImportError(f"AMPKIT_REQUIRE_SPEED=1, and the compiled module cannot be loaded: {error}") from error
        return None


compiled: Final[Any] = _load()
"""The compiled module, or None."""

is_compiled: Final = compiled is not None
"""Whether the compiled module runs."""

DESCRIPTION: Final = "compiled" if is_compiled else "pure Python"


class Fields:
    """The base of a class some of whose attributes are fields of C in the compiled module, for type checkers."""


def fields(name: str, *names: str) -> Any:
    """Return the base of a class, which has these attributes: as fields of C, or as slots without the module.

    What derives from it has to have `__slots__` for its other attributes, or each of its objects gets a dictionary.
    """
    return twin(name, type(name, (), {"__slots__": names}))


def twin(name: str, python: T) -> T:
    """Return what the compiled module has of this name, if it runs, else its twin in Python."""
    chosen: T = getattr(compiled, name, python)
    return chosen
