"""What to start as a child process: program, arguments, surroundings, and who takes what it says; starts nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from ampkit.errors import LocalProtocolError

Argument: TypeAlias = str | os.PathLike[str]


class Child:
    """A program that `connect` starts, to speak AMP with it on its standard input and output.

    `Child(sys.executable, "worker.py", cwd="/srv")` says more than `exec:python worker.py` can. `cwd` and `env` are
    its working directory and environment (None: this process's own), `pass_fds` the descriptors that it inherits
    beside its standard ones. Each line of its standard error goes to `on_stderr`, without the end of the line,
    escaped and cut; None logs it as a warning. No shell reads any of it.

    Raises LocalProtocolError for arguments that no program can be given.
    """

    def __init__(
        self,
        *arguments: Argument,
        cwd: Argument | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Collection[int] = (),
        on_stderr: Callable[[str], object] | None = None,
    ) -> None:
        self.arguments = tuple(os.fspath(argument) for argument in arguments)
        self.cwd = cwd
        self.env = env
        self.pass_fds = tuple(pass_fds)
        self.on_stderr = on_stderr
        if not self.arguments or not self.arguments[0]:
            raise LocalProtocolError("a child process needs a program")
        if any("\0" in argument for argument in self.arguments):
            raise LocalProtocolError(f"an argument of a program has no zero byte: {self}")

    def __str__(self) -> str:
        text = shlex.join(self.arguments)
        return "exec:" + "".join(c if c.isprintable() else c.encode("unicode-escape").decode() for c in text)

    def __repr__(self) -> str:
        return f"<Child {self}>"


def parse_child(text: str) -> Child:
    """Return the child that `exec:program argument ...` says, its words split and quoted as in a shell.

    Raises LocalProtocolError for quotes that are not closed, and where there is no program.
    """
    try:
        return Child(*shlex.split(text.removeprefix("exec:")))
    except ValueError as error:
        raise LocalProtocolError(f"not an address: {text!r}: {error}") from None
