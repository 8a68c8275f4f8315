"""ampkit: AMP, the Asynchronous Messaging Protocol, for Python programs.

Declare commands and services with `Command`, `Response` and `Service`; `serve` and `connect` them. The asyncio
names are loaded when they are first used, so that `import ampkit` brings no event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ampkit.core.connection import Connection
from ampkit.core.states import State
from ampkit.errors import (
    AmpError,
    ChildExited,
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    LocalProtocolError,
    NotSent,
    ProtocolSwitched,
    RemoteError,
    RemoteProtocolError,
    TlsFailed,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.hooks import Hooks
from ampkit.policy.backoff import Backoff
from ampkit.policy.balance import Balance
from ampkit.policy.dispatch import Dispatch
from ampkit.policy.options import Options
from ampkit.schema.argument import Argument
from ampkit.schema.command import Command
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.descriptor import Descriptor, FileDescriptor
from ampkit.schema.record import Record, Response
from ampkit.schema.responders import Service
from ampkit.schema.scalars import Boolean, Bytes, Decimal, Float, Integer, Path, String, Text, Unicode
from ampkit.schema.switch import Switch
from ampkit.schema.times import DateTime
from ampkit.schema.typed import Wire
from ampkit.wire.box import Box, encode_box
from ampkit.wire.codec import Decoder, parse, parse_string
from ampkit.wire.limits import Limits

if TYPE_CHECKING:
    from ampkit.asyncio.ambient import deadline
    from ampkit.asyncio.certificate import Certificate
    from ampkit.asyncio.child import Child
    from ampkit.asyncio.client import connect
    from ampkit.asyncio.peer import Peer
    from ampkit.asyncio.pool import Pool, connect_pool
    from ampkit.asyncio.presence import Presence
    from ampkit.asyncio.processes import ProcessServer
    from ampkit.asyncio.reconnect import ReconnectingPeer
    from ampkit.asyncio.remote import Remote
    from ampkit.asyncio.running import run
    from ampkit.asyncio.server import Server, serve
    from ampkit.asyncio.serving_stdio import serve_stdio
    from ampkit.asyncio.tls import Tls

__all__ = [
    "AmpError",
    "AmpList",
    "Argument",
    "Backoff",
    "Balance",
    "Boolean",
    "Box",
    "Bytes",
    "Certificate",
    "Child",
    "ChildExited",
    "Command",
    "Connection",
    "ConnectionFailed",
    "ConnectionLost",
    "DateTime",
    "DeadlineExceeded",
    "Decimal",
    "Decoder",
    "Descriptor",
    "Dispatch",
    "FileDescriptor",
    "Float",
    "Hooks",
    "Integer",
    "Limits",
    "ListOf",
    "LocalProtocolError",
    "NotSent",
    "Options",
    "Path",
    "Peer",
    "Pool",
    "Presence",
    "ProcessServer",
    "ProtocolSwitched",
    "ReconnectingPeer",
    "Record",
    "Remote",
    "RemoteError",
    "RemoteProtocolError",
    "Response",
    "Server",
    "Service",
    "State",
    "String",
    "Switch",
    "Text",
    "Tls",
    "TlsFailed",
    "UnhandledCommand",
    "Unicode",
    "UnknownRemoteError",
    "Wire",
    "connect",
    "connect_pool",
    "deadline",
    "encode_box",
    "parse",
    "parse_string",
    "run",
    "serve",
    "serve_stdio",
]

_ASYNCIO: Final = {
    "Certificate": "certificate",
    "Child": "child",
    "Peer": "peer",
    "Pool": "pool",
    "Presence": "presence",
    "ProcessServer": "processes",
    "ReconnectingPeer": "reconnect",
    "Remote": "remote",
    "Server": "server",
    "Tls": "tls",
    "connect": "client",
    "connect_pool": "pool",
    "deadline": "ambient",
    "run": "running",
    "serve": "server",
    "serve_stdio": "serving_stdio",
}
"""Which module of `ampkit.asyncio` has a name that is loaded when it is first used."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - it reads files, which no import should

        return version("ampkit")
    if name in _ASYNCIO:
        value = getattr(import_module(f"ampkit.asyncio.{_ASYNCIO[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ASYNCIO, "__version__"])
