"""Twisted's own module, for what ours must be a kind of: its interfaces and its exceptions; runs none of its protocol.

A library that was not converted catches `twisted.protocols.amp.RemoteAmpError` and provides
`twisted.protocols.amp.IBoxReceiver`. Both still work when our errors are subclasses and our interfaces the same.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Final

import twisted.protocols

NAME: Final = "twisted.protocols.amp"


def _load() -> ModuleType:
    """Return the genuine module, even where another stands under its name."""
    spec = PathFinder.find_spec(NAME, twisted.protocols.__path__)
    if spec is None or spec.loader is None:
        raise ImportError(f"{NAME} was not found: ampkit.twisted needs Twisted 22.10 or newer")
    present = sys.modules.get(NAME)
    if present is not None and getattr(present.__spec__, "origin", None) == spec.origin:
        return present
    module = module_from_spec(spec)
    if present is None:
        sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from twisted.protocols import amp

    stock = amp
else:
    stock = _load()
