"""Which functions wait to become responders of the class that is being defined; shared with Twisted's own module.

A decorator inside a class body cannot know the class, so what it registers waits here for the next locator class.
That is Twisted's contract. The list is Twisted's own, so that its commands can be used in our classes and ours in its.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ampkit.twisted._stock import stock

waiting: list[tuple[Any, Callable[..., Any]]] = stock.CommandLocator._currentClassCommands


def register(command: Any, function: Callable[..., Any]) -> None:
    """Let a function wait."""
    waiting.append((command, function))


def take_registered() -> list[tuple[Any, Callable[..., Any]]]:
    """Return all that wait, and let nothing wait."""
    taken = list(waiting)
    waiting.clear()
    return taken
