"""The `ampkit` command as a whole: its subcommands, and one line for whatever goes wrong; does none of the work."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Final

from cyclopts import App, CycloptsError

from ampkit.cli.call import call
from ampkit.cli.certs import certs
from ampkit.cli.demo.command import demo
from ampkit.cli.dump import dump
from ampkit.cli.exits import BROKEN_PIPE, INTERRUPTED, USAGE, Failure, failure_of
from ampkit.cli.serve import serve
from ampkit.errors import AmpError
from ampkit.speed import DESCRIPTION
from ampkit.wire.text import printable

_HELP: Final = """\
AMP, the Asynchronous Messaging Protocol, on the command line.

New here?  ampkit demo
"""

app: Final = App(
    name="ampkit", help=_HELP, help_format="plaintext", version=lambda: f"{version('ampkit')} ({DESCRIPTION})"
)
for subcommand in (serve, call, dump, certs, demo):
    app.command(subcommand)


def run(arguments: Sequence[str]) -> int:
    """Run one subcommand, and return its exit code; what goes wrong is one line on standard error."""
    _show_what_the_terminal_cannot()
    try:
        return _run(arguments)
    except CycloptsError as error:
        _complain(f"{' '.join(str(error).split())} See --help.")
        return USAGE
    except (Failure, AmpError) as error:
        failure = failure_of(error)
        _complain(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE


def _run(arguments: Sequence[str]) -> int:
    command, bound, *_ = app.parse_args(list(arguments), print_error=False, exit_on_error=False)
    code = command(*bound.args, **bound.kwargs)
    print(end="", flush=True)
    return code if isinstance(code, int) else 0


def _complain(text: str) -> None:
    print(end="", flush=True)  # what came before the trouble stands before it
    line = printable(text.encode("utf-8", "backslashreplace"), None).replace("\\\\", "\\")
    print(f"ampkit: {line}", file=sys.stderr)


def _show_what_the_terminal_cannot() -> None:
    """Write a character that the terminal's encoding lacks as an escape, in place of a UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a process may have been started without them
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Let Python's last flush go nowhere: nobody reads what we print any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
