"""The keys by which AMP tells boxes apart; what is done with them, the core knows."""

from __future__ import annotations

from typing import Final

ASK: Final = b"_ask"
"""The tag of a question that wants an answer."""
COMMAND: Final = b"_command"
"""The name of the command that is asked."""
ANSWER: Final = b"_answer"
"""The tag of the question that this box answers."""
ERROR: Final = b"_error"
"""The tag of the question that this box refuses."""
ERROR_CODE: Final = b"_error_code"
ERROR_DESCRIPTION: Final = b"_error_description"

RESERVED: Final = frozenset({ASK, COMMAND, ANSWER, ERROR, ERROR_CODE, ERROR_DESCRIPTION})
"""No argument may have one of these names."""
