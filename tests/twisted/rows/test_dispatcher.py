"""The dispatcher: tags, answers, errors, asks, and what goes wrong with them."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

import pytest
from twisted.internet.defer import AlreadyCalledError, CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from tests.twisted.rows.common import PENDING, Receiver, Watched, bytes_of, lose, started


class Sender:
    """A box sender that keeps what it gets."""

    def __init__(self) -> None:
        self.boxes: list[Any] = []
        self.failures: list[Any] = []
        self.raises: list[Exception] = []

    def sendBox(self, box: Any) -> None:
        """Keep a box, or fail."""
        if self.raises:
            raise self.raises.pop()
        self.boxes.append(box)

    def unhandledError(self, failure: Any) -> Any:
        """Keep a failure."""
        self.failures.append(failure)


def dispatching(amp: Any, locator: Any = None) -> tuple[Any, Sender]:
    """A dispatcher and its sender."""
    dispatcher = amp.BoxDispatcher(locator=locator)
    assert (dispatcher.locator, dispatcher.boxSender, dispatcher._failAllReason) == (locator, None, None)
    assert (dispatcher._outstandingRequests, dispatcher._counter) == ({}, 0)
    dispatcher.startReceivingBoxes(boxSender=(sender := Sender()))
    assert dispatcher.boxSender is sender
    return dispatcher, sender


def test_a_dispatcher_needs_no_more_than_a_sender(amp: Any) -> None:
    """An ask is the box that is given, with command and tag in it; the answer's box is the result."""
    dispatcher, sender = dispatching(amp)
    box = amp.Box(a=b"1")
    asked = Watched(dispatcher._sendBoxCommand(command=b"Sum", box=box))
    assert sender.boxes == [box] == [{b"_ask": b"1", b"_command": b"Sum", b"a": b"1"}]
    assert sender.boxes[0] is box
    answer = amp.Box(_answer=b"1", b=b"2")
    dispatcher.ampBoxReceived(box=answer)
    assert asked.result is answer
    assert dispatcher._outstandingRequests == {}


def test_tags_are_hexadecimal(amp: Any) -> None:
    """Small letters, counted on by calls that want no answer and by those that could not be sent."""
    dispatcher, sender = dispatching(amp)
    assert [dispatcher._nextTag() for _ in range(10)] == [b"%x" % n for n in range(1, 11)]
    dispatcher._sendBoxCommand(b"Any", amp.Box(), requiresAnswer=False)
    sender.raises = [LookupError()]
    with pytest.raises(LookupError):
        dispatcher._sendBoxCommand(b"Any", amp.Box())
    dispatcher._sendBoxCommand(b"Any", amp.Box(), True)
    assert [box.get(b"_ask") for box in sender.boxes] == [None, b"d"]
    assert list(dispatcher._outstandingRequests) == [b"d"]


def test_call_remote_string_takes_names_and_bytes(amp: Any) -> None:
    """Its parameters can be named; the result is the raw box, or the remote error with its code."""
    dispatcher, sender = dispatching(amp)
    asked = Watched(dispatcher.callRemoteString(command=b"Sum", a=b"1"))
    failed = Watched(dispatcher.callRemoteString(b"Sum", True))
    assert dispatcher.callRemoteString(b"Sum", False) is None
    assert sender.boxes[0] == {b"_ask": b"1", b"_command": b"Sum", b"a": b"1"}
    dispatcher.ampBoxReceived(amp.Box(_answer=b"1", b=b"2"))
    dispatcher.ampBoxReceived(amp.Box(_error=b"2", _error_code=b"C", _error_description=b"d"))
    assert asked.result == {b"_answer": b"1", b"b": b"2"}
    assert (type(failed.result), failed.result.errorCode, failed.result.description) == (amp.RemoteAmpError, b"C", "d")


def test_the_end_fails_all_calls_in_their_order(amp: Any) -> None:
    """And there is no table any more. The reason is kept."""
    dispatcher, _ = dispatching(amp)
    ended: list[Any] = []
    for n in range(3):
        dispatcher.callRemoteString(b"Any").addErrback(lambda failure, n=n: ended.append((n, failure.value)))
    dispatcher.stopReceivingBoxes(reason=Failure(error := LookupError()))
    assert ended == [(0, error), (1, error), (2, error)]
    assert (dispatcher._outstandingRequests, dispatcher._failAllReason.value) == (None, error)
    assert Watched(dispatcher.callRemoteString(b"Any")).result is error
    assert dispatcher._counter == 3


def test_a_call_that_cannot_be_made_fails(amp: Any, base: Any) -> None:
    """A missing argument and a wrong number of them, even behind the connection's end and if no answer is wanted."""
    command: Any = type("One", (amp.Command,), {"arguments": [(b"a", amp.Integer())], "requiresAnswer": False})
    started(end := base())
    assert type(Watched(end.callRemote(command)).result) is amp.InvalidSignature
    assert type(Watched(end.callRemote(command, 1)).result) is TypeError
    lose(end)
    assert type(Watched(end.callRemote(commandType=command)).result) is amp.InvalidSignature
    assert end.callRemote(command, a=1) is None


