"""One write of a box's bytes; spares a socket that has bytes waiting what it has done already for those."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.tcp import Connection

_PLAIN_WRITE: Final = Connection.write


def socketOf(transport: Any) -> Any:
    """Return a transport if it is a socket whose `write` is Twisted's, else None."""
    isPlain = (
        isinstance(transport, Connection)
        and type(transport).write is _PLAIN_WRITE
        and "write" not in transport.__dict__
        and transport.connected
    )
    return transport if isPlain else None


def write(transport: Any, data: bytes, socket: Any) -> None:
    """Do what `transport.write(data)` does; `socket` is what `socketOf` has just said of it.

    A socket puts what is written into a list, and asks the reactor to tell it when it can be sent. While something is
    in the list it has asked, so what is added only has to stand behind it: a tenth of the time.
    """
    if transport is socket and transport._tempDataBuffer and transport.producer is None and not transport.TLS:
        transport._tempDataBuffer.append(data)
        transport._tempDataLen += len(data)
    else:
        transport.write(data)
