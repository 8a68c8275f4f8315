"""Puts our module where Twisted's is looked for, and takes it back; knows nothing of what it does."""

from __future__ import annotations

import sys
from types import ModuleType

import twisted.protocols

from ampkit.twisted import amp
from ampkit.twisted._stock import NAME, stock


def install() -> None:
    """Make `twisted.protocols.amp` mean `ampkit.twisted.amp` for every import from now on.

    Call it before the modules that import Twisted's: what they have imported already they keep. Calling it again
    does nothing more.
    """
    _put(amp)


def uninstall() -> None:
    """Make `twisted.protocols.amp` mean Twisted's own module again."""
    _put(stock)


def _put(module: ModuleType) -> None:
    sys.modules[NAME] = module
    twisted.protocols.__dict__["amp"] = module
