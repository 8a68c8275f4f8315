"""Tools for tests of programs that speak AMP; needs no test framework, and loads none.

`ampkit.testing.strategies` (hypothesis) and `ampkit.testing.contract` (pytest) are imported by name.
"""

from __future__ import annotations

from ampkit.testing.clock import VirtualTimeLoop, virtual_time
from ampkit.testing.fake import FakePeer, fake_peer
from ampkit.testing.pair import ConnectionEnded, Ends, Pair
from ampkit.testing.pipe import peer_pair, served_pair
from ampkit.testing.trouble import Trouble

__all__ = [
    "ConnectionEnded",
    "Ends",
    "FakePeer",
    "Pair",
    "Trouble",
    "VirtualTimeLoop",
    "fake_peer",
    "peer_pair",
    "served_pair",
    "virtual_time",
]
