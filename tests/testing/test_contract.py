"""The contract itself: it notices what is wrong."""

from __future__ import annotations

import asyncio
import inspect
import socket
from contextlib import AbstractAsyncContextManager

import pytest

from ampkit import ConnectionLost, Limits, Peer
from ampkit.schema.responders import Services
from ampkit.testing import Trouble, VirtualTimeLoop, peer_pair
from ampkit.testing.contract import PeerContract
from ampkit.testing.contract.base import Contract, behaviour


class CutShort(PeerContract):
    """A transport that loses the connection after some bytes."""

    def open_pair(
        self, left_service: Services, right_service: Services, limits: Limits
    ) -> AbstractAsyncContextManager[tuple[Peer, Peer]]:
        return peer_pair(left_service, right_service, limits=limits, trouble=Trouble(seed=1, cut_after=1000))


class Careless(Contract):
    """Behaviours that leave things behind."""

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return VirtualTimeLoop()

    def open_pair(
        self, left_service: Services, right_service: Services, limits: Limits
    ) -> AbstractAsyncContextManager[tuple[Peer, Peer]]:
        return peer_pair(left_service, right_service, limits=limits)

    @behaviour
    async def leaves_a_task(self) -> None:
        """Leave a task that waits for ever."""
        self.task = asyncio.create_task(asyncio.Event().wait())

    @behaviour
    async def leaves_an_error(self) -> None:
        """Leave a task whose exception nobody takes."""
        tasks = {asyncio.create_task(self._fail())}
        tasks.clear()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    @behaviour
    async def breaks_in_a_callback(self) -> None:
        """Fail where only the event loop notices."""
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    @behaviour
    async def leaves_a_coroutine(self) -> None:
        """Await a coroutine never."""
        coroutine = self._fail()
        itself = [coroutine]
        itself.append(itself)  # type: ignore[arg-type]

    @behaviour
    async def leaves_a_socket(self) -> None:
        """Close a socket never."""
        socket.socket()

    @behaviour
    async def never_ends(self) -> None:
        """Wait for nothing."""
        await asyncio.Event().wait()

    @behaviour
    async def is_careful(self) -> None:
        """Leave nothing behind, whatever others have left."""
        async with self.pair():
            pass

    async def _fail(self) -> None:
        raise ZeroDivisionError


def test_a_transport_that_breaks_does_not_pass() -> None:
    """What needs more bytes than arrive fails, and what needs fewer passes."""
    CutShort().test_a_call_returns_the_response(0)
    with pytest.raises(ConnectionLost):
        CutShort().test_many_calls_are_one_await()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("leaves_a_task", "Event.wait"),
        ("leaves_an_error", "ZeroDivisionError"),
        ("breaks_in_a_callback", "ZeroDivisionError"),
        ("leaves_a_coroutine", "never awaited"),
        ("leaves_a_socket", "unclosed"),
    ],
)
def test_what_is_left_behind_fails(name: str, complaint: str) -> None:
    """A task, an error, a coroutine or a socket that is left behind fails its behaviour, and no other one."""
    careless = Careless()
    with pytest.raises(pytest.fail.Exception, match=rf"(?s)left behind.*{complaint}"):
        getattr(careless, name)()
    careless.is_careful()


def test_what_never_ends_fails() -> None:
    """A behaviour that hangs is ended."""
    with pytest.raises(TimeoutError):
        Careless().never_ends()


def test_open_pair_must_be_supplied() -> None:
    """A contract without a transport says so, and is not collected by its own name."""
    with pytest.raises(TypeError, match="open_pair"):
        PeerContract()  # type: ignore[abstract]
    assert not PeerContract.__name__.startswith("Test")


def test_every_behaviour_says_what_it_is() -> None:
    """Each test of the contract has a docstring, and is no coroutine function, so that it needs no plugin."""
    tests = [name for name in dir(PeerContract) if name.startswith("test_")]
    assert len(tests) > 30
    for name in tests:
        assert getattr(PeerContract, name).__doc__, name
        assert not inspect.iscoroutinefunction(getattr(PeerContract, name)), name
