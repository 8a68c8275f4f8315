"""What a responder returns to switch: one thing to switch to, and not none or two."""

from __future__ import annotations

import pytest

from ampkit.schema.switch import Switch


def test_a_switch_has_what_makes_a_protocol_or_what_takes_streams() -> None:
    """Nothing is called before the connection switches."""
    assert (Switch(dict).protocol, Switch(dict).streams) == (dict, None)
    assert (Switch(streams=print).protocol, Switch(streams=print).streams) == (None, print)


def test_it_has_one_of_them() -> None:
    """Neither none nor both."""
    with pytest.raises(TypeError, match="not both"):
        Switch()
    with pytest.raises(TypeError, match="not both"):
        Switch(dict, streams=print)
