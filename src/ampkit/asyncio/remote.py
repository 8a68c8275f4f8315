"""What a program can do with whatever is at the other end, be it one connection or several; does none of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Self, TypeVar, overload

from ampkit.schema.command import Command
from ampkit.wire.box import Box

R = TypeVar("R")


class Unset:
    """Stands for a timeout that was not given, as None is one that is: no limit."""


UNSET: Final = Unset()


class Remote(ABC):
    """The other end, for whoever calls it: a `Peer` is one connection.

    A function that only calls takes a `Remote`, and works with all of them. What each method promises is said where
    it is implemented.
    """

    __slots__ = ()

    @abstractmethod
    async def call(self, command: Command[R], *, timeout: float | Unset | None = UNSET) -> R:
        """Ask the other end, and return its response, within `timeout` seconds."""

    @overload
    async def call_many(
        self,
        commands: Iterable[Command[R]],
        *,
        timeout: float | Unset | None = ...,
        return_exceptions: Literal[False] = ...,
    ) -> list[R]: ...
    @overload
    async def call_many(
        self, commands: Iterable[Command[R]], *, timeout: float | Unset | None = ..., return_exceptions: Literal[True]
    ) -> list[R | Exception]: ...
    async def call_many(
        self,
        commands: Iterable[Command[R]],
        *,
        timeout: float | Unset | None = UNSET,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """Ask several things in one go, and return the responses in the same order.

        Cheaper than as many `call`s, because only one future is awaited. `timeout` is for all of them
        together. All are awaited to their end; then the first error in the order of asking is raised, or with
        `return_exceptions=True` errors stand in the list in place of responses. Raises as `call` does; nothing
        is sent if one of the commands cannot be encoded, but a box above `Limits.max_box_bytes` fails alone.
        """
        results = await self._call_each(list(commands), timeout)
        if not return_exceptions:
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return results

    @abstractmethod
    async def _call_each(self, commands: Sequence[Command[Any]], timeout: float | Unset | None) -> list[Any]:
        """Ask them all, and return for each the response or the exception."""

    @abstractmethod
    async def tell(self, command: Command[Any]) -> None:
        """Send a command without asking for an answer."""

    @abstractmethod
    async def call_raw(
        self, command: bytes, box: Mapping[bytes, bytes] | None = None, *, timeout: float | Unset | None = UNSET
    ) -> Box:
        """Ask with a box of bytes, and return the answer's box."""

    @abstractmethod
    async def tell_raw(self, command: bytes, box: Mapping[bytes, bytes] | None = None) -> None:
        """Send a box of bytes without asking for an answer."""

    @abstractmethod
    async def close(self, grace: float = 0.0) -> None:
        """Close for good, `grace` seconds after which what is still under way is ended."""

    @abstractmethod
    async def wait_closed(self) -> None:
        """Wait until it is closed for good, by whichever end."""

    async def __aenter__(self) -> Self:
        """Return the remote itself; leaving the block closes it."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close."""
        await self.close()
