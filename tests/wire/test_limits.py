"""Limits: their defaults, and which values they refuse."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any

import pytest

from ampkit.wire import limits
from ampkit.wire.limits import DEFAULT_LIMITS, Limits

NAMES = [field.name for field in fields(Limits) if field.name.startswith("max_")]


def test_the_wire_format_has_two_limits() -> None:
    """AMP: keys of at most 255 bytes, values of at most 65,535."""
    assert limits.MAX_KEY_LENGTH == 255
    assert limits.MAX_VALUE_LENGTH == 65_535


def test_defaults_are_exported() -> None:
    """Limits() has the documented defaults, and so has DEFAULT_LIMITS."""
    expected = {
        "max_box_keys": 1_024,
        "max_box_bytes": 1_048_576,
        "max_running_asks": 1_024,
        "max_waiting_bytes": 524_288,
        "max_buffered_bytes": 65_536,
        "max_descriptors": 256,
        "max_connections": 65_536,
        "max_connections_per_address": 16_384,
    }
    times = {"box_timeout": 60.0, "idle_timeout": None}
    assert asdict(Limits()) == {**expected, **times}
    assert Limits().box_timeout == limits.DEFAULT_BOX_TIMEOUT
    assert Limits() == DEFAULT_LIMITS
    assert {name: getattr(limits, f"DEFAULT_{name.upper()}") for name in NAMES} == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, 1.5, "1", None])
def test_a_limit_is_a_positive_integer(name: str, value: Any) -> None:
    """Anything else is a ValueError that names the limit and the value."""
    with pytest.raises(ValueError, match=rf"^Limits\.{name} must be a positive integer, not {value!r}$"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_one_is_the_smallest_limit(name: str) -> None:
    """A limit of one is taken as it is."""
    assert asdict(Limits(**{name: 1}))[name] == 1


def test_limits_do_not_change() -> None:
    """One object may be shared by all connections of a process."""
    with pytest.raises(FrozenInstanceError):
        DEFAULT_LIMITS.max_box_keys = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", ["box_timeout", "idle_timeout"])
def test_a_time_is_positive_or_none(name: str) -> None:
    """Anything else is a ValueError that names the limit and the value."""
    for good in (0.5, 1, None):
        assert getattr(_with(name, good), name) == good
    for bad in (0, -1, math.nan, "1"):
        with pytest.raises(ValueError, match=name):
            _with(name, bad)


def _with(name: str, value: Any) -> Limits:
    return replace(DEFAULT_LIMITS, **{name: value})
