"""What a worker process has to do, as bytes and back; starts no process and serves nothing."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from ampkit.asyncio.address import HandedSocket
from ampkit.asyncio.handshakes import AnyTls
from ampkit.asyncio.main_module import MAIN, MainModule, main_module
from ampkit.errors import LocalProtocolError
from ampkit.policy.options import Options
from ampkit.schema.responders import Service
from ampkit.wire.limits import Limits


@dataclass(frozen=True, slots=True)
class Work:
    """What is served, and how. All of it must be picklable."""

    load: Callable[[], Any]
    """Returns what `serve` takes; called once in each process."""
    tls: AnyTls | None
    limits: Limits
    options: Options


@dataclass(frozen=True, slots=True)
class PackedWork:
    """The same as bytes, and where a process finds the modules that they name."""

    pickled: bytes
    main: MainModule | None
    path: list[str]
    arguments: list[str]

    def unpack(self) -> Work:
        """Import what is needed, and return the work. Raises whatever the program's modules raise."""
        sys.path[:] = self.path
        sys.argv[:] = self.arguments
        if self.main is not None:
            self.main.load()
        return cast(Work, pickle.loads(self.pickled))  # noqa: S301 - it comes from the process that started this one


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker process is told before anything else."""

    work: PackedWork
    sockets: tuple[HandedSocket, ...]
    on_uvloop: bool
    patience: float
    """Seconds that the process may take to end when the one that started it has gone."""

    def to_bytes(self) -> bytes:
        """Return it with its length before it."""
        pickled = pickle.dumps(self)
        return len(pickled).to_bytes(_LENGTH, "big") + pickled


_LENGTH: Final = 8


def read_job(read: Callable[[int], bytes]) -> Job:
    """Return what was sent; `read` returns so many bytes, or less at the end. Raises EOFError if that comes before."""
    size = int.from_bytes(_exactly(read, _LENGTH), "big")
    return cast(Job, pickle.loads(_exactly(read, size)))  # noqa: S301 - as above


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = read(size - len(data))
        if not more:
            raise EOFError("whoever started this process has gone")
        data += more
    return bytes(data)


def packed(work: Work, service: object) -> PackedWork:
    """Return work for other processes; `service` is what its `load` returns, to say what is wrong with it.

    Raises LocalProtocolError, which names what cannot be pickled, or cannot be found by another process.
    """
    stream = io.BytesIO()
    pickler = _Pickler(stream)
    try:
        pickler.dump(work)
    except Exception as error:
        raise LocalProtocolError(f"worker processes cannot have {_culprit(work, service)}: {error}") from error
    main = main_module() if pickler.names_main else None
    if pickler.names_main and main is None:
        raise LocalProtocolError(
            "worker processes cannot have what is defined in `__main__` where that is no file: put it into a module"
        )
    return PackedWork(stream.getvalue(), main, sys.path[:], sys.argv[:])


class _Pickler(pickle.Pickler):
    """Knows in the end whether it has pickled something that is found in the main module."""

    names_main = False

    def reducer_override(self, value: Any) -> Any:
        """Look at a class, function or object, and leave the rest to others."""
        if getattr(value, "__module__", None) == MAIN:
            self.names_main = True
        return NotImplemented


def _culprit(work: Work, service: object) -> str:
    """Return the name of what cannot be pickled, as exactly as it can be told."""
    for name in ("tls", "limits", "options"):
        if not _can_be_pickled(getattr(work, name)):
            return f"`{name}`"
    each_service = cast("Sequence[object]", service) if isinstance(service, list | tuple) else [service]
    for one in each_service:
        if isinstance(one, Service):
            for name, value in vars(one).items():
                if not _can_be_pickled(value):
                    return f"{type(one).__name__}.{name}"
    return "the service"


def _can_be_pickled(value: object) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - objects may raise anything there
        return False
    return True
