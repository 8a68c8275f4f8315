"""How much is done at a time, so that a turn of the loop costs little and does not last; does nothing itself."""

from __future__ import annotations

from typing import Final

MOST_IN_TURN: Final = 64
"""Boxes that a connection takes before others have their turn: less than a millisecond's worth."""

ONE_WRITE: Final = 65_536
"""Bytes above which what was queued is written at once and not at the end of the loop's turn."""

ALONE: Final = 8_192
"""Bytes of a box that cost more to copy than to hand over by themselves."""

OVERHEAD: Final = 32
"""Bytes of a box beside its pairs, about."""
