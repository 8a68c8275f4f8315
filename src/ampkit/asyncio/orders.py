"""What a process server asks of its workers: AMP commands on a socket pair; knows neither end."""

from __future__ import annotations

from typing import Final

from ampkit.policy.options import Options
from ampkit.schema.command import Command

CONTROL: Final = Options(ping_interval=None)
"""Of the connections between them. A worker that is busy for a minute is not dead: its exit says when it is."""


class CannotBegin(Exception):
    """Its text is one line that says why, and the traceback below it."""


class Begin(Command[None], errors={CannotBegin: "CANNOT_BEGIN"}):
    """Accept connections; answered when that is so."""


class Close(Command[None]):
    """Close the server with so many seconds of grace; answered when it is closed."""

    grace: float
