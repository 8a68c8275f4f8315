"""The forms of what ampkit says beside AMP."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit import RemoteProtocolError, parse_string
from ampkit.policy.extensions import (
    PING,
    cancel_pairs,
    cancelled_tag,
    command_pairs,
    read_timeout,
    timeout_pair,
)


@pytest.mark.parametrize(
    ("seconds", "value"), [(2, b"2000"), (0.25, b"250"), (0.0004, b"0"), (-1, b"0"), (999_999_999, b"999999999000")]
)
def test_a_timeout_in_milliseconds(seconds: float, value: bytes) -> None:
    """What is left travels in whole milliseconds, rounded down, and never below none."""
    assert timeout_pair(seconds) == b"\0\x08_timeout" + len(value).to_bytes(2) + value


@pytest.mark.parametrize("seconds", [1e9, math.inf])
def test_a_timeout_that_is_none(seconds: float) -> None:
    """Thirty years and more are not worth saying."""
    assert timeout_pair(seconds) == b""


@given(st.floats(0, 1e9, exclude_max=True))
def test_what_is_said_is_read(seconds: float) -> None:
    """The other end has at most as much time, and less than a millisecond less."""
    (box,) = parse_string(timeout_pair(seconds) + b"\0\0")
    read = read_timeout(box)
    assert read is not None
    assert read <= seconds < read + 0.001 + 1e-6


def test_no_timeout() -> None:
    """A box without the key says nothing."""
    assert read_timeout({b"a": b"1"}) is None


@pytest.mark.parametrize("value", [b"", b"-1", b"1.0", b"\xb2", b"1" * 13, b"\x1b" * 1000])
def test_a_timeout_that_is_no_number(value: bytes) -> None:
    """The error says so, escaped and short."""
    with pytest.raises(RemoteProtocolError, match="_timeout") as caught:
        read_timeout({b"_timeout": value})
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_commands() -> None:
    """They are asks of their names, with what they are about."""
    assert parse_string(command_pairs(PING) + b"\0\0") == [{b"_command": b"_ping"}]
    assert parse_string(cancel_pairs(b"1f") + b"\0\0") == [{b"_command": b"_cancel", b"tag": b"1f"}]
    assert cancelled_tag({b"tag": b"1f"}) == b"1f"
    assert cancelled_tag({}) is None
