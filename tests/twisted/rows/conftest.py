"""Both modules, the ways through them, and what they log; knows no row."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from ampkit.twisted import amp as ours
from ampkit.twisted._stock import stock
from tests.twisted.rows.common import WAYS, passing

FED = ["box by box", "string by string"]
MODULES = {"stock": stock, "ours": ours}


@pytest.fixture(params=MODULES)
def amp(request: pytest.FixtureRequest) -> Any:
    """The genuine module, and ours: what is said of one holds for the other."""
    return MODULES[request.param]


@pytest.fixture
def is_ours(amp: Any) -> bool:
    """Whether the module is ours, for what differs on purpose."""
    return amp is ours


@pytest.fixture(params=MODULES)
def far(request: pytest.FixtureRequest) -> Any:
    """The module of the other end."""
    return MODULES[request.param]


@pytest.fixture(params=WAYS)
def base(request: pytest.FixtureRequest, amp: Any) -> Any:
    """The module's `AMP`, and subclasses that override a seam: what they do is the same."""
    return WAYS[request.param](amp.AMP)


@pytest.fixture(params=FED)
def cls(request: pytest.FixtureRequest, amp: Any) -> Any:
    """The class as it is, and one that is fed string by string."""
    plain = amp.BinaryBoxProtocol
    return plain if request.param == FED[0] else passing(plain, "stringReceived")


@pytest.fixture
def events(amp: Any) -> Iterator[list[Any]]:
    """All that AMP has logged."""
    if not hasattr(amp, "_log"):
        pytest.skip("old Twisted: it logs plain text")
    seen: list[Any] = []

    def observe(event: Any) -> None:
        if event["log_namespace"] == "twisted.protocols.amp":
            seen.append(event)

    publisher: Any = globalLogPublisher
    publisher.addObserver(observe)
    yield seen
    publisher.removeObserver(observe)


@pytest.fixture
def logged(events: list[Any]) -> Callable[[], list[Any]]:
    """The failures among it."""
    return lambda: [event for event in events if "log_failure" in event]
