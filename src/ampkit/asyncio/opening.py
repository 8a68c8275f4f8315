"""Something that takes time to open, usable with `await` and with `async with`; knows not what it opens."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """What can be closed."""

    async def close(self) -> None:
        """Close it."""
        ...


T_co = TypeVar("T_co", bound=Closable, covariant=True)


class Opening(Generic[T_co]):
    """`thing = await opening` opens it; `async with opening as thing:` closes it at the end of the block as well."""

    def __init__(self, open_it: Callable[[], Coroutine[Any, Any, T_co]]) -> None:
        self._open = open_it
        self._opened: T_co

    def __await__(self) -> Generator[Any, None, T_co]:
        return self._open().__await__()

    async def __aenter__(self) -> T_co:
        """Open."""
        self._opened = await self._open()
        return self._opened

    async def __aexit__(self, *exc_info: object) -> None:
        """Close."""
        await self._opened.close()
