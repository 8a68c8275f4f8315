"""Both ends of one connection ask, ours and a genuine Twisted one."""

import asyncio

from ampkit import Peer
from tests.interop import ampkit_commands as commands
from tests.interop.twisted_child import TwistedClient


async def test_a_twisted_server_asks_its_caller(peer: Peer) -> None:
    """A responder's own ask goes back over the connection that the client opened."""
    replies = await asyncio.gather(*(peer.call(commands.AskBack(a=number, b=1)) for number in range(200)))
    assert [reply.total for reply in replies] == list(range(1, 201))


async def test_our_server_asks_its_caller(client: TwistedClient) -> None:
    """The same with a Twisted client."""
    for number in range(200):
        client.start("AskBack", a=number, b=1)
    outcomes = [await client.next_line() for _ in range(200)]
    assert sorted(line["result"]["total"] for line in outcomes) == list(range(1, 201))


async def test_asks_inside_asks_with_a_twisted_server(peer: Peer) -> None:
    """Thirty asks deep, each end waits for the other's answer and still answers."""
    assert (await peer.call(commands.Countdown(start=30))).path == list(range(31))


async def test_asks_inside_asks_with_a_twisted_client(client: TwistedClient) -> None:
    """The same, begun by Twisted."""
    assert await client.call("Countdown", start=30) == {"result": {"path": list(range(31))}}
