"""`ampkit call`: one ask of any AMP server, and its answer; knows no command but those of the program's modules."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

import ampkit
from ampkit import Peer, Tls
from ampkit.asyncio.opening import Opening
from ampkit.cli.arguments import read_arguments
from ampkit.cli.commands import fill_command, find_command
from ampkit.cli.exits import REFUSED
from ampkit.cli.flags import FileFlag, Flag, JsonFlag
from ampkit.cli.shown import json_line, record_values, value_text
from ampkit.errors import RemoteError
from ampkit.policy.dispatch import Dispatch
from ampkit.policy.options import Options
from ampkit.schema.command import Command, CommandSchema
from ampkit.schema.record import Record
from ampkit.wire.box import Box
from ampkit.wire.text import to_text

DEFAULT_TIMEOUT: Final = 30.0
"""Seconds; a person does not wait longer without wondering, and a script should not wait for ever."""


class _Codes(Dispatch):
    """Leaves every refusal a RemoteError: what counts here is its code, not the exception that a program declares."""

    def error(self, code: bytes | None, description: bytes, command: CommandSchema | None) -> Exception:  # noqa: ARG002
        return super().error(code, description, None)


def call(
    address: str,
    command: str,
    /,
    *arguments: str,
    commands: str | None = None,
    authority: FileFlag = None,
    certificate: FileFlag = None,
    timeout: Annotated[float, Parameter(validator=Number(gt=0))] = DEFAULT_TIMEOUT,
    tell: Flag = False,
    as_json: JsonFlag = False,
) -> int:
    r"""Ask an AMP server, in any language, and print its answer.

    For example:

        ampkit call unix:///run/calculator Sum a=13 b=81 --json
        ampkit call tcp://127.0.0.1:1234 Sum a=13 b=81 --commands calculator

    Bytes go in, text comes out: key=text sends UTF-8, key=@photo.jpg the bytes
    of a file, key:=\x00\xff what is escaped in the way that answers are.
    With --commands values have the types that the command declares, and a list
    is sizes=1,2,3 or JSON, sizes=[1,2,3].

    Exit codes: 0 answered, 1 refused, 2 wrong usage, 3 no connection, 4 late.

    Parameters
    ----------
    address
        tcp://host:port, tls://host:port or unix:///path.
    command
        Its name on the wire, or the name of its class.
    arguments
        key=value, one each. Write -- before a key that begins with a hyphen.
    commands
        A Python module with command classes; searched in the current directory first.
    authority
        For tls://, a file: whom to trust in place of the system's authorities.
    certificate
        For tls://, a file: the certificate and key to show.
    timeout
        Seconds for the answer, and as many before that to connect.
    tell
        Want no answer, and wait for none.
    as_json
        Print one JSON object; a refusal is {"error": {"code": ..., "description": ...}}.
    """
    box = read_arguments(arguments)
    typed = fill_command(find_command(commands, command), box) if commands else None
    connecting = ampkit.connect(address, tls=_tls(authority, certificate), options=_options(timeout))
    return _show(_call(connecting, os.fsencode(command), box, typed, tell=tell), as_json=as_json)


def _tls(authority: str | None, certificate: str | None) -> Tls | None:
    return Tls(authority=authority, certificate=certificate) if authority or certificate else None


def _options(timeout: float) -> Options:
    return Options(timeout=timeout, connect_timeout=timeout, dispatch=_Codes())


async def _call(
    connecting: Opening[Peer], name: bytes, box: Box, typed: Command[Any] | None, *, tell: bool
) -> Record | Box | None:
    async with connecting as peer:
        if typed is None:
            return await (peer.tell_raw(name, box) if tell else peer.call_raw(name, box))
        if tell or not typed.__command__.answers:
            await peer.tell(typed)
            return None
        return await peer.call(typed) or {}


def _show(asking: Coroutine[Any, Any, Record | Box | None], *, as_json: bool) -> int:
    """Ask, print what came, and return the exit code."""
    try:
        answer = ampkit.run(asking)
    except RemoteError as error:
        if not as_json:
            raise
        print(json_line({b"error": {b"code": error.code, b"description": error.description}}))
        return REFUSED
    if answer is not None:
        _print(answer, as_json=as_json)
    return 0


def _print(answer: Record | Box, *, as_json: bool) -> None:
    if as_json:
        print(json_line(answer))
    elif isinstance(answer, Record):
        for name, value in record_values(answer).items():
            print(f"{name}: {value_text(value)}".rstrip())
    elif answer:
        print(to_text(answer, None).rstrip("\n"))
