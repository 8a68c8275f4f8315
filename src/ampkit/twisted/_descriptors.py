"""File descriptors that travel beside boxes, by their ordinal; owns those that nobody has taken."""

from __future__ import annotations

import contextlib
import os
from itertools import count
from typing import Any

from twisted.internet.interfaces import IFileDescriptorReceiver
from zope.interface import implementer

try:
    from twisted.internet.unix import Client, Server
except ImportError:  # where there are no such sockets
    _unix: tuple[Any, ...] = ()
else:
    _unix = (Client, Server)


@implementer(IFileDescriptorReceiver)
class _DescriptorExchanger:
    """Counts descriptors in both directions of one connection, as both ends must count alike."""

    maxWaitingDescriptors = 256

    transport: Any
    innerProtocol: Any = None

    def __init__(self) -> None:
        self._descriptors: dict[int, int] = {}
        self._getDescriptor = self._descriptors.pop
        self._sendingDescriptorCounter = count().__next__
        self._receivingDescriptorCounter = count().__next__

    def _sendFileDescriptor(self, descriptor: int) -> int:
        """Send a descriptor, and return its ordinal for the box that follows."""
        self.transport.sendFileDescriptor(descriptor)
        return self._sendingDescriptorCounter()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """Keep a descriptor until the argument that means it takes it; behind a switch it is the inner protocol's."""
        if IFileDescriptorReceiver.providedBy(self.innerProtocol):
            self.innerProtocol.fileDescriptorReceived(descriptor)
            return
        self._descriptors[self._receivingDescriptorCounter()] = descriptor
        if len(self._descriptors) > self.maxWaitingDescriptors:
            self._closeDescriptors()
            self.transport.loseConnection()

    def _closeDescriptors(self) -> None:
        """Close what nobody has taken: nobody will. On a transport that is no socket these are but numbers."""
        while self._descriptors and isinstance(self.transport, _unix):
            _, descriptor = self._descriptors.popitem()
            with contextlib.suppress(OSError):
                os.close(descriptor)
