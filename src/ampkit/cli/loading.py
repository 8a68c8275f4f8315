"""The program's own modules, found by name in the current directory too; what is in them, others know."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ampkit.cli.exits import Failure


def load_module(name: str) -> ModuleType:
    """Import a module, from the current directory first. Raises Failure, with file and line, if that fails."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise Failure(f"there is no module {name!r} in {here} or among the installed packages") from error
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def load_attribute(spec: str) -> object:
    """Return what `module:attribute` names. Raises Failure if there is no such thing."""
    module_name, colon, path = spec.partition(":")
    if not (module_name and colon and path):
        raise Failure(f"expected module:attribute, as in calculator:Calculator, not {spec!r}")
    value: object = load_module(module_name)
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise Failure(f"module {module_name!r} has no attribute {path!r}") from None
    return value


def _broken(name: str, error: Exception) -> Failure:
    if isinstance(error, SyntaxError):
        where = f"{error.filename}, line {error.lineno}"
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename}, line {frame.lineno}"
    return Failure(f"cannot import {name!r}: {type(error).__name__}: {error} ({where})")
