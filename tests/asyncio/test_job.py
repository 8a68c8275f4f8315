"""What worker processes are told: that it arrives, and what cannot be told is named."""

from __future__ import annotations

import io
import pickle
import ssl
import sys
import threading
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from ampkit import Hooks, LocalProtocolError, Options, Service, Tls, serve
from ampkit.asyncio.address import HandedSocket, TcpAddress
from ampkit.asyncio.job import Job, PackedWork, Work, packed, read_job
from ampkit.asyncio.main_module import MainModule, main_module
from ampkit.policy.options import DEFAULT_OPTIONS
from ampkit.wire.limits import DEFAULT_LIMITS
from tests.asyncio.crew import Crew

ADDRESS = "tcp://127.0.0.1:0"


def given(service: Any) -> Any:
    """Return a service."""
    return service


def work_of(service: Any) -> Work:
    """Return the work that has nothing but a service."""
    return Work(partial(given, service), None, DEFAULT_LIMITS, DEFAULT_OPTIONS)


def pack(service: Any) -> PackedWork:
    """Pack a service alone."""
    return packed(work_of(service), service)


class Trickle(io.BytesIO):
    """Gives a byte at a time, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        """Give one byte."""
        return super().read(min(1, size or 0))


def test_a_job_arrives() -> None:
    """Both ends have the same, however it is cut; the service is made anew."""
    job = Job(pack(Crew()), (HandedSocket(7, TcpAddress("localhost", 80)),), on_uvloop=True, patience=1.5)
    arrived = read_job(Trickle(job.to_bytes()).read)
    assert arrived == job
    assert isinstance(arrived.work.unpack().load(), Crew)


def test_a_job_that_is_cut_short() -> None:
    """EOFError, as whoever sends it has gone."""
    data = Job(pack(None), (), on_uvloop=False, patience=1).to_bytes()
    for size in (0, 7, 8, len(data) - 1):
        with pytest.raises(EOFError):
            read_job(io.BytesIO(data[:size]).read)


class Locked(Service):
    """Has what belongs to one process."""

    def __init__(self) -> None:
        self.name = "name"
        self.lock = threading.Lock()


class Rude:
    """Raises when it is pickled."""

    def __reduce__(self) -> str:
        """Raise."""
        raise ZeroDivisionError("no")


def make_nothing() -> None:
    """Make no service."""


def lambda_() -> Any:
    """Return a function without a name."""
    return lambda: None


class Local(Hooks):
    """Hooks that cannot be pickled."""

    def __init__(self) -> None:
        self.rude = Rude()


@pytest.mark.parametrize(
    ("service", "changes", "what"),
    [
        (Locked(), {}, r"Locked\.lock: cannot pickle '_thread.lock'"),
        ([Crew(), Locked()], {}, r"Locked\.lock: "),
        (lambda_(), {}, r"the service: .*lambda"),
        (None, {"tls": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)}, "`tls`: cannot pickle 'SSLContext'"),
        (make_nothing, {"options": Options(hooks=(Local(),))}, "`options`: no"),
    ],
)
def test_what_cannot_be_pickled_is_named(service: Any, changes: dict[str, Any], what: str) -> None:
    """LocalProtocolError at once, before anything is started."""
    with pytest.raises(LocalProtocolError, match=f"worker processes cannot have {what}"):
        _ = serve(service, ADDRESS, processes=2, **changes)


@pytest.mark.parametrize("service", [Crew, Crew(), make_nothing, None, [Crew(), Crew()]])
def test_what_can_be_pickled(service: Any) -> None:
    """Classes, functions, instances and lists of them."""
    pickle.loads(pack(service).pickled)


# The main module


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a main module that this process has for a while."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    exec("from ampkit import Service\nclass Mine(Service): pass\ndef make(): return Mine()", vars(module))
    return module


@pytest.mark.parametrize("expression", ["Mine()", "Mine", "make", "[Mine()]"])
def test_a_service_of_the_main_module(expression: str, main: ModuleType) -> None:
    """Other processes load its file then."""
    main.__file__ = __file__
    assert pack(eval(expression, vars(main))).main == MainModule(None, __file__)
    assert pack(Crew()).main is None


def test_a_main_module_by_its_name(main: ModuleType) -> None:
    """What `python -m` has started is loaded by its name."""
    main.__spec__ = __spec__
    assert main_module() == MainModule(__name__, None)


@pytest.mark.parametrize("file", [None, "<stdin>"])
def test_a_main_module_without_a_file(file: str | None, main: ModuleType) -> None:
    """What is defined at Python's prompt cannot be found by other processes, and LocalProtocolError says so."""
    if file is not None:
        main.__file__ = file
    with pytest.raises(LocalProtocolError, match="defined in `__main__` where that is no file"):
        _ = serve(vars(main)["Mine"](), ADDRESS, processes=2)


def test_tls_can_be_pickled() -> None:
    """Files are looked at by each process."""
    work = Work(make_nothing, Tls(certificate="file"), DEFAULT_LIMITS, DEFAULT_OPTIONS)
    assert pickle.loads(packed(work, None).pickled).tls == work.tls
