"""The choices for a connection: their defaults, and that they cannot be changed by accident."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ampkit.policy.dispatch import DEFAULT_DISPATCH, Dispatch
from ampkit.policy.options import (
    DEFAULT_CLOSE_TIMEOUT,
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_OPTIONS,
    DEFAULT_TRIES,
    Options,
)


def test_the_defaults() -> None:
    """Calls wait as long as the connection lasts, strays are forgiven, and errors cross as AMP has it."""
    assert Options() == DEFAULT_OPTIONS
    assert DEFAULT_OPTIONS.timeout is None
    assert DEFAULT_OPTIONS.strict is False
    assert DEFAULT_OPTIONS.dispatch is DEFAULT_DISPATCH
    assert DEFAULT_OPTIONS.hooks == ()
    assert DEFAULT_OPTIONS.fail_fast is False
    assert DEFAULT_OPTIONS.tries == DEFAULT_TRIES == 3
    assert DEFAULT_OPTIONS.connect_timeout == DEFAULT_CONNECT_TIMEOUT == 30.0
    assert DEFAULT_OPTIONS.close_timeout == DEFAULT_CLOSE_TIMEOUT == 5.0


def test_options_are_given_by_name_and_stay_as_they_are() -> None:
    """One object may serve many connections."""
    dispatch = Dispatch()
    options = Options(timeout=2.5, strict=True, dispatch=dispatch)
    assert (options.timeout, options.strict, options.dispatch) == (2.5, True, dispatch)
    make: Any = Options
    with pytest.raises(TypeError):
        make(2.5)
    with pytest.raises(TypeError):
        make(nonsense=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.timeout = 3.0  # type: ignore[misc]
