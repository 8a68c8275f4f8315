"""The commands and the service that both twins have, made once in Python and once compiled; asserts nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, Final, TypeVar

from ampkit import Argument, Command, Peer, Record, RemoteError, Response, Service
from tests.speed.twins import in_python


class Odd(Argument[int]):
    """Odd numbers in octal."""

    def encode(self, value: int) -> bytes:
        if value % 2 == 0:
            raise ValueError(f"{value} is even")
        return b"%o" % value

    def decode(self, data: bytes) -> int:
        return int(data, 8) | 1


def make_commands() -> SimpleNamespace:
    """Return classes; they are of the twin that is current."""

    class Total(Response):
        total: int

    class Content(Response):
        data: bytes
        text: str = "none"
        size: int | None = None

    class Checked(Response):
        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("it is below zero")

    class Item(Record):
        name: str
        number: int = 7
        parts: list[int] = dataclasses.field(default_factory=list[int])

    class Flat(Record):
        name: str
        is_new: bool = False
        size: float | None = None

    class Sum(Command[Total]):
        a: int
        b: int

    class Many(Command[Content]):
        a_bytes: bytes = b""
        b_float: float = 0.5
        c_bool: bool = False
        d_text: str = "d"
        e_odd: Annotated[int, Odd()] = 1
        f_items: list[Item] = dataclasses.field(default_factory=list[Item])
        g_flat: list[Flat] = dataclasses.field(default_factory=list[Flat])
        h_none: int | None = None

    class Check(Command[Checked]):
        number: int

        def __post_init__(self) -> None:
            if self.number == 13:
                raise ValueError("thirteen")

    class Wait(Command[Total]):
        number: int

    class Raise(Command[None], errors={KeyError: "KEY"}, fatal_errors={EOFError: "END"}):
        name: str
        later: bool = False

    class Give(Command[Content]):
        name: str
        later: bool = False

    class Note(Command[None], answers=False):
        text: str

    class HangUp(Command[None]):
        grace: float = 0.0
        later: bool = False

    class Back(Command[Total]):
        depth: int

    class Inside(Command[None]):
        name: str

    class StartTLS(Command[None]):
        pass

    named: dict[str, Any] = {name: kind for name, kind in locals().items() if isinstance(kind, type)}
    return SimpleNamespace(**named)


COMPILED: Final = make_commands()
with in_python():
    PYTHON: Final = make_commands()


F = TypeVar("F", bound=Callable[..., Any])


def _responds(command: Any) -> Callable[[F], F]:
    decorate: Callable[[F], F] = command.responder
    return decorate


class Stop(BaseException):
    """What is to end a program, as KeyboardInterrupt is: that one would end the loop as well."""


ERRORS: Final[dict[str, Callable[[], BaseException]]] = {
    "declared": lambda: KeyError("shelf"),
    "undeclared": lambda: ValueError("a secret"),
    "fatal": lambda: EOFError("enough"),
    "remote": lambda: RemoteError("CHOSEN", "by the responder"),
    "cancelled": asyncio.CancelledError,
    "stop": Stop,
}


def gifts(kinds: SimpleNamespace) -> dict[str, Callable[[], Any]]:
    """Return what the responder of Give may return, by name."""

    class More(kinds.Content):  # type: ignore[misc,name-defined]
        """One that is more than was declared."""

    return {
        "response": lambda: kinds.Content(data=b"given", size=3),
        "subclass": lambda: More(data=b"more"),
        "mapping": lambda: {"data": b"mapped", "text": "t"},
        "wrong mapping": lambda: {"date": b""},
        "nothing": lambda: None,
        "other": lambda: kinds.Total(total=1),
        "wrong value": lambda: kinds.Content(data="text"),
        "wrong size": lambda: kinds.Content(data=b"", size=2.5),
        "too large": lambda: kinds.Content(data=bytes(65_536)),
        "large": lambda: kinds.Content(data=bytes(60_000)),
        "number": lambda: 5,
    }


def make_service(kinds: SimpleNamespace, did: Callable[..., None]) -> Service:  # noqa: C901 - it is a class
    """Return a service that tells what it does."""
    given = gifts(kinds)

    class Office(Service):
        @_responds(kinds.Sum)
        def sum(self, command: Any) -> Any:
            did("sum", command)
            return kinds.Total(total=command.a + command.b)

        @_responds(kinds.Many)
        def many(self, command: Any) -> Any:
            did("many", command)
            return kinds.Content(data=command.a_bytes * 2, text=command.d_text, size=command.h_none)

        @_responds(kinds.Check)
        def check(self, command: Any) -> Any:
            did("check", command)
            return kinds.Checked(number=command.number)

        @_responds(kinds.Wait)
        async def wait(self, command: Any) -> Any:
            did("wait", command)
            try:
                await asyncio.sleep(command.number / 100)
            except asyncio.CancelledError:
                did("cancelled", command)
                raise
            return kinds.Total(total=command.number)

        @_responds(kinds.Raise)
        def raise_(self, command: Any) -> Any:
            did("raise", command)
            if command.later:
                return self._raise_later(command.name)
            raise ERRORS[command.name]()

        async def _raise_later(self, name: str) -> None:
            await asyncio.sleep(0)
            raise ERRORS[name]()

        @_responds(kinds.Give)
        def give(self, command: Any) -> Any:
            did("give", command)
            return self._give_later(command.name) if command.later else given[command.name]()

        async def _give_later(self, name: str) -> Any:
            return given[name]()

        @_responds(kinds.Note)
        def note(self, command: Any) -> None:
            did("note", command)

        @_responds(kinds.HangUp)
        def hang_up(self, command: Any, peer: Peer) -> Any:
            did("hang up", command)
            if command.later:
                return peer.close(command.grace)
            return peer.closing.end(command.grace > 0)

        @_responds(kinds.Back)
        async def back(self, command: Any, peer: Peer) -> Any:
            did("back", command)
            if command.depth:
                return kinds.Total(total=(await peer.call(kinds.Back(depth=command.depth - 1))).total + 1)
            return await peer.call(kinds.Sum(a=0, b=0), timeout=5)

        @_responds(kinds.Inside)
        def inside(self, command: Any, peer: Peer) -> None:
            did("inside", command)
            inside = b"\0\4_ask\0\2in\0\x08_command\0\3Sum\0\1a\0\0011\0\1b\0\0012\0\0"
            if command.name == "feed":
                peer.channel.data_received(inside)
            elif command.name == "pull":
                peer.channel.pull()
            elif command.name == "flush":
                peer.channel.flush()
            elif command.name == "pause":
                peer.channel.pause_writing()
            elif command.name == "half":
                peer.channel.data_received(inside[:20])

        @_responds(kinds.StartTLS)
        def start_tls(self, command: Any) -> None:
            did("start tls", command)

    return Office()
