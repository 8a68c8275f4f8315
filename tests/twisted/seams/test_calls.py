"""Seams between a call and its answer, overridden as programs in the wild do; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import asyncio
import os
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from ampkit.twisted import amp as ours
from tests.twisted.seams import common
from tests.twisted.seams.common import commands, result, until
from tests.twisted.seams.conftest import Link


async def test_send_box_command_sees_every_ask(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """An override may set the command's name first; the box it has is the one that gets the tag."""
    sent: list[Any] = []

    class Logging(calculator):
        def _sendBoxCommand(self, command: bytes, box: Any, requiresAnswer: bool = True) -> Any:
            box[amp.COMMAND] = command
            question = super()._sendBoxCommand(command, box, requiresAnswer)
            sent.append(box)
            return question

    server, client = common.calculator(far)(), Logging()
    await link(server, client)
    assert client.callRemote(commands(amp).Note, text="first") is None
    assert await result(client.callRemote(commands(amp).Sum, a=13, b=81)) == {"total": 94}
    assert sent[0] == {b"_command": b"Note", b"text": b"first"}
    assert sent[1] == {b"_ask": b"2", b"_command": b"Sum", b"a": b"13", b"b": b"81"}
    assert server.notes == ["first"]


async def test_an_answer_reaches_a_deferred_that_was_put_into_the_table(amp: Any, far: Any, link: Link) -> None:
    """The table of outstanding requests is the one that answers are looked up in."""
    server, client = common.calculator(far)(), amp.AMP()
    await link(server, client)
    planted: Deferred[Any] = Deferred()
    client._outstandingRequests[b"mine"] = planted
    client.sendBox(amp.Box(_ask=b"mine", _command=b"Sum", a=b"13", b=b"81"))
    assert (await result(planted))[b"total"] == b"94"
    assert client._outstandingRequests == {}


