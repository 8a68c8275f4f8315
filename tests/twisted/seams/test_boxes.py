"""Seams around boxes: receivers, senders and box classes of one's own; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from tests.twisted.seams import common
from tests.twisted.seams.common import commands, result, until
from tests.twisted.seams.conftest import Link


def router(amp: Any) -> Any:
    """A class that carries several conversations on one connection, each box with the name of its own."""

    @implementer(amp.IBoxSender)
    class Route:
        def __init__(self, name: bytes, sender: Any) -> None:
            self.name, self.sender = name, sender

        def sendBox(self, box: Any) -> None:
            box[b"_route"] = self.name
            self.sender.sendBox(box)

        def unhandledError(self, failure: Any) -> None:
            self.sender.unhandledError(failure)

    @implementer(amp.IBoxReceiver)
    class Router:
        def __init__(self, **receivers: Any) -> None:
            self.receivers = {name.encode(): receiver for name, receiver in receivers.items()}

        def startReceivingBoxes(self, sender: Any) -> None:
            for name, receiver in self.receivers.items():
                receiver.startReceivingBoxes(Route(name, sender))

        def ampBoxReceived(self, box: Any) -> None:
            self.receivers[box.pop(b"_route")].ampBoxReceived(box)

        def stopReceivingBoxes(self, reason: Any) -> None:
            for receiver in self.receivers.values():
                receiver.stopReceivingBoxes(reason)

    return Router


async def test_a_router_carries_several_conversations(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """Each has its own asks and answers, though their tags are the same; whole AMPs and bare dispatchers take part."""
    here = {"one": calculator(), "two": amp.BoxDispatcher(calculator())}
    there = {"one": far.AMP(), "two": far.BoxDispatcher(common.calculator(far)())}
    await link(amp.AMP(boxReceiver=router(amp)(**here)), far.AMP(boxReceiver=router(far)(**there)))
    asked = [(there["one"], far), (there["two"], far), (here["two"], amp)]
    calls = [each.callRemote(commands(module).Sum, a=a, b=1) for a, (each, module) in enumerate(asked)]
    assert [await result(call) for call in calls] == [{"total": 1}, {"total": 2}, {"total": 3}]
    assert not there["one"]._outstandingRequests


async def test_a_router_ends_all_conversations(calculator: Any, far: Any, link: Link) -> None:
    """What still waits in any of them fails when the connection does."""

    class Silent(calculator):
        def dispatchCommand(self, _: Any) -> Any:
            self.transport.loseConnection()
            return Deferred()

    server = Silent()
    dispatchers = {"one": far.BoxDispatcher(server), "two": far.BoxDispatcher(server)}
    client = far.AMP(boxReceiver=router(far)(**dispatchers))
    await link(server, client)
    failures: list[Any] = []
    for each in dispatchers.values():
        each.callRemote(commands(far).Sum, a=1, b=1).addErrback(failures.append)
    await until(lambda: len(failures) == 2)
    assert failures[0].type is failures[1].type


async def test_the_receiver_of_a_live_connection_can_be_another(
    calculator: Any, amp: Any, far: Any, link: Link
) -> None:
    """A greeting decides who gets the boxes behind it, even those that came in the same bytes."""

    @implementer(amp.IBoxReceiver)
    class Greeting:
        def startReceivingBoxes(self, sender: Any) -> None:
            self.sender = sender

        def ampBoxReceived(self, box: Any) -> None:
            assert box == {b"hello": b"calculator"}
            self.sender.boxReceiver = chosen
            chosen.startReceivingBoxes(self.sender)

        def stopReceivingBoxes(self, reason: Any) -> None:
            raise AssertionError(reason)

    chosen = calculator()
    server, client = amp.AMP(boxReceiver=Greeting()), far.AMP()
    await link(server, client)
    ask = far.Box(_ask=b"7", _command=b"Sum", a=b"13", b=b"81")
    answers: list[Any] = []
    client.ampBoxReceived = answers.append
    client.transport.write(far.Box(hello=b"calculator").serialize() + ask.serialize())
    await until(lambda: answers)
    assert answers == [{b"_answer": b"7", b"total": b"94"}]
    assert chosen.boxSender is server


async def test_a_box_may_send_itself_in_its_own_way(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """Asks of a command with such a class, and its answers, pass through `_sendTo`."""
    sent: list[tuple[str, Any]] = []

    class Watched(amp.Box):
        __slots__: list[str] = []

        def _sendTo(self, sender: Any) -> None:
            sent.append((type(sender).__name__, dict(self)))
            super()._sendTo(sender)

    class Sum(commands(amp).Sum):  # type: ignore[misc]
        commandName = b"Sum"
        commandType = responseType = Watched

    class Watching(calculator):
        @Sum.responder
        def sum(self, a: int, b: int) -> dict[str, int]:
            return {"total": a + b}

    near, other = Watching(), common.calculator(far)()
    await link(other, near)
    assert await result(near.callRemote(Sum, a=13, b=81)) == {"total": 94}
    assert await result(other.callRemote(commands(far).Sum, a=1, b=2)) == {"total": 3}
    assert sent == [
        ("Watching", {b"_ask": b"1", b"_command": b"Sum", b"a": b"13", b"b": b"81"}),
        ("Watching", {b"_answer": b"1", b"total": b"3"}),
    ]


async def test_a_responder_may_return_a_box_that_ends_the_connection(amp: Any, far: Any, link: Link) -> None:
    """A responder of raw boxes answers with a QuitBox: the answer arrives, and then the end."""

    class Raw(amp.AMP):
        def amp_BYE(self, box: Any) -> Any:
            return amp.QuitBox(said=box[b"say"])

    server, client = Raw(), far.AMP()
    await link(server, client)
    assert (await result(client.callRemoteString(b"bye", say=b"so long")))[b"said"] == b"so long"
    await until(lambda: client.transport is None)
