"""`ampkit dump`: a captured stream as text, box by box; knows no command and no tag."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter

from ampkit.cli.files import open_to_read
from ampkit.cli.flags import Flag, JsonFlag
from ampkit.cli.shown import json_line
from ampkit.wire.box import Box
from ampkit.wire.codec import Decoder
from ampkit.wire.limits import Limits
from ampkit.wire.text import DEFAULT_SHOWN, to_text

_LIMITS: Final = Limits(max_box_keys=1_000_000, max_box_bytes=256 * 1_048_576)
"""A capture is this machine's own file, and the reader wants to see what no peer of ours would have taken."""


def dump(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)], /, *, full: Flag = False, as_json: JsonFlag = False
) -> None:
    r"""Print a captured AMP stream as readable text.

    For example:

        ampkit dump captured.amp
        nc -l 1234 | ampkit dump - --json

    One line a key, an empty line behind each box. Bytes that are not printable
    UTF-8 are written \xNN, a backslash \\, and long values are shortened.
    Where the stream is not AMP, the boxes before are printed, then the position
    and the reason, and the exit code is 1.

    Parameters
    ----------
    file
        What one end sent, from the beginning of a box; - is standard input.
    full
        Show long values to their end.
    as_json
        Print one JSON object a line, all values to their end: as text, or as {"base64": ...} if they are none.
    """
    decoder = Decoder(_LIMITS)
    with open_to_read(file) as stream:
        while data := stream.read1():  # what is there, so that a stream can be watched while it comes
            decoder.feed(data)
            for box in iter(decoder.next_box, None):
                _print(box, as_json=as_json, shown=None if full else DEFAULT_SHOWN)
            print(end="", flush=True)
    decoder.end()


def _print(box: Box, *, as_json: bool, shown: int | None) -> None:
    if as_json:
        print(json_line(box))
    else:
        print(to_text(box, shown), end="")
