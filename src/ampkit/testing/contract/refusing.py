"""The contract's part on calls that fail while the connection lives, and on the one error that ends it."""
# ruff: noqa: S101 - tests assert

from __future__ import annotations

import pytest

from ampkit.asyncio.peer import Peer
from ampkit.core.states import State
from ampkit.errors import (
    ConnectionLost,
    LocalProtocolError,
    RemoteError,
    RemoteProtocolError,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.testing.contract.base import Contract, behaviour, either_end
from ampkit.testing.contract.commands import (
    Desk,
    Liar,
    Mishap,
    Nobody,
    Refuse,
    Reverse,
    Ruin,
    Sum,
    SumForContent,
    Total,
    Zeros,
)


class Refusing(Contract):
    """Calls that are refused, or cannot be sent."""

    @either_end
    @behaviour
    async def test_a_declared_error_is_raised_at_the_caller(self, end: int) -> None:
        """An exception that the command declares is raised by the call, with its text."""
        async with self.pair(Desk(), Desk()) as ends:
            with pytest.raises(Mishap) as caught:
                await ends[end].call(Refuse(how="declared"))
            assert str(caught.value) == "it slipped"
            await _still_answers(ends[end])

    @either_end
    @behaviour
    async def test_a_fatal_error_ends_the_connection_behind_it(self, end: int) -> None:
        """The caller gets the fatal exception; then both ends are closed."""
        async with self.pair(Desk(), Desk()) as ends:
            with pytest.raises(Ruin, match="all is lost"):
                await ends[end].call(Refuse(how="fatal"))
            for peer in ends:
                await peer.wait_closed()
                assert peer.state is State.CLOSED
                assert isinstance(peer.end_reason, ConnectionLost)

    @behaviour
    async def test_an_undeclared_error_keeps_its_text(self) -> None:
        """What the responder's program did not foresee is UNKNOWN to the caller, without a word of it."""
        async with self.pair(None, Desk()) as (left, _):
            with pytest.raises(UnknownRemoteError) as caught:
                await left.call(Refuse(how="undeclared"))
            assert "secret" not in str(caught.value)
            await _still_answers(left)

    @behaviour
    async def test_a_responder_chooses_its_own_code(self) -> None:
        """A RemoteError that a responder raises travels as it is, declared or not."""
        async with self.pair(None, Desk()) as (left, _):
            with pytest.raises(RemoteError) as caught:
                await left.call(Refuse(how="own code"))
            assert (caught.value.code, caught.value.description) == ("TEAPOT", "short and stout")

    @either_end
    @behaviour
    async def test_a_command_without_a_responder_is_unhandled(self, end: int) -> None:
        """The caller is told that the other end has no responder; the connection lives."""
        async with self.pair(Desk(), Desk()) as ends:
            with pytest.raises(UnhandledCommand):
                await ends[end].call(Nobody())
            await _still_answers(ends[end])

    @pytest.mark.parametrize("box", [{b"a": b"1"}, {b"a": b"1", b"b": b"two"}], ids=["missing", "malformed"])
    @behaviour
    async def test_malformed_arguments_fail_that_call_alone(self, box: dict[bytes, bytes]) -> None:
        """An ask whose arguments are not what the command declares is refused, and the next one answered."""
        async with self.pair(None, Desk()) as (left, _):
            with pytest.raises(RemoteError, match="MALFORMED"):
                await left.call_raw(b"Sum", box)
            await _still_answers(left)

    @behaviour
    async def test_a_malformed_answer_fails_that_call_alone(self) -> None:
        """An answer that is not what the command declares is a RemoteProtocolError of that call."""
        async with self.pair(None, Desk()) as (left, _):
            with pytest.raises(RemoteProtocolError, match="data"):
                await left.call(SumForContent(a=13, b=81))
            await _still_answers(left)

    @behaviour
    async def test_a_responder_that_returns_the_wrong_thing_fails_that_call_alone(self) -> None:
        """What a responder does not declare is not sent; its caller gets UNKNOWN."""
        async with self.pair(None, Liar()) as (left, _):
            for _ in range(2):
                with pytest.raises(UnknownRemoteError):
                    await left.call(Sum(a=13, b=81))

    @behaviour
    async def test_what_cannot_be_sent_is_refused_here(self) -> None:
        """A value above 65,535 bytes, and a key above 255, are a LocalProtocolError before a byte is sent."""
        async with self.pair(None, Desk()) as (left, right):
            with pytest.raises(LocalProtocolError, match=r"data.* 65536 bytes"):
                await left.call(Reverse(data=bytes(65_536)))
            with pytest.raises(LocalProtocolError, match="256"):
                await left.call_raw(b"Sum", {b"k" * 256: b""})
            await _still_answers(left)
            assert right.state is State.OPEN

    @behaviour
    async def test_an_answer_that_cannot_be_sent_fails_that_call_alone(self) -> None:
        """A responder that returns a value above 65,535 bytes has failed: UNKNOWN to its caller."""
        async with self.pair(None, Desk()) as (left, _):
            with pytest.raises(UnknownRemoteError):
                await left.call(Zeros(count=65_536))
            await _still_answers(left)


async def _still_answers(peer: Peer) -> None:
    assert await peer.call(Sum(a=13, b=81)) == Total(total=94)
