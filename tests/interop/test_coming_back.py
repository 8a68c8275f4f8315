"""A peer that comes back and hooks, each with a genuine Twisted peer at the other end."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ampkit
from ampkit import Backoff, Balance, Hooks, Options, Presence, RemoteError
from ampkit.hooks import Ask, Call
from tests.interop import ampkit_commands as commands
from tests.interop.ampkit_service import Twin
from tests.interop.twisted_child import twisted_client, twisted_server


async def test_a_twisted_server_dies_and_returns(tmp_path: Path) -> None:
    """The calls of the meantime are answered by the next one."""
    address = f"unix://{tmp_path}/socket"
    with twisted_server(address, tmp_path / "first.log") as (_, process):
        peer = await ampkit.connect(address, Twin(), reconnect=Backoff(first=0.01, longest=0.1))
        assert (await peer.call(commands.Sum(a=1, b=2))).total == 3
        process.kill()
        await peer.wait_for(Presence.WAITING)
    (tmp_path / "socket").unlink()
    with twisted_server(address, tmp_path / "second.log"):
        assert (await peer.call(commands.Sum(a=3, b=4), timeout=20)).total == 7
        await peer.close()


async def test_a_pool_of_twisted_servers(tmp_path: Path) -> None:
    """One dies: the other does its work. They know no sign of life, and a refusal is as good."""
    first, second = f"unix://{tmp_path}/1", f"unix://{tmp_path}/2"
    balance = Balance(failures=1, check_every=0.05)
    with (
        twisted_server(first, tmp_path / "1.log") as (_, process),
        twisted_server(second, tmp_path / "2.log"),
    ):
        async with ampkit.connect_pool(first, second, service=Twin(), balance=balance) as pool:
            for member in pool.members:
                await member.wait_for(Presence.CONNECTED)
            outcomes = await pool.call_all(commands.Sum(a=1, b=2), timeout=20)
            assert outcomes == [commands.Total(total=3)] * 2
            await asyncio.sleep(0.2)  # some checks
            assert (pool.ejected, pool.presence) == ((), Presence.CONNECTED)
            process.kill()
            await pool.members[0].wait_for(Presence.WAITING)
            replies = await pool.call_many([commands.Sum(a=1, b=2)] * 20, timeout=20)
            assert [reply.total for reply in replies] == [3] * 20


class Marking(Hooks):
    """Adds a key to what it sends, and refuses what has none."""

    @contextmanager
    def calling(self, call: Call) -> Generator[None]:
        """Add."""
        call.extensions[b"_meta.mark"] = b"x"
        yield

    @contextmanager
    def answering(self, ask: Ask) -> Generator[None]:
        """Refuse."""
        if b"_meta.mark" not in ask.box:
            raise RemoteError("UNMARKED", "add a mark")
        yield


async def test_a_twisted_server_ignores_extension_keys(twisted_addresses: dict[str, str]) -> None:
    """Its arguments and its errors are what they are without."""
    async with ampkit.connect(twisted_addresses["tcp"], options=Options(hooks=(Marking(),))) as peer:
        assert (await peer.call(commands.Sum(a=1, b=2))).total == 3
        assert [reply.total for reply in await peer.call_many([commands.Sum(a=1, b=2)] * 2)] == [3, 3]
        with pytest.raises(ZeroDivisionError):
            await peer.call(commands.Divide(numerator=1, denominator=0))


async def test_a_twisted_client_is_refused_by_a_hook(tmp_path: Path) -> None:
    """It gets the code of the hook, and its connection lives on."""
    async with (
        ampkit.serve(Twin, f"unix://{tmp_path}/socket", options=Options(hooks=(Marking(),))) as server,
        twisted_client(server.addresses[0], tmp_path / "client.log") as client,
    ):
        for _ in range(2):
            assert (await client.call("Sum", a=1, b=2))["error"] == "UnknownRemoteError"
