"""How a box's bytes get into a socket: what is written while a read is handled is sent at its end, in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.internet.tcp import Connection

from ampkit.speed import twin

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
    """Do what `transport.write(data)` does; `socket` is the transport if whoever calls will call `sendNow`, else None.

    A socket puts what is written into a list, and asks the reactor to tell it when it can be sent. Where that need not
    be asked, what is written only has to stand in the list.
    """
    if transport is socket and not transport.TLS:
        transport._tempDataBuffer.append(data)
        transport._tempDataLen += len(data)
    else:
        transport.write(data)


if not TYPE_CHECKING:
    write = twin("write_straight", write)


def sendNow(socket: Any) -> None:
    """Send what `write` put into the list, as the reactor would in its next turn; whatever is more is left to that."""
    if not socket._tempDataBuffer or socket.dataBuffer or socket.producer is not None or socket.TLS:
        return
    if socket.connected and not socket.disconnecting and not socket._writeDisconnecting:
        socket.doWrite()


def sendLater(socket: Any) -> None:
    """Let the reactor send what is left in the list."""
    if socket.connected and (socket._tempDataBuffer or socket.dataBuffer):
        socket._maybePauseProducer()
        socket.startWriting()
