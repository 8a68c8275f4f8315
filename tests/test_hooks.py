"""The base class of hooks: what is not overridden is not run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ampkit.errors import ConnectionLost
from ampkit.hooks import Ask, Call, Hooks, overriding

if TYPE_CHECKING:
    from collections.abc import Generator

NOBODY = cast(Any, None)


class Counting(Hooks):
    """Overrides one method."""

    @contextmanager
    def calling(self, call: Call) -> Generator[None]:
        call.extensions.clear()
        yield


class CountingMore(Counting):
    """Overrides it by inheritance."""


def test_only_those_that_override_a_method_are_asked_for_it() -> None:
    """An inherited override counts, the base class's own method does not; the order is kept."""
    plain, counting, more = Hooks(), Counting(), CountingMore()
    assert overriding((more, plain, counting), "calling") == (more, counting)
    assert overriding((more, plain, counting), "answering") == ()


def test_what_is_not_overridden_does_nothing() -> None:
    """An override may call the method that it overrides."""
    hooks = Hooks()
    hooks.opened(NOBODY)
    hooks.closed(NOBODY, ConnectionLost())
    hooks.box_sent(NOBODY, {})
    hooks.box_received(NOBODY, {})
    call = Call(NOBODY, b"Sum", answers=True)
    with hooks.calling(call), hooks.answering(Ask(NOBODY, b"Sum", {})):
        assert call.extensions == {}
