"""Several context managers of hooks as one, the first outermost; knows not what is done within them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

from ampkit.errors import LocalProtocolError
from ampkit.wire.text import printable

S = TypeVar("S")


def within(
    hooks: Sequence[Callable[[S], AbstractContextManager[object]]], subject: S
) -> AbstractContextManager[object]:
    """Return the context manager in which a call or an ask, the subject, is made or answered."""
    if len(hooks) == 1:
        return hooks[0](subject)
    return _all_of(hooks, subject)


@contextmanager
def _all_of(hooks: Sequence[Callable[[S], AbstractContextManager[object]]], subject: S) -> Generator[None]:
    with ExitStack() as stack:
        for hook in hooks:
            stack.enter_context(hook(subject))
        yield


def swallowed(command: bytes) -> LocalProtocolError:
    """Return the error for hooks that let an exception end, though there is nothing to return in its place."""
    name = printable(command)
    return LocalProtocolError(f"a hook swallowed why {name} failed: let it pass, or raise another error")
