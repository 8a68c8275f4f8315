"""Seams between the box of an ask and its responder, overridden as programs in the wild do; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

from typing import Any

import pytest
from twisted.python.failure import Failure
from zope.interface import implementer

from ampkit.twisted import amp as ours
from tests.twisted.seams import common
from tests.twisted.seams.common import commands, result, until
from tests.twisted.seams.conftest import Link


async def test_locate_responder_may_return_any_callable(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """A function of the box answers; names that the override does not know go the usual way."""

    class Echo(calculator):
        def locateResponder(self, name: bytes) -> Any:
            if name == b"Echo":
                return lambda box: amp.Box({b"text": box[b"text"]})
            return super().locateResponder(name)

    server, client = Echo(), far.AMP()
    await link(server, client)
    assert (await result(client.callRemoteString(b"Echo", text=b"hello")))[b"text"] == b"hello"
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}


async def test_a_locator_of_its_own_is_asked(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """The object that was given to the constructor finds the responders, and nobody else."""

    @implementer(amp.IResponderLocator)
    class OnlySum:
        def locateResponder(self, name: bytes) -> Any:
            return calculator().locateResponder(name) if name == b"Sum" else None

    server, client = calculator(locator=OnlySum()), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    with pytest.raises(far.UnhandledCommand):
        await result(client.callRemote(commands(far).Withdraw, amount=1))


async def test_dispatch_command_sees_every_ask_and_softens_every_error(
    calculator: Any, amp: Any, far: Any, link: Link
) -> None:
    """An undeclared exception becomes an error that is not fatal: the connection goes on."""

    class Soft(calculator):
        asked: list[bytes] = []

        def dispatchCommand(self, box: Any) -> Any:
            self.asked.append(box[amp.COMMAND])
            return super().dispatchCommand(box).addErrback(self.soften)

        def soften(self, failure: Any) -> Any:
            if failure.check(amp.RemoteAmpError):
                return failure
            return Failure(amp.RemoteAmpError(amp.UNKNOWN_ERROR_CODE, failure.type.__name__, local=failure))

    server, client = Soft(), far.AMP()
    await link(server, client)
    with pytest.raises(far.UnknownRemoteError, match="ZeroDivisionError"):
        await result(client.callRemote(commands(far).Withdraw, amount=0))
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert server.asked == [b"Withdraw", b"Sum"]


async def test_command_received_may_be_written_anew(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """A method that was written against Twisted's names answers, refuses, and tells the reason."""

    class Candid(calculator):
        def _commandReceived(self, box: Any) -> None:
            def answer(response: Any) -> Any:
                response[amp.ANSWER] = box[amp.ASK]
                return response

            def refuse(failure: Any) -> Any:
                reason = f"{failure.type.__name__}: {failure.getErrorMessage()}".encode()
                return amp.Box(
                    {amp.ERROR: box[amp.ASK], amp.ERROR_CODE: amp.UNKNOWN_ERROR_CODE, amp.ERROR_DESCRIPTION: reason}
                )

            dispatched = self.dispatchCommand(box)
            if amp.ASK in box:
                dispatched.addCallbacks(answer, refuse)
                dispatched.addCallback(self._safeEmit)
            dispatched.addErrback(self.unhandledError)

    server, client = Candid(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    with pytest.raises(far.UnknownRemoteError, match="ZeroDivisionError: integer"):
        await result(client.callRemote(commands(far).Withdraw, amount=0))
    assert client.transport is not None


async def test_failure_to_box_is_the_hook_for_the_same(far: Any, link: Link) -> None:
    """Ours only: one small method says what the other end is told, and whether the connection ends."""

    class Candid(common.calculator(ours)):  # type: ignore[misc]
        def failureToBox(self, failure: Failure, box: Any) -> Any:
            if failure.check(ours.RemoteAmpError):
                return super().failureToBox(failure, box)
            return super().failureToBox(Failure(ours.RemoteAmpError(b"UNKNOWN", failure.getErrorMessage())), box)

    server, client = Candid(), far.AMP()
    await link(server, client)
    with pytest.raises(far.UnknownRemoteError, match="integer"):
        await result(client.callRemote(commands(far).Withdraw, amount=0))
    with pytest.raises(common.Overdrawn, match="101 is too much"):
        await result(client.callRemote(commands(far).Withdraw, amount=101))


async def test_safe_emit_sees_every_answer(calculator: Any, far: Any, link: Link) -> None:
    """Answers and errors pass through it."""

    class Counting(calculator):
        emitted = 0

        def _safeEmit(self, box: Any) -> None:
            self.emitted += 1
            super()._safeEmit(box)

    server, client = Counting(), far.AMP()
    await link(server, client)
    await result(client.callRemote(commands(far).Sum, a=13, b=81))
    with pytest.raises(common.Overdrawn):
        await result(client.callRemote(commands(far).Withdraw, amount=101))
    assert server.emitted == 2


async def test_unhandled_error_decides_whether_the_connection_is_dropped(
    calculator: Any, amp: Any, far: Any, link: Link
) -> None:
    """A program that only takes note of a failed command stays connected."""
    noted = commands(amp).Note

    class Patient(calculator):
        def __init__(self) -> None:
            self.unhandled: list[Failure] = []
            super().__init__()

        @noted.responder
        def note(self, text: str) -> None:
            raise LookupError(text)

        def unhandledError(self, failure: Failure) -> None:
            self.unhandled.append(failure)

    server, client = Patient(), far.AMP()
    await link(server, client)
    client.callRemote(commands(far).Note, text="lost")
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert [failure.type for failure in server.unhandled] == [LookupError]


async def test_the_table_of_responders_can_be_changed(calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """An instance gets its own copy, with a responder more and one less; its class keeps what it had."""
    same = commands(amp).Sum
    product = type("Product", (amp.Command,), {"arguments": same.arguments, "response": same.response})
    server, client = calculator(), far.AMP()
    server._commandDispatch = server._commandDispatch.copy()
    server._commandDispatch[b"Product"] = (product, lambda _, a, b: {"total": a * b})
    del server._commandDispatch[b"Withdraw"]
    await link(server, client)
    assert (await result(client.callRemoteString(b"Product", a=b"6", b=b"7")))[b"total"] == b"42"
    with pytest.raises(far.UnhandledCommand):
        await result(client.callRemote(commands(far).Withdraw, amount=1))
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    assert {b"Sum", b"Withdraw", b"Note", b"StartTLS"} == set(calculator._commandDispatch.keys())


async def test_wrap_with_serialization_makes_a_responder(calculator: Any, far: Any, link: Link) -> None:
    """A proxy forwards what it has in its table to another end, with the command's own types on both sides."""

    class Proxy(calculator):
        def locateResponder(self, name: bytes) -> Any:
            command, _ = self._commandDispatch[name]
            return self._wrapWithSerialization(lambda **arguments: backend.callRemote(command, **arguments), command)

    server, backend, proxy, client = calculator(), calculator(), Proxy(), far.AMP()
    await link(server, backend)
    await link(proxy, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    with pytest.raises(common.Overdrawn):
        await result(client.callRemote(commands(far).Withdraw, amount=101))


async def test_wrap_with_serialization_can_be_wrapped(calculator: Any, far: Any, link: Link) -> None:
    """An override sees the parsed arguments of every call."""

    class Watching(calculator):
        seen: list[Any] = []

        def _wrapWithSerialization(self, function: Any, command: Any) -> Any:
            def watched(**arguments: Any) -> Any:
                self.seen.append((command.commandName, arguments))
                return function(**arguments)

            return super()._wrapWithSerialization(watched, command)

    server, client = Watching(), far.AMP()
    await link(server, client)
    assert await result(client.callRemote(commands(far).Sum, a=13, b=81)) == {"total": 94}
    client.callRemote(commands(far).Note, text="heard")
    await until(lambda: server.notes)
    assert server.seen == [(b"Sum", {"a": 13, "b": 81}), (b"Note", {"text": "heard"})]
