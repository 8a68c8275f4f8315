"""The story of the demo: what is told, and what each program must say so that it is true."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

from ampkit.cli.demo import client, commands, server
from ampkit.cli.demo.children import Child, StoryBroken, child
from ampkit.cli.demo.narrator import Narrator

_HERE: Final = __name__.rpartition(".")[0]
_ADDRESS: Final = r"tcp://127\.0\.0\.1:\d+"
_RATE: Final = r"[\d,]+ calls, 64 at a time: [\d,]+ a second"


async def tell(narrator: Narrator) -> None:
    """Tell the whole story. Raises StoryBroken where it turns out not to be true."""
    _declare(narrator)
    async with _server(narrator) as (ours, address):
        await _call(narrator, ours, address)
        if find_spec("twisted") is None:
            narrator.say("Twisted is not installed. To see its part, too: pip install 'ampkit[twisted]'")
            return
        await _call_twisted(narrator)
        await _called_by_twisted(narrator, ours, address)
        await _called_by_twisted_on_ampkit(narrator, ours, address)


def _declare(narrator: Narrator) -> None:
    narrator.chapter(
        "Two programs agree on commands",
        "A command is a class: its fields are what is asked, its response is what is answered. "
        "Both programs import these.",
    )
    narrator.show(commands.Total, commands.Sum, commands.Divide, commands.Greet, commands.AskName)


@asynccontextmanager
async def _server(narrator: Narrator) -> AsyncGenerator[tuple[Child, str]]:
    narrator.chapter("One program serves", "A responder is a method. This one runs in a process of its own:")
    narrator.show(server.Calculator)
    program = [f"{_HERE}.server:Calculator", "tcp://127.0.0.1:0"]
    narrator.typed(f"ampkit serve {' '.join(program)}")
    async with child("server", "ampkit", "serve", *program) as started:
        yield started, await hear(narrator, started, _ADDRESS)


async def _call(narrator: Narrator, ours: Child, address: str) -> None:
    narrator.chapter("Another program calls", "It connects, in a second process, and awaits what it asks for.")
    narrator.show(client.call)
    async with _client(narrator, f"{_HERE}.client", address) as caller:
        await hear(narrator, caller, r"Total\(total=94\)", r"Quotient\(result=23\.5\)")
        narrator.chapter(
            "The server calls the client", "An AMP connection has no direction: the server asks back on it."
        )
        narrator.show(server.Calculator.greet, client.Myself, client.be_called)
        await hear(narrator, caller, _hello(ours, caller))
        narrator.chapter(
            "An error crosses the wire", "What a command declares is raised at the caller, and kept apart from bugs."
        )
        narrator.show(client.fail)
        await hear(narrator, caller, "ZeroDivisionError: division by zero")
        narrator.chapter(
            "64 calls in flight", "Nobody waits for an answer before asking again. Here, on one connection:"
        )
        narrator.show(client.hurry)
        await hear(narrator, caller, _RATE)


async def _call_twisted(narrator: Narrator) -> None:
    from ampkit.cli.demo import twisted_commands, twisted_server  # noqa: PLC0415 - Twisted may not be installed

    narrator.chapter(
        "The same client, and a server that is Twisted's",
        "AMP is from 2005, and so are the programs that speak it. This server is a genuine twisted.protocols.amp, "
        "with the commands in its own words:",
    )
    narrator.show(twisted_commands.Sum, twisted_server.Calculator)
    program = f"{_HERE}.twisted_server"
    narrator.typed(f"python -m {program}")
    async with child("Twisted server", program) as theirs:
        address = await hear(narrator, theirs, _ADDRESS)
        async with _client(narrator, f"{_HERE}.client", address) as caller:
            await hear(narrator, caller, r"Total\(total=94\)", r"Quotient\(result=23\.5\)", _hello(theirs, caller))
            await hear(narrator, caller, "ZeroDivisionError: division by zero", _RATE)


async def _called_by_twisted(narrator: Narrator, ours: Child, address: str) -> None:
    from ampkit.cli.demo import twisted_client  # noqa: PLC0415 - as above

    narrator.chapter(
        "The same server, and a client that is Twisted's", "Our first server still runs. It sees no difference:"
    )
    narrator.show(twisted_client.call)
    async with _client(narrator, f"{_HERE}.twisted_client", address, name="Twisted client") as caller:
        await _hear_twisted(narrator, ours, caller, r"twisted\.protocols\.amp")


async def _called_by_twisted_on_ampkit(narrator: Narrator, ours: Child, address: str) -> None:
    narrator.chapter(
        "The same Twisted program, on ampkit",
        "ampkit has the classes of twisted.protocols.amp, too. So this is the program of before, not a line changed:",
    )
    program = ("ampkit.twisted", f"{_HERE}.twisted_client")
    async with _client(narrator, *program, address, name="Twisted client on ampkit") as caller:
        await _hear_twisted(narrator, ours, caller, r"ampkit\.twisted\.amp")


async def _hear_twisted(narrator: Narrator, ours: Child, caller: Child, module: str) -> None:
    await hear(narrator, caller, f"I speak {module}", r"\{'total': 94\}")
    await hear(narrator, caller, rf"\{{'text': '{_hello(ours, caller)}'\}}", "ZeroDivisionError: division by zero")


@asynccontextmanager
async def _client(narrator: Narrator, *program: str, name: str = "client") -> AsyncGenerator[Child]:
    narrator.typed(f"python -m {' '.join(program)}")
    async with child(name, *program) as caller:
        yield caller
        await caller.wait_ended()


async def hear(narrator: Narrator, program: Child, *expected: str) -> str:
    """Wait for lines that match, and return the last. Raises StoryBroken for any other."""
    line = ""
    for pattern in expected:
        line = await program.next_line()
        as_told = re.fullmatch(pattern, line) is not None
        narrator.heard(f"{program.name} {program.pid}", line, as_told=as_told)
        if not as_told:
            raise StoryBroken(f"the {program.name} should have said: {pattern}")
    return line


def _hello(server: Child, client: Child) -> str:
    return f"Hello process {client.pid}, I am process {server.pid}"
