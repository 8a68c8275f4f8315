"""How much one connection may ask of this process: each limit, its default and the reason; enforces nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

MAX_KEY_LENGTH: Final = 255
"""AMP: a key is 1 to 255 bytes, because the first of its two length bytes is always zero."""

MAX_VALUE_LENGTH: Final = 65_535
"""AMP: a value is 0 to 65,535 bytes, the most that two length bytes can say."""

DEFAULT_MAX_BOX_KEYS: Final = 1_024
"""No known command has more than some dozens of keys; a value split over numbered keys has hundreds."""

DEFAULT_MAX_BOX_BYTES: Final = 1_048_576
"""Sixteen values of full length. Other implementations have no limit, so raise it on both ends if you need more."""

DEFAULT_MAX_RUNNING_ASKS: Final = 1_024
"""Asks of one peer whose responders have not ended. Each costs a task of about 2 kB: 2 MB a peer at the most."""

DEFAULT_MAX_BUFFERED_BYTES: Final = 65_536
"""Bytes written and not yet taken by the other end before callers wait: asyncio's own mark, and one full value."""

DEFAULT_MAX_DESCRIPTORS: Final = 256
"""A quarter of the 1,024 files that a process commonly may have open; one message of Linux carries 253."""

DEFAULT_MAX_WAITING_BYTES: Final = 524_288
"""Asks that wait: eight of full length, or nine thousand small ones; 5 MB a second where a round trip takes 100 ms."""

DEFAULT_BOX_TIMEOUT: Final = 60.0
"""Seconds; the largest box takes as long at 17 kB a second. Whoever sends half of one holds memory no longer."""

DEFAULT_MAX_CONNECTIONS: Final = 65_536
"""More files than most systems let a process open."""

DEFAULT_MAX_CONNECTIONS_PER_ADDRESS: Final = 16_384
"""Half of the ports that one address has for its outgoing connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one connection, and of all of a server's; pass it to `connect`, `serve` or a `Decoder`.

    Numbers are positive integers, times positive seconds, else ValueError. They bound what the other end can make
    this process hold, and a box above them is refused in both directions: a `LocalProtocolError` when this program
    sends it, a `RemoteProtocolError` that ends the connection when it is received.
    """

    max_box_keys: int = DEFAULT_MAX_BOX_KEYS
    """Keys in one box, repeated ones counted."""

    max_box_bytes: int = DEFAULT_MAX_BOX_BYTES
    """Bytes of one box on the wire, lengths and terminator included."""

    max_running_asks: int = DEFAULT_MAX_RUNNING_ASKS
    """Asks of the other end that may run at a time; further ones wait for their turn."""

    max_waiting_bytes: int = DEFAULT_MAX_WAITING_BYTES
    """Bytes of asks that may wait: the other end's for their turn, and this end's for their answers.

    What this end wants to ask beyond it is not sent yet, so that it does not fill the line of an end with the
    same limit; a responder that asks back has as much for itself. Where the other end sends more, reading pauses, or
    asks are refused as BUSY. One ask may always wait.
    """

    max_buffered_bytes: int = DEFAULT_MAX_BUFFERED_BYTES
    """Unsent bytes above which calls wait and no further asks are read."""

    max_descriptors: int = DEFAULT_MAX_DESCRIPTORS
    """Descriptors of the other end that nobody has taken yet, or that asks have which run; above it one is closed."""

    box_timeout: float | None = DEFAULT_BOX_TIMEOUT
    """Seconds within which a box that has begun has to be complete; None waits for ever."""

    idle_timeout: float | None = None
    """Seconds without a command in either direction after which a connection is closed; pings are none."""

    max_connections: int = DEFAULT_MAX_CONNECTIONS
    """Connections of one server; further ones are closed at once."""

    max_connections_per_address: int = DEFAULT_MAX_CONNECTIONS_PER_ADDRESS
    """Connections from one IP address to one server; further ones are closed at once."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.startswith("max_"):
                if not isinstance(value, int) or value < 1:
                    raise ValueError(f"Limits.{field.name} must be a positive integer, not {value!r}")
            elif value is not None and (not isinstance(value, int | float) or not value > 0):
                raise ValueError(f"Limits.{field.name} must be seconds above 0 or None, not {value!r}")


DEFAULT_LIMITS: Final = Limits()
