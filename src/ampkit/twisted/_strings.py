"""What Twisted's string-by-string parser would hold now, for programs that look at it or take over; parses nothing.

That parser keeps its state in attributes. Ours reads box by box and keeps none of them, so they are made when somebody
looks. Whoever assigns one is fed string by string from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ampkit.twisted._boxes import AmpBox
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import MAX_KEY_LENGTH, MAX_VALUE_LENGTH

FRESH: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "state": "init",
        "MAX_LENGTH": MAX_KEY_LENGTH,
        "_unprocessed": b"",
        "_compatibilityOffset": 0,
        "_currentKey": None,
        "_currentBox": None,
    }
)
"""The state of the parser where a box begins and nothing waits."""


class Seen:
    """One attribute of that parser."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, proto: Any, owner: type) -> Any:
        return (FRESH if proto is None else proto._stringState())[self._name]


def stringState(decoder: Decoder, *, isInBox: bool, isStopped: bool) -> dict[str, Any]:
    """Return all attributes: in the middle of delivering a box, before bytes that wait, or with no whole box left."""
    unread = decoder.unread
    partial = decoder.partial
    box = None if partial is None or not partial.box else AmpBox(partial.box)
    end = 2 + int.from_bytes(unread[:2], "big")
    if isInBox or isStopped or end == 2 or end > len(unread):
        state = "init" if box is None and not isInBox else "key"
        return {**FRESH, "state": state, "_unprocessed": unread, "_currentBox": box}
    return {
        **FRESH,
        "state": "value",
        "MAX_LENGTH": MAX_VALUE_LENGTH,
        "_unprocessed": unread[end:],
        "_currentKey": unread[2:end],
        "_currentBox": AmpBox() if box is None else box,
    }
