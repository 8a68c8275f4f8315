"""File descriptors that travel beside boxes, by their ordinal; owns those that nobody has taken."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from twisted.internet.interfaces import IFileDescriptorReceiver, IUNIXTransport
from zope.interface import implementer


@implementer(IFileDescriptorReceiver)
class _DescriptorExchanger:
    """Counts descriptors in both directions of one connection, as both ends must count alike."""

    transport: Any

    def __init__(self) -> None:
        self._descriptors: dict[int, int] = {}
        self._getDescriptor = self._descriptors.pop
        self._sendingDescriptorCounter = 0
        self._receivingDescriptorCounter = 0

    def _sendFileDescriptor(self, descriptor: int) -> int:
        """Send a descriptor, and return its ordinal for the box that follows."""
        self.transport.sendFileDescriptor(descriptor)
        ordinal = self._sendingDescriptorCounter
        self._sendingDescriptorCounter += 1
        return ordinal

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """Keep a descriptor until the argument that means it takes it."""
        self._descriptors[self._receivingDescriptorCounter] = descriptor
        self._receivingDescriptorCounter += 1

    def _closeDescriptors(self) -> None:
        """Close what nobody has taken: behind the end of a real connection nobody can."""
        if not IUNIXTransport.providedBy(self.transport):
            return
        while self._descriptors:
            _, descriptor = self._descriptors.popitem()
            with contextlib.suppress(OSError):
                os.close(descriptor)
