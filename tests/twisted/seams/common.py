"""The commands of the seams' tests as either module makes them, who answers them, how a test waits; tests nothing."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred


async def until(happened: Callable[[], object]) -> None:
    """Let the event loop turn until something has happened."""
    while not happened():  # noqa: ASYNC110 - events are set by what the tests are about
        await asyncio.sleep(0)


async def result(deferred: Deferred[Any]) -> Any:
    """Wait in a coroutine of asyncio for what a Deferred becomes."""
    return await deferred.asFuture(asyncio.get_running_loop())


class Overdrawn(Exception):
    """What a responder raises and its command declares."""


def commands(amp: Any) -> Any:
    """The commands, made of a module's classes."""

    class Sum(amp.Command):
        arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
        response = [(b"total", amp.Integer())]

    class Withdraw(amp.Command):
        arguments = [(b"amount", amp.Integer())]
        response = [(b"left", amp.Integer())]
        errors = {Overdrawn: b"OVERDRAWN"}

    class Note(amp.Command):
        arguments = [(b"text", amp.Unicode())]
        requiresAnswer = False

    return SimpleNamespace(Sum=Sum, Withdraw=Withdraw, Note=Note)


def calculator(amp: Any) -> Any:
    """An end that answers the commands; `notes` has what it was told."""
    known = commands(amp)

    class Calculator(amp.AMP):
        def __init__(self, *args: Any, **kw: Any) -> None:
            self.notes: list[str] = []
            super().__init__(*args, **kw)

        @known.Sum.responder
        def sum(self, a: int, b: int) -> dict[str, int]:
            return {"total": a + b}

        @known.Withdraw.responder
        def withdraw(self, amount: int) -> dict[str, int]:
            if amount > 100:
                raise Overdrawn(f"{amount} is too much")
            return {"left": 100 // amount}

        @known.Note.responder
        def note(self, text: str) -> dict[str, Any]:
            self.notes.append(text)
            return {}

    return Calculator
