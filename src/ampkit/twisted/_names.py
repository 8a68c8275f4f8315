"""The constants of `twisted.protocols.amp` and the one rule of names; knows no box."""

from __future__ import annotations

import sys
from typing import Any, Final

from twisted.logger import Logger
from twisted.python.compat import nativeString

from ampkit.schema import names
from ampkit.twisted._errors import UnhandledCommand
from ampkit.wire import keys, limits

ASK: Final = keys.ASK
ANSWER: Final = keys.ANSWER
COMMAND: Final = keys.COMMAND
ERROR: Final = keys.ERROR
ERROR_CODE: Final = keys.ERROR_CODE
ERROR_DESCRIPTION: Final = keys.ERROR_DESCRIPTION
UNKNOWN_ERROR_CODE: Final = b"UNKNOWN"
UNHANDLED_ERROR_CODE: Final = b"UNHANDLED"
MAX_KEY_LENGTH: Final = limits.MAX_KEY_LENGTH
MAX_VALUE_LENGTH: Final = limits.MAX_VALUE_LENGTH

UNLIMITED: Final = limits.Limits(max_box_keys=sys.maxsize - 1, max_box_bytes=sys.maxsize)
"""For bytes that are in memory anyhow."""

PROTOCOL_ERRORS: dict[bytes, Any] = {UNHANDLED_ERROR_CODE: UnhandledCommand}
"""Codes that are AMP's own, and their exceptions. Twisted's is open to additions by programs, so this one is too."""

PYTHON_KEYWORDS: Final = list(names.KEYWORDS)
"""The names that get a capital in Python: Twisted's list, from Python 2.5, and as there open to a program's own."""

log: Final = Logger(namespace="twisted.protocols.amp")


def _wireNameToPythonIdentifier(key: bytes) -> str:  # pyright: ignore[reportUnusedFunction]  # Twisted's name
    """Return the keyword argument for a name on the wire: `foo-bar` is `foo_bar`, `from` is `From`."""
    name: str = nativeString(key.replace(b"-", b"_"))
    return name.title() if name in PYTHON_KEYWORDS else name