def test_what_cannot_be_sent_raises(amp: Any, base: Any) -> None:
    """An unknown argument, a value that is too long, an end that is not connected."""
    fields = [(b"a", amp.String())]
    command: Any = type("One", (amp.Command,), {"arguments": fields})
    end = base()
    with pytest.raises(AttributeError):
        end.callRemote(command, a=b"")
    wire = started(end)
    with pytest.raises(amp.InvalidSignature, match=r"^more is not a valid argument$"):
        end.callRemote(command, a=b"", more=3)
    with pytest.raises(amp.TooLong) as raised:
        end.callRemote(command, a=b"x" * 65_536)
    assert (raised.value.isKey, raised.value.isLocal, raised.value.keyName) == (False, True, b"a")
    end.transport = None
    with pytest.raises(ConnectionLost):
        end.callRemote(command, a=b"")
    assert wire.writes == []
    with pytest.raises(TypeError):
        end.callRemote()


@pytest.mark.parametrize(
    ("box", "method"),
    [
        ({b"_answer": b"1", b"_error": b"1", b"_ask": b"1", b"_command": b"X"}, "_answerReceived"),
        ({b"_error": b"1", b"_ask": b"1", b"_command": b"X"}, "_errorReceived"),
        ({b"_ask": b"1", b"_command": b"X"}, "_commandReceived"),
        ({b"_command": b"X"}, "_commandReceived"),
    ],
)
def test_a_box_is_an_answer_an_error_or_an_ask(box: Any, method: str, amp: Any) -> None:
    """In this order."""
    dispatcher, _ = dispatching(amp)
    seen: list[Any] = []
    for name in ("_answerReceived", "_errorReceived", "_commandReceived"):
        setattr(dispatcher, name, lambda box, name=name: seen.append((name, box)))
    dispatcher.ampBoxReceived(box)
    assert seen == [(method, box)]


@pytest.mark.parametrize("box", [{}, {b"a": b"1"}, {b"_ask": b"1"}])
def test_any_other_box_is_refused(box: Any, amp: Any) -> None:
    """The exception has it."""
    with pytest.raises(amp.NoEmptyBoxes) as raised:
        dispatching(amp)[0].ampBoxReceived(amp.Box(box))
    assert raised.value.args == (box,)


def test_both_kinds_in_one_box_are_an_answer(amp: Any, base: Any) -> None:
    """On every way: what answers a call, or refuses it, is no ask."""
    command: Any = type("One", (amp.Command,), {})

    class Answering(base):
        @command.responder
        def one(self) -> Any:
            return {}

    wire = started(end := Answering())
    asked = [Watched(end.callRemoteString(b"Any")) for _ in range(2)]
    wire.take()
    end.dataReceived(bytes_of(_answer=b"1", _ask=b"7", _command=b"One", _error=b"1"))
    assert asked[0].result[b"_answer"] == b"1"
    end.dataReceived(bytes_of(_ask=b"7", _command=b"One", _error=b"2", _error_code=b"C", _error_description=b""))
    assert type(asked[1].result) is amp.RemoteAmpError
    assert wire.writes == []


def test_another_receiver_gets_every_box(amp: Any, base: Any) -> None:
    """Even asks that the end itself could answer, and answers to its own calls."""
    wire = started(end := base(boxReceiver=(receiver := Receiver())))
    end.startReceivingBoxes(end)
    asked = Watched(end.callRemote(type("One", (amp.Command,), {})))
    wire.take()
    end.dataReceived(bytes_of(_ask=b"7", _command=b"StartTLS") + bytes_of(_answer=b"1"))
    assert receiver.boxes == [{b"_ask": b"7", b"_command": b"StartTLS"}, {b"_answer": b"1"}]
    assert (asked.result, wire.writes) == (PENDING, [])


def test_an_error_that_nobody_handles_is_unhandled_when_it_comes(amp: Any, base: Any, logged: Any) -> None:
    """The connection is dropped; who comes later sees None."""
    wire = started(end := base())
    command: Any = type("One", (amp.Command,), {})
    late = end.callRemote(command)
    end.dataReceived(bytes_of(_error=b"1", _error_code=b"CODE", _error_description=b"text"))
    assert Watched(late).result is None
    assert (wire.closed, len(logged()), logged()[0]["log_level"]) == (1, 1, LogLevel.critical)
    assert logged()[0]["log_format"] == (
        "Amp server or network failure unhandled by client application.  Dropping connection!  "
        "To avoid, add errbacks to ALL remote commands!"
    )
    assert type(logged()[0]["log_failure"].value) is amp.UnknownRemoteError


