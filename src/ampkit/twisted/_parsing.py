"""Captured bytes to boxes, as Twisted's module offers it; how bytes are read, the wire knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zope.interface import implementer

from ampkit.errors import RemoteProtocolError
from ampkit.twisted._boxes import AmpBox
from ampkit.twisted._errors import TooLong
from ampkit.twisted._interfaces import IBoxReceiver
from ampkit.twisted._names import UNLIMITED
from ampkit.wire.codec import Decoder


def parseBoxes(data: bytes) -> Iterator[AmpBox]:
    """Give all whole boxes of captured bytes. Raises TooLong for a key above 255 bytes."""
    decoder = Decoder(UNLIMITED, empty_boxes=True)
    decoder.feed(data)
    try:
        while (box := decoder.next_box()) is not None:
            yield AmpBox(box)
    except RemoteProtocolError:
        raise TooLong(True, False, None, None) from None


@implementer(IBoxReceiver)
class _ParserHelper:
    """A receiver that keeps the boxes it gets, and a transport for a protocol that has none."""

    def __init__(self) -> None:
        self.boxes: list[Any] = []

    disconnecting = False

    def getPeer(self) -> str:
        """Return what stands for an address."""
        return "string"

    def getHost(self) -> str:
        """Return what stands for an address."""
        return "string"

    def startReceivingBoxes(self, sender: Any) -> None:
        """Begin; nothing is sent."""

    def ampBoxReceived(self, box: Any) -> None:
        """Keep a box."""
        self.boxes.append(box)

    @classmethod
    def parse(cls, fileObj: Any) -> list[AmpBox]:
        """Return all whole boxes of a file of captured bytes; a last one that is not whole is left out."""
        return cls.parseString(fileObj.read())

    @classmethod
    def parseString(cls, data: bytes) -> list[AmpBox]:
        """Return all whole boxes of captured bytes; a last one that is not whole is left out.

        Raises TooLong for a key above 255 bytes.
        """
        helper = cls()
        for box in parseBoxes(data):
            helper.ampBoxReceived(box)
        return helper.boxes


parse = _ParserHelper.parse
parseString = _ParserHelper.parseString
