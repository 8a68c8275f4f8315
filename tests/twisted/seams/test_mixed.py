"""Programs of which only a part was converted: commands, arguments, errors and providers of either module, mixed."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.protocols import amp as stock
from zope.interface import implementer
from zope.interface.verify import verifyObject

from ampkit.twisted import amp as ours
from tests.twisted.seams import common
from tests.twisted.seams.common import calculator, commands, result, until
from tests.twisted.seams.conftest import Link

PAIRS = [pytest.param(stock, ours, id="stock in ours"), pytest.param(ours, stock, id="ours in stock")]
"""The module of a command, an argument or the like, and the module of the class that it is used with."""


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_a_command_is_called_through_the_other_module(one: Any, other: Any, far: Any, link: Link) -> None:
    """Its response is parsed and its errors are known; a code that it does not know is UNKNOWN in its own module."""
    server, client = calculator(far)(), other.AMP()
    known = commands(one)
    await link(server, client)
    assert await result(client.callRemote(known.Sum, a=13, b=81)) == {"total": 94}
    assert client.callRemote(known.Note, text="heard") is None
    with pytest.raises(common.Overdrawn, match="101 is too much"):
        await result(client.callRemote(known.Withdraw, amount=101))
    assert server.notes == ["heard"]
    with pytest.raises(stock.UnknownRemoteError):
        await result(client.callRemote(known.Withdraw, amount=0))
    await until(lambda: client.transport is None)


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_a_command_is_answered_in_a_class_of_the_other_module(one: Any, other: Any, far: Any, link: Link) -> None:
    """Its responder is registered, called, and its response and errors go back."""
    known = commands(one)

    class Mixed(other.AMP):
        notes: list[str] = []

        @known.Sum.responder
        def sum(self, a: int, b: int) -> dict[str, int]:
            return {"total": a + b}

        @known.Withdraw.responder
        async def withdraw(self, amount: int) -> dict[str, int]:
            raise common.Overdrawn(str(amount))

        @known.Note.responder
        def note(self, text: str) -> None:
            self.notes = [text]

    server, client = Mixed(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    with pytest.raises(common.Overdrawn, match="101"):
        await result(client.callRemote(commands(far).Withdraw, amount=101))
    client.callRemote(commands(far).Note, text="heard")
    await until(lambda: server.notes)
    assert set(server._commandDispatch) == {b"Sum", b"Withdraw", b"Note", b"StartTLS"}


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_arguments_of_the_other_module_make_a_command(one: Any, other: Any, far: Any, link: Link) -> None:
    """Alone, in lists and in lists of boxes."""

    def shop(command: Any, argument: Any) -> Any:
        fields = [
            (b"name", argument.Unicode()),
            (b"prices", command.ListOf(argument.Decimal())),
            (b"lines", command.AmpList([(b"count", argument.Integer()), (b"sold", argument.Boolean(optional=True))])),
            (b"note", argument.String(optional=True)),
        ]
        return type("Shop", (command.Command,), {"arguments": fields, "response": fields})

    mixed, whole = shop(one, other), shop(far, far)

    class Shopping(one.AMP):
        @mixed.responder
        def shop(self, **values: Any) -> Any:
            return values

    server, client = Shopping(), far.AMP()
    await link(server, client)
    lines = [{"count": 3, "sold": True}, {"count": 0, "sold": None}]
    values = {"name": "\u00e9", "prices": [Decimal("1.10")], "lines": lines, "note": None}
    assert await result(client.callRemote(whole, **values)) == values


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_a_responder_may_raise_the_error_of_the_other_module(one: Any, other: Any, far: Any, link: Link) -> None:
    """Its code and description travel, and it is fatal only if it says so."""

    class Raising(other.AMP):
        @commands(other).Sum.responder
        def sum(self, a: int, b: int) -> Any:
            raise one.RemoteAmpError(b"TOO_HARD", "ask me another", fatal=a > b)

    server, client = Raising(), far.AMP()
    await link(server, client)
    for first in (1, 9):
        asked = client.callRemoteString(b"Sum", a=b"%d" % first, b=b"5")
        with pytest.raises(far.RemoteAmpError, match="ask me another") as raised:
            await result(asked)
        assert raised.value.errorCode == b"TOO_HARD"
    await until(lambda: client.transport is None)


async def test_errors_of_ours_are_caught_by_who_knows_only_twisted_s(far: Any, link: Link) -> None:
    """An unconverted library catches what ours raises, by the name it knows."""
    server, client = far.AMP(), ours.AMP()
    await link(server, client)
    with pytest.raises(stock.UnhandledCommand):
        await result(client.callRemote(commands(ours).Sum, a=1, b=2))
    with pytest.raises(stock.InvalidSignature):
        await result(client.callRemote(commands(ours).Sum, a=1))
    with pytest.raises(stock.TooLong):
        _ = client.callRemote(commands(ours).Note, text="x" * 65_536)
    assert issubclass(ours.ProtocolSwitched, stock.ProtocolSwitched)
    assert all(issubclass(getattr(ours, name), stock.AmpError) for name in ("OnlyOneTLS", "NoEmptyBoxes"))


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_boxes_of_the_other_module_are_sent(one: Any, other: Any, far: Any, link: Link) -> None:
    """A raw responder returns one, and one that ends the connection ends it."""

    class Raw(other.AMP):
        def amp_HELLO(self, box: Any) -> Any:
            return one.Box(said=box[b"say"])

        def amp_BYE(self, box: Any) -> Any:
            return one.QuitBox(said=box[b"say"])

    server, client = Raw(), far.AMP()
    await link(server, client)
    for name in (b"hello", b"bye"):
        assert (await result(client.callRemoteString(name, say=name)))[b"said"] == name
    await until(lambda: client.transport is None)


@pytest.mark.parametrize("named_by", [stock, ours], ids=["named by stock", "named by ours"])
async def test_who_provides_an_interface_is_accepted(named_by: Any, amp: Any, far: Any, link: Link) -> None:
    """A locator and a receiver that were declared with either module's interfaces work in either's classes."""

    @implementer(named_by.IResponderLocator)
    class Locator:
        def locateResponder(self, name: bytes) -> Any:
            return lambda _: amp.Box({b"name": name})

    @implementer(named_by.IBoxReceiver)
    class Receiver:
        def __init__(self) -> None:
            self.boxes: list[Any] = []

        def startReceivingBoxes(self, sender: Any) -> None:
            assert named_by.IBoxSender.providedBy(sender)
            sender.sendBox(amp.Box(_ask=b"1", _command=b"Any"))

        def ampBoxReceived(self, box: Any) -> None:
            self.boxes.append(box)

        def stopReceivingBoxes(self, reason: Any) -> None:
            self.reason = reason

    locator, receiver = Locator(), Receiver()
    server, client = far.AMP(locator=locator), amp.BinaryBoxProtocol(receiver)
    await link(server, client)
    await until(lambda: receiver.boxes)
    assert receiver.boxes == [{b"_answer": b"1", b"name": b"Any"}]
    for interface, provider in (
        (named_by.IResponderLocator, locator),
        (named_by.IBoxReceiver, receiver),
        (named_by.IBoxReceiver, amp.AMP()),
        (named_by.IBoxSender, amp.AMP()),
        (named_by.IResponderLocator, amp.AMP()),
        (named_by.IArgumentType, amp.Integer()),
    ):
        assert verifyObject(interface, provider)


async def test_a_stock_parent_and_our_child_share_no_responders(link: Link) -> None:
    """A class of one module does not take over what a class of the other has declared."""

    class Theirs(stock.AMP):
        @commands(stock).Sum.responder
        def sum(self, a: int, b: int) -> Any:
            """Not reached."""

    class Ours(ours.AMP):
        """Declares nothing."""

    theirs: Any = Theirs

    server, client = Ours(), stock.AMP()
    await link(server, client)
    asked: Deferred[Any] = client.callRemote(commands(stock).Sum, a=1, b=2)
    with pytest.raises(stock.UnhandledCommand):
        await result(asked)
    assert set(theirs._commandDispatch) - set(Ours._commandDispatch) == {b"Sum"}


async def test_descriptors_travel(amp: Any, far: Any, link: Link) -> None:
    """What one end opened the other end writes to, in the order of the boxes."""

    def write(module: Any) -> Any:
        arguments = [(b"where", module.Descriptor()), (b"what", module.String())]
        return type("Write", (module.Command,), {"arguments": arguments})

    command = write(amp)

    class Writing(amp.AMP):
        @command.responder
        def write(self, where: int, what: bytes) -> dict[str, Any]:
            with os.fdopen(where, "wb") as file:
                file.write(what)
            return {}

    server, client = Writing(), far.AMP()
    await link(server, client)
    readers, writers = zip(os.pipe(), os.pipe(), strict=True)
    asked = [client.callRemote(write(far), where=each, what=b"%d" % each) for each in writers]
    for reader, writer, answer in zip(readers, writers, asked, strict=True):
        assert await result(answer) == {}
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            assert file.read() == b"%d" % writer


def test_either_module_secures_a_connection_with_the_other() -> None:
    """Each presents its certificate and checks the other's; a call made meanwhile is answered behind it."""
    program = [sys.executable, "-m", "tests.twisted.seams.secure"]
    root = Path(__file__).parents[3]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, timeout=30, check=False)
    pairs = ["stock stock", "stock ours", "ours stock", "ours ours"]
    assert (done.stdout.splitlines(), done.stderr) == ([f"{pair} 94 3 True" for pair in pairs], "")