async def test_a_tag_of_its_own_is_used(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """An override of `_nextTag` numbers the asks."""

    class Numbering(calculator):
        def _nextTag(self) -> Any:
            return b"call-" + super()._nextTag()

    server, client = common.calculator(far)(), Numbering()
    await link(server, client)
    asked = client.callRemote(commands(amp).Sum, a=13, b=81)
    assert list(client._outstandingRequests) == [b"call-1"]
    assert await result(asked) == {"total": 94}


async def test_a_command_may_parse_and_make_its_boxes_itself(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """Each of the four class methods that its ends call can be overridden."""
    used: list[str] = []

    class Sum(commands(amp).Sum):  # type: ignore[misc]
        commandName = b"Sum"

        @classmethod
        def makeArguments(cls, objects: Any, proto: Any) -> Any:
            used.append("makeArguments")
            return super().makeArguments(objects, proto)

        @classmethod
        def parseArguments(cls, box: Any, proto: Any) -> Any:
            used.append("parseArguments")
            return super().parseArguments(box, proto)

        @classmethod
        def makeResponse(cls, objects: Any, proto: Any) -> Any:
            used.append("makeResponse")
            return super().makeResponse(objects, proto)

        @classmethod
        def parseResponse(cls, box: Any, proto: Any) -> Any:
            used.append("parseResponse")
            return super().parseResponse(box, proto)["total"]

    class Adding(calculator):
        @Sum.responder
        def sum(self, a: int, b: int) -> dict[str, int]:
            return {"total": a + b}

    near, other = Adding(), common.calculator(far)()
    await link(other, near)
    assert await result(other.callRemote(commands(far).Sum, a=1, b=2)) == {"total": 3}
    assert used == ["parseArguments", "makeResponse"]
    assert await result(near.callRemote(Sum, a=13, b=81)) == 94
    assert used[2:] == ["makeArguments", "parseResponse"]


async def test_a_command_may_carry_itself_out(amp: Any, far: Any, link: Link) -> None:
    """An override of `_doCommand` adds to what the call gives; declared errors stay declared."""

    class Withdraw(commands(amp).Withdraw):  # type: ignore[misc]
        commandName = b"Withdraw"

        def _doCommand(self, proto: Any) -> Any:
            return super()._doCommand(proto).addCallback(lambda response: {**response, "asked": self.structured})

    server, client = common.calculator(far)(), amp.AMP()
    await link(server, client)
    assert await result(client.callRemote(Withdraw, amount=4)) == {"left": 25, "asked": {"amount": 4}}
    with pytest.raises(common.Overdrawn, match="101 is too much"):
        await result(client.callRemote(Withdraw, amount=101))


async def test_the_errors_of_a_command_can_be_read_and_added_to(amp: Any, link: Link) -> None:
    """`allErrors` is what the answering end looks in, and `reverseErrors` the asking one."""

    class Withdraw(commands(amp).Withdraw):  # type: ignore[misc]
        commandName = b"Withdraw"

    class Withdrawing(amp.AMP):
        @Withdraw.responder
        def withdraw(self, amount: int) -> dict[str, int]:
            return {"left": 100 // amount}

    assert Withdraw.allErrors == {common.Overdrawn: b"OVERDRAWN"}
    assert Withdraw.reverseErrors == {b"OVERDRAWN": common.Overdrawn}
    Withdraw.allErrors[ZeroDivisionError] = b"NOTHING"
    Withdraw.reverseErrors[b"NOTHING"] = LookupError
    server, client = Withdrawing(), amp.AMP()
    await link(server, client)
    with pytest.raises(LookupError, match="zero"):
        await result(client.callRemote(Withdraw, amount=0))


async def test_a_cancelled_call_leaves_nothing_behind(amp: Any, far: Any, link: Link) -> None:
    """Cancelled or overdue, it fails at once; the late answer is dropped, and the connection goes on."""
    held: list[Any] = []

    class Slow(common.calculator(far)):  # type: ignore[misc]
        def dispatchCommand(self, box: Any) -> Any:
            answer: Deferred[Any] = Deferred()
            held.append((answer, box))
            return answer

    server, client = Slow(), amp.AMP()
    await link(server, client)
    cancelled = client.callRemote(commands(amp).Sum, a=1, b=2)
    overdue = client.callRemote(commands(amp).Sum, a=1, b=2).addTimeout(0, client.transport.reactor)
    cancelled.cancel()
    with pytest.raises(CancelledError):
        await result(cancelled)
    with pytest.raises(TimeoutError):
        await result(overdue)
    kept = client.callRemote(commands(amp).Sum, a=1, b=2)
    await until(lambda: len(held) == 3)
    for answer, _ in held:
        answer.callback(far.Box(total=b"3"))
    assert await result(kept) == {"total": 3}
    assert client._outstandingRequests == {}


async def test_arguments_may_have_any_name(link: Link) -> None:
    """Ours only: Twisted has parameters of its own under these names, and fails."""

    class Named(ours.Command):
        arguments = response = [(name, ours.Integer()) for name in (b"f", b"self", b"commandType")]

    class Naming(ours.AMP):
        @Named.responder
        def named(this, /, **arguments: int) -> dict[str, int]:  # `self` is an argument
            return arguments

    server, client = Naming(), ours.AMP()
    await link(server, client)
    values = {"f": 1, "self": 2, "commandType": 3}
    assert await result(client.callRemote(Named, **values)) == values


class Pipe:
    """All that pipes and fakes in the wild offer as a transport."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Write at once."""
        os.write(self.descriptor, data)

    def loseConnection(self) -> None:
        """Close."""
        os.close(self.descriptor)

    def getPeer(self) -> str:
        """Return what stands for an address."""
        return "peer"

    def getHost(self) -> str:
        """Return what stands for an address."""
        return "host"


def read(end: Any, descriptor: int) -> None:
    """Give an end what has come."""
    end.dataReceived(os.read(descriptor, 65_536))


async def test_a_transport_needs_only_four_methods(amp: Any, far: Any) -> None:
    """Over two pipes with such transports, calls are made and answered, and the end is noticed."""
    loop = asyncio.get_running_loop()
    there, back = os.pipe(), os.pipe()
    server, client = common.calculator(amp)(), common.calculator(far)()
    for end, reading, writing in ((server, there[0], back[1]), (client, back[0], there[1])):
        loop.add_reader(reading, read, end, reading)
        end.makeConnection(Pipe(writing))
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert await result(server.callRemote(commands(amp).Sum, a=1, b=2)) == {"total": 3}
    waiting = client.callRemote(commands(far).Sum, a=1, b=2)
    for end, reading in ((server, there[0]), (client, back[0])):
        loop.remove_reader(reading)
        end.transport.loseConnection()
        end.connectionLost(Failure(ConnectionDone()))
        os.close(reading)
    with pytest.raises(ConnectionDone):
        await result(waiting)


async def test_values_come_in_the_order_of_their_declaration(amp: Any, far: Any, link: Link) -> None:
    """In the keyword arguments of a responder and in the result of a call, whatever their order on the wire."""
    fields = [b"zulu", b"alpha", b"mike"]

    def order(module: Any) -> Any:
        arguments = [(name, module.Integer()) for name in fields]
        return type("Order", (module.Command,), {"arguments": arguments, "response": arguments})

    command = order(amp)

    class Ordering(amp.AMP):
        names: Any = ()

        @command.responder
        def order(self, **values: int) -> dict[str, int]:
            self.names = list(values)
            return values

    server, client = Ordering(), far.AMP()
    await link(server, client)
    answer = await result(client.callRemote(order(far), alpha=1, mike=2, zulu=3))
    assert list(answer) == server.names == ["zulu", "alpha", "mike"]