def test_a_callback_that_raises_is_unhandled(amp: Any, base: Any, logged: Any) -> None:
    """As an error of the call itself; so is one that comes later from a Deferred that a callback returned."""
    wire = started(end := base())
    command: Any = type("One", (amp.Command,), {})
    later: Deferred[Any] = Deferred()
    end.callRemote(command).addCallback(lambda _: 1 // 0)
    end.callRemote(command).addCallback(lambda _: later)
    end.dataReceived(bytes_of(_answer=b"1") + bytes_of(_answer=b"2"))
    assert (wire.closed, logged()[0]["log_failure"].type) == (1, ZeroDivisionError)
    later.errback(LookupError())
    assert (wire.closed, logged()[1]["log_failure"].type) == (2, LookupError)


def test_another_sender_gets_every_box(amp: Any, base: Any) -> None:
    """Though the end itself is connected."""
    wire = started(end := base())
    end.startReceivingBoxes(sender := Sender())
    end.callRemote(type("One", (amp.Command,), {}))
    end.dataReceived(bytes_of(_ask=b"7", _command=b"Nobody"))
    assert [box.get(b"_command", box.get(b"_error")) for box in sender.boxes] == [b"One", b"7"]
    assert wire.writes == []


def test_a_callback_may_add_another(amp: Any, base: Any) -> None:
    """It runs behind it, with its result."""
    started(end := base())
    seen: list[Any] = []
    asked = end.callRemote(type("One", (amp.Command,), {}))

    def first(_: Any) -> str:
        asked.addCallback(seen.append)
        assert seen == []
        return "first"

    asked.addCallback(first)
    end.dataReceived(bytes_of(_answer=b"1"))
    assert seen == ["first"]


def test_a_paused_call_waits_with_its_callbacks(amp: Any, base: Any) -> None:
    """The answer comes meanwhile."""
    started(end := base())
    seen: list[Any] = []
    asked = end.callRemote(type("One", (amp.Command,), {})).addCallback(seen.append)
    asked.pause()
    end.dataReceived(bytes_of(_answer=b"1"))
    assert seen == []
    asked.unpause()
    assert seen == [{}]


def test_a_call_that_a_program_has_ended_itself_is_not_ended_again(amp: Any, base: Any) -> None:
    """As with every Deferred."""
    started(end := base())
    asked = end.callRemote(type("One", (amp.Command,), {}))
    asked.callback(amp.Box())
    with pytest.raises(AlreadyCalledError):
        end.dataReceived(bytes_of(_answer=b"1"))


def test_a_cancelled_call_takes_its_answer_quietly(amp: Any, base: Any, logged: Any) -> None:
    """It has failed before; nothing is dropped or logged."""
    wire = started(end := base())
    deferred = end.callRemote(type("One", (amp.Command,), {}))
    asked = Watched(deferred)
    deferred.cancel()
    assert type(asked.result) is CancelledError
    end.dataReceived(bytes_of(_answer=b"1"))
    assert (wire.closed, logged()) == (0, [])


def test_dispatching_gives_a_deferred(amp: Any) -> None:
    """Of what the responder returns, raises or promises; it gets the box."""
    box = {b"_command": b"Any"}
    for result in ("value", succeed("value")):
        locator: Any = type(
            "Locator", (), {"locateResponder": lambda _, name, result=result: lambda box: (name, box, result)[2]}
        )
        assert Watched(dispatching(amp, locator())[0].dispatchCommand(box)).result == "value"
    raising: Any = type("Locator", (), {"locateResponder": lambda *_: lambda box: box[b"missing"]})
    assert type(Watched(dispatching(amp, raising())[0].dispatchCommand(box)).result) is KeyError


@pytest.mark.parametrize("error", ["ProtocolSwitched", "ConnectionLost"])
def test_an_answer_that_cannot_go_any_more_is_dropped(error: str, amp: Any) -> None:
    """Quietly."""
    dispatcher, sender = dispatching(amp)
    sender.raises = [getattr(amp, error, ConnectionLost)()]
    dispatcher._safeEmit(aBox=amp.Box())
    sender.raises = [ConnectionDone()]
    with pytest.raises(ConnectionDone):
        dispatcher._safeEmit(amp.Box())


def test_unhandled_errors_are_the_sender_s_affair(amp: Any) -> None:
    """The dispatcher passes them on, and returns what it says."""
    dispatcher, sender = dispatching(amp)
    dispatcher.unhandledError(failure="failure")
    assert sender.failures == ["failure"]
    asked = dispatcher.callRemoteString(b"Any")
    dispatcher._errorReceived(amp.Box(_error=b"1", _error_code=b"CODE", _error_description="text"))
    assert type(sender.failures[1].value) is amp.RemoteAmpError
    assert Watched(asked).result is None
