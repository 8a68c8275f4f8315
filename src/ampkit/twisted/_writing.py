"""One write of a box's bytes; spares a socket that has bytes waiting what it has done already for those."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.tcp import Connection

_PLAIN_WRITE: Final = Connection.write


def write(transport: Any, data: bytes) -> None:
    """Do what `transport.write(data)` does.

    A socket puts what is written into a list, and asks the reactor to tell it when it can be sent. While something is
    in the list it has asked, so what is added only has to stand behind it: a tenth of the time. Where anything else
    could depend on a write, and for every other transport, this is that write.
    """
    if (
        isinstance(transport, Connection)
        and transport._tempDataBuffer
        and transport.connected
        and not transport.TLS
        and not transport._writeDisconnected
        and transport.producer is None
        and type(transport).write is _PLAIN_WRITE
        and "write" not in transport.__dict__
    ):
        transport._tempDataBuffer.append(data)
        transport._tempDataLen += len(data)
    else:
        transport.write(data)
