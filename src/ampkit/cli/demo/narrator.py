"""How the story looks: headings, prose, source and what the programs say; knows nothing of what happens."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

_WIDTH: Final = 96
"""Columns; prose in longer lines is hard to read."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # as every other output does; the command as a whole knows what to do


class Narrator:
    """Tells a story on a terminal, or without colours where there is none."""

    def __init__(self) -> None:
        self._console = _Console(highlight=False)
        self._console.width = min(self._console.width, _WIDTH)
        self._chapters = 0
        self._gap = False  # what a program says stands apart from its source

    def chapter(self, title: str, prose: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        self._console.print()
        self._console.rule(Text(f"{self._chapters}. {title}", style="bold"), align="left", style="cyan")
        self.say(prose)

    def say(self, prose: str) -> None:
        """Print a paragraph."""
        self._console.print()
        self._console.print(Text(prose))

    def show(self, *sources: ModuleType | type[Any] | Callable[..., Any]) -> None:
        """Print the source of what runs: of classes and functions, or a whole module."""
        code = "\n\n".join(textwrap.dedent(inspect.getsource(source)).strip() for source in sources)
        highlighted = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(code)
        highlighted.rstrip()
        self._console.print()
        for line in highlighted.split(allow_blank=True):
            self._console.print(Text("    ").append_text(line) if line else line, soft_wrap=True)
        self._gap = True

    def typed(self, command: str) -> None:
        """Print a command line that is run."""
        self._close_gap()
        self._console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)

    def heard(self, name: str, line: str, *, as_told: bool = True) -> None:
        """Print what a program said."""
        self._close_gap()
        text = Text(f"{name} │ ", style="cyan")
        text.append("".join(c if c.isprintable() else "?" for c in line), style="green" if as_told else "red")
        self._console.print(text, soft_wrap=True)

    def _close_gap(self) -> None:
        if self._gap:
            self._console.print()
        self._gap = False
