"""Open files as values: who owns one, and the number that stands for one in a box; sends and receives none."""

from __future__ import annotations

import os
from typing import IO, Any, Final, Protocol, Self

from ampkit.schema.argument import Argument, wrong_type
from ampkit.schema.scalars import Integer

_CLOSED: Final = -1


class HasFileno(Protocol):
    """What has the number of an open file: files, sockets, pipes, other descriptors."""

    def fileno(self) -> int:
        """Return the number."""
        ...


class FileDescriptor:
    """An open file of this process, as a value of commands and responses.

    `FileDescriptor(file)` takes a file, a socket or a number, and duplicates it: the original stays yours, to be closed
    whenever you like. This object owns what it has, and closes it when it is closed itself, when its block ends, or
    when nothing refers to it any more; unless `detach` or `open` has taken it out. It is not inherited by child
    processes. Raises OSError for what is no open file.
    """

    __slots__ = ("__weakref__", "_number")

    def __init__(self, file: int | HasFileno) -> None:
        self._number = _CLOSED
        self._number = os.dup(file if isinstance(file, int) else file.fileno())

    @classmethod
    def adopt(cls, number: int) -> Self:
        """Return the owner of an open file that belongs to nobody else."""
        self = cls.__new__(cls)
        self._number = number
        return self

    def fileno(self) -> int:
        """Return the number, which stays this object's. Raises ValueError if it has been closed or taken out."""
        if self._number == _CLOSED:
            raise ValueError("this descriptor has been closed, or taken out")
        return self._number

    def detach(self) -> int:
        """Take the number out: it is the caller's to close. Raises ValueError as `fileno` does."""
        number, self._number = self.fileno(), _CLOSED
        return number

    def open(self, mode: str = "rb", **options: Any) -> IO[Any]:
        """Take it out as a file object, which is the caller's to close; modes and options are those of `open`."""
        file = os.fdopen(self.fileno(), mode, **options)
        self._number = _CLOSED
        return file

    @property
    def is_closed(self) -> bool:
        """Whether it has been closed, or taken out."""
        return self._number == _CLOSED

    def close(self) -> None:
        """Close it, if it has not been closed or taken out."""
        number, self._number = self._number, _CLOSED
        if number != _CLOSED:
            os.close(number)

    def __enter__(self) -> Self:
        """Return the object itself; leaving the block closes it."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close."""
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FileDescriptor {'closed' if self.is_closed else self._number}>"


class Carrier(Protocol):
    """What carries descriptors beside the bytes of one box. Both raise ValueError for what cannot be carried."""

    def put(self, file: FileDescriptor) -> int:
        """Send a duplicate along; return the number that stands for it in the box."""
        ...

    def take(self, number: int) -> FileDescriptor:
        """Return the one that came along for this number."""
        ...


class Descriptor(Argument[FileDescriptor]):
    """A `FileDescriptor`, sent beside the box over a unix socket; in the box stands how many were sent before it."""

    def encode(self, value: FileDescriptor) -> bytes:
        return self.encode_with(value, None)

    def decode(self, data: bytes) -> FileDescriptor:
        return self.decode_with(data, None)

    def encode_with(self, value: FileDescriptor, carrier: Carrier | None) -> bytes:
        if not isinstance(value, FileDescriptor):
            raise wrong_type(value, "FileDescriptor")
        return b"%d" % _present(carrier).put(value)

    def decode_with(self, data: bytes, carrier: Carrier | None) -> FileDescriptor:
        return _present(carrier).take(_ordinal.decode(data))


class Checking:
    """A carrier that sends nothing: for whoever wants to know whether a record can be encoded, and how long it gets."""

    def put(self, file: FileDescriptor) -> int:
        """Raise ValueError if it is closed."""
        file.fileno()
        return 0

    def take(self, number: int) -> FileDescriptor:
        """Nothing has come."""
        raise ValueError(f"no descriptor {number} has come")


CHECKING: Final = Checking()

_ordinal: Final = Integer()


def _present(carrier: Carrier | None) -> Carrier:
    if carrier is None:
        raise ValueError("a descriptor travels beside a box, over a unix socket")
    return carrier
