"""A reactor for the tests that need one; knows no test."""

# mypy: allow-untyped-calls

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor


@pytest.fixture
async def reactor() -> AsyncIterator[Any]:
    """A Twisted reactor on the event loop of the test."""
    own = AsyncioSelectorReactor(asyncio.get_running_loop())
    yield own
    for each in own.removeAll():
        each.connectionLost(None)
    own.removeReader(own.waker)
    own.waker.connectionLost(None)
