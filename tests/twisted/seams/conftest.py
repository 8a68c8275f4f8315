"""Both modules, each for either end, and real connections between their protocols; knows no seam."""

# mypy: allow-untyped-calls

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twisted.protocols import amp as stock

from ampkit.twisted import amp as ours
from tests.twisted.seams import common

MODULES = {"stock": stock, "ours": ours}
Link = Callable[[Any, Any], Awaitable[None]]


@pytest.fixture(params=MODULES)
def amp(request: pytest.FixtureRequest) -> Any:
    """The module of the end that uses a seam."""
    return MODULES[request.param]


@pytest.fixture(params=MODULES)
def far(request: pytest.FixtureRequest) -> Any:
    """The module of the other end."""
    return MODULES[request.param]


@pytest.fixture
def calculator(amp: Any) -> Any:
    """The class of an end that answers the commands, to be subclassed."""
    return common.calculator(amp)
