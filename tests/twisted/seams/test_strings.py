"""Seams between bytes and boxes: strings, states and the bytes themselves; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any

import asyncio
import socket
from typing import Any

import pytest

from tests.twisted.seams import common
from tests.twisted.seams.common import commands, result, until
from tests.twisted.seams.conftest import Link


async def test_string_received_sees_each_string(calculator: Any, far: Any, link: Link) -> None:
    """Keys, values, and the empty one at the end of a box, in the order of the wire."""

    class Reading(calculator):
        strings: list[bytes] = []

        def stringReceived(self, string: bytes) -> None:
            self.strings.append(string)
            super().stringReceived(string)

    server, client = Reading(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert server.strings == [b"_ask", b"1", b"_command", b"Sum", b"a", b"13", b"b", b"81", b""]


@pytest.mark.parametrize("step", ["init", "key", "value"])
async def test_each_step_of_a_box_can_be_overridden(step: str, calculator: Any, far: Any, link: Link) -> None:
    """The step sees its strings, and the state that is theirs; what it returns is the next state."""
    seen: list[tuple[str, bytes]] = []

    def watch(self: Any, string: bytes) -> Any:
        seen.append((self.state, string))
        return getattr(calculator, f"proto_{step}")(self, string)

    server, client = type("Watching", (calculator,), {f"proto_{step}": watch})(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert {"init": b"_ask", "key": b"_command", "value": b"Sum"}[step] in [string for _, string in seen]
    assert {state for state, _ in seen} == ({"init", "key"} if step == "key" else {step})
    assert server.state == "init"


async def test_a_step_of_its_own_may_come_first(calculator: Any, far: Any, link: Link) -> None:
    """A program that wants a password begins in a state of its own and goes on to boxes by itself."""

    class Guarded(calculator):
        state = "password"

        def proto_password(self, string: bytes) -> str:
            return "init" if string == b"sesame" else "done"

    server, client = Guarded(), far.AMP()
    await link(server, client)
    client.transport.write(b"\0\6sesame")
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}

    server, client = Guarded(), far.AMP()
    await link(server, client)
    client.transport.write(b"\0\4open")
    await until(lambda: client.transport is None)


async def test_data_received_may_look_at_the_bytes_first(calculator: Any, far: Any, link: Link, reactor: Any) -> None:
    """The port answers a browser in its own language, and AMP as ever."""

    class Bilingual(calculator):
        def dataReceived(self, data: bytes) -> None:
            if data.startswith(b"GET "):
                self.transport.write(b"HTTP/1.0 200 OK\r\n\r\nalive")
                self.transport.loseConnection()
            else:
                super().dataReceived(data)

    server, client = Bilingual(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}

    here, there = socket.socketpair()
    reactor.adoptStreamConnection(here.fileno(), socket.AF_UNIX, Accepting(Bilingual()))
    here.close()
    reader, writer = await asyncio.open_unix_connection(sock=there)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"alive")
    writer.close()
    await writer.wait_closed()


class Accepting:
    """A factory of one protocol."""

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol

    def doStart(self) -> None:
        """Begin."""

    def doStop(self) -> None:
        """End."""

    def buildProtocol(self, _: object) -> Any:
        """Return the one."""
        return self.protocol


async def test_boxes_come_whole_however_the_bytes_do(calculator: Any, far: Any, link: Link) -> None:
    """An override that passes on one byte at a time changes nothing."""

    class Dripping(calculator):
        def dataReceived(self, data: bytes) -> None:
            for byte in data:
                super().dataReceived(bytes([byte]))

    server, client = Dripping(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}


async def test_receivers_and_senders_may_be_assigned_on_the_instance(calculator: Any, far: Any, link: Link) -> None:
    """Who puts functions in place of `ampBoxReceived` and `sendBox` gets the boxes."""
    server, client = calculator(), far.AMP()
    seen: list[Any] = []

    def watched(method: Any) -> Any:
        def watch(box: Any) -> None:
            seen.append(dict(box))
            method(box)

        return watch

    await link(server, client)
    await result(client.callRemote(commands(far).Sum, a=13, b=81))
    server.ampBoxReceived, server.sendBox = watched(server.ampBoxReceived), watched(server.sendBox)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert seen == [{b"_ask": b"2", b"_command": b"Sum", b"a": b"13", b"b": b"81"}, {b"_answer": b"2", b"total": b"94"}]


async def test_no_upcall_is_needed(amp: Any, far: Any, link: Link) -> None:
    """Neither in `__init__` nor in `connectionMade`; the log's class may be skipped in `connectionLost`."""

    class Hasty(common.calculator(amp)):  # type: ignore[misc]
        lost: Any = None

        def __init__(self) -> None:
            self.notes: list[str] = []

        def connectionMade(self) -> None:
            self.first = self.callRemote(commands(amp).Sum, a=1, b=2)

        def connectionLost(self, reason: Any) -> None:
            self.lost = reason
            super(amp.AMP, self).connectionLost(reason)

    server, client = common.calculator(far)(), Hasty()
    await link(server, client)
    assert await result(client.first) == {"total": 3}
    assert (client._ampInitialized, client._transportPeer.name is not None) == (True, True)
    assert client._transportHost == client.transport.getHost()
    server.transport.loseConnection()
    await until(lambda: client.lost)
    with pytest.raises(client.lost.type):
        await result(client.callRemote(commands(amp).Sum, a=1, b=2))
