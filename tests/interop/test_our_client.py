"""Our client against a genuine Twisted server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import ampkit
from ampkit import ConnectionLost, Peer, RemoteError, UnhandledCommand, UnknownRemoteError
from tests.interop import ampkit_commands as commands
from tests.interop.edge_values import all_values
from tests.interop.twisted_child import twisted_server
from tests.interop.values import fingerprint, to_plain


def typed(name: str, value: Any) -> Any:
    """The value as the typed command wants it: orders are records there."""
    return [order(**fields) for fields in value] if name.endswith("Orders") and value else value


def order(title: str, sizes: list[int], parts: list[dict[str, Any]]) -> commands.Order:
    """An order with its parts as records."""
    return commands.Order(title=title, sizes=sizes, parts=[commands.Part(**part) for part in parts])


@pytest.mark.parametrize(("name", "value"), all_values())
async def test_a_value_arrives_and_comes_back_unchanged(peer: Peer, name: str, value: Any) -> None:
    """Twisted sees the value that was sent, and what it sends back is that value."""
    reply = await peer.call(commands.ECHOES[name](value=typed(name, value)))
    assert reply.seen == fingerprint(value)
    assert to_plain(reply.value) == to_plain(value)


async def test_a_declared_error_is_raised_and_the_connection_lives(peer: Peer) -> None:
    """A declared error arrives as its exception, with its text."""
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        await peer.call(commands.Divide(numerator=1, denominator=0))
    assert await peer.call(commands.Divide(numerator=1, denominator=4)) == commands.Quotient(result=0.25)


async def test_a_code_that_we_do_not_declare_is_kept(peer: Peer) -> None:
    """An error that only the server declares is a RemoteError with its code and description."""
    with pytest.raises(RemoteError) as caught:
        await peer.call(commands.CarelessDivide(numerator=1, denominator=0))
    assert (caught.value.code, caught.value.description) == ("ZERO_DIVISION", "division by zero")


async def test_a_fatal_error_is_raised_and_ends_the_connection(peer: Peer) -> None:
    """The caller gets the declared exception first, and then the server hangs up."""
    with pytest.raises(commands.FatalFault, match="it is over"):
        await peer.call(commands.Explode())
    await peer.wait_closed()
    with pytest.raises(ConnectionLost):
        await peer.call(commands.Sum(a=1, b=2))


async def test_an_undeclared_error_tells_nothing(peer: Peer) -> None:
    """What a Twisted responder did not expect is an UnknownRemoteError without its text, and Twisted hangs up."""
    with pytest.raises(UnknownRemoteError) as caught:
        await peer.call(commands.Surprise())
    assert "secret" not in str(caught.value)
    await peer.wait_closed()


async def test_an_unhandled_command_fails_alone(peer: Peer) -> None:
    """A command that the server does not know fails, its neighbours do not."""
    absent = asyncio.create_task(peer.call(commands.Absent()))
    total = asyncio.create_task(peer.call(commands.Sum(a=13, b=81)))
    with pytest.raises(UnhandledCommand):
        await absent
    assert await total == commands.Total(total=94)


async def test_commands_without_an_answer_arrive_in_order(peer: Peer) -> None:
    """What is told is there when the next ask is answered."""
    for text in ("one", "", "𝄞"):
        await peer.tell(commands.Note(text=text))
    assert await peer.call(commands.Notes()) == commands.Texts(texts=["one", "", "𝄞"])


async def test_a_thousand_calls_in_flight(peer: Peer) -> None:
    """Each of a thousand concurrent calls gets its own answer."""
    replies = await asyncio.gather(*(peer.call(commands.Sum(a=number, b=1)) for number in range(1_000)))
    assert [reply.total for reply in replies] == list(range(1, 1_001))


async def test_a_thousand_calls_in_one_await(peer: Peer) -> None:
    """`call_many` brings the answers in the order of the commands."""
    replies = await peer.call_many([commands.Sum(a=number, b=1) for number in range(1_000)])
    assert [reply.total for reply in replies] == list(range(1, 1_001))


async def test_answers_may_come_in_any_order(peer: Peer) -> None:
    """An answer belongs to its ask, not to its place in the stream."""
    ended: list[str] = []

    async def hold(name: str) -> None:
        ended.append((await peer.call(commands.Hold(name=name))).name)

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(hold(name))
        await peer.call(commands.Sum(a=0, b=0))
        for name in "cab":
            await peer.call(commands.Release(name=name))
    assert ended == ["c", "a", "b"]


async def test_raw_bytes_in_and_out(peer: Peer) -> None:
    """`call_raw` needs no declared command."""
    assert await peer.call_raw(b"Sum", {b"a": b"13", b"b": b"81"}) == {b"total": b"94"}


async def test_a_server_that_hangs_up_ends_every_waiting_call(peer: Peer) -> None:
    """All calls without an answer end with ConnectionLost."""
    held = [asyncio.create_task(peer.call(commands.Hold(name=name))) for name in "abc"]
    with pytest.raises(ConnectionLost):
        await peer.call(commands.Leave())
    outcomes = await asyncio.gather(*held, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionLost] * 3


async def test_a_server_that_is_killed_ends_every_waiting_call(tmp_path: Path) -> None:
    """A sudden end is an end."""
    with twisted_server("tcp://127.0.0.1:0", tmp_path / "server.log") as (address, process):
        async with ampkit.connect(address) as peer:
            held = asyncio.create_task(peer.call(commands.Hold(name="a")))
            await peer.call(commands.Sum(a=0, b=0))
            process.kill()
            with pytest.raises(ConnectionLost):
                await held
