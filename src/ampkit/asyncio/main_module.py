"""The program's main module in another process: which one it is, and how it is loaded there; knows no service."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

MAIN: Final = "__main__"
_NAME_ELSEWHERE: Final = "__mp_main__"
"""What `__name__` is there, as in the processes of `multiprocessing`: what runs only as `__main__` does not run."""


@dataclass(frozen=True, slots=True)
class MainModule:
    """What `python -m module` or `python file.py` has loaded."""

    name: str | None
    file: str | None

    def load(self) -> None:
        """Load it, and let it be what `__main__` is for those who look something up there."""
        if self.name is not None:
            names = runpy.run_module(self.name, run_name=_NAME_ELSEWHERE, alter_sys=True)
        else:
            names = runpy.run_path(str(self.file), run_name=_NAME_ELSEWHERE)
        module = ModuleType(_NAME_ELSEWHERE)
        vars(module).update(names)
        sys.modules[MAIN] = sys.modules[_NAME_ELSEWHERE] = module


def main_module() -> MainModule | None:
    """Return the main module of this process; None where no other process can load it, as at Python's prompt."""
    module = sys.modules[MAIN]
    spec, file = module.__spec__, getattr(module, "__file__", None)
    if spec is not None and spec.name != MAIN:
        return MainModule(spec.name, None)
    return MainModule(None, str(Path(file).absolute())) if file is not None and Path(file).is_file() else None
