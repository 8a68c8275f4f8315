"""The class that programs subclass: how it is made, shown, logged and ended, and calls in all directions at once."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from tests.twisted.rows.common import PENDING, Watched, Wire, joined, lose, started


def test_it_is_all_four_in_this_order(amp: Any) -> None:
    """A name that two of them have is the first one's."""
    own = [amp.AMP, amp.BinaryBoxProtocol, amp.BoxDispatcher, amp.CommandLocator, amp.SimpleStringLocator]
    assert [cls for cls in amp.AMP.__mro__ if cls in own] == own


def test_it_is_its_own_receiver_and_locator(amp: Any) -> None:
    """Unless others are given, by position or by name."""
    end = amp.AMP()
    assert (end.boxReceiver, end.locator, end._ampInitialized) == (end, end, True)
    assert amp.AMP._ampInitialized is False
    assert [amp.AMP("receiver", "locator").boxReceiver, amp.AMP("receiver", "locator").locator] == [
        "receiver",
        "locator",
    ]
    assert amp.AMP(locator="locator").locator == "locator"
    assert amp.AMP(boxReceiver="receiver").boxReceiver == "receiver"


def test_it_is_shown_with_its_class_and_place(amp: Any) -> None:
    """And with the protocol that it has become."""

    class Own(amp.AMP):
        """A subclass."""

    end = Own()
    assert repr(end) == f"<Own at 0x{id(end):x}>"
    end.innerProtocol = "inner"
    assert repr(end) == f"<Own inner 'inner' at 0x{id(end):x}>"
    assert end.logPrefix() == "Own"


def test_a_class_without_upcall_is_initialised_when_it_is_connected(base: Any) -> None:
    """And not again if it was."""

    class Own(base):
        def __init__(self) -> None:
            """Call nothing."""

    end = Own()
    started(end)
    assert (end._ampInitialized, end.boxReceiver, end.locator, end.boxSender) == (True, end, end, end)
    other = base(locator="locator")
    started(other)
    assert other.locator == "locator"


def test_beginning_and_end_are_logged(base: Any, events: list[Any]) -> None:
    """With the class and both addresses, which are kept."""
    end = base()
    wire = started(end)
    assert (end._transportPeer, end._transportHost) == ("peer", "host")
    wire.getPeer = wire.getHost = lambda: "another"
    lose(end)
    fields = {"cls": "AMP", "host": "host", "peer": "peer"}
    formats = [
        "{cls} connection established (HOST:{host} PEER:{peer})",
        "{cls} connection lost (HOST:{host} PEER:{peer})",
    ]
    assert [event["log_format"] for event in events] == formats
    for event in events:
        assert {name: event[name] for name in fields} == fields
        assert (event["log_level"], event["log_namespace"]) == (LogLevel.info, "twisted.protocols.amp")


def test_the_beginning_is_logged_before_the_receiver_starts(amp: Any, events: list[Any]) -> None:
    """And the end before it stops; then there is no transport."""

    class Receiver:
        logged: list[int] = []

        def startReceivingBoxes(self, boxSender: Any) -> None:
            self.logged.append(len(events))

        def stopReceivingBoxes(self, reason: Any) -> None:
            self.logged.append(len(events))
            assert end.transport is not None

    end = amp.AMP(Receiver())
    started(end)
    lose(end)
    assert Receiver.logged == [1, 2]
    assert end.transport is None


def test_the_end_fails_what_waits(base: Any) -> None:
    """Calls made while that happens fail too, in the same way."""
    again: list[Watched] = []

    def call_again(failure: Any) -> Any:
        again.append(Watched(end.callRemoteString(b"Any")))
        return failure

    started(end := base())
    asked = Watched(end.callRemoteString(b"Any").addErrback(call_again))
    end.connectionLost(reason=Failure(error := ConnectionLost("gone")))
    assert asked.result is again[0].result is error


def commands(amp: Any) -> Any:
    """A command with a number both ways."""
    fields = [(b"n", amp.Integer())]
    return type("Next", (amp.Command,), {"arguments": fields, "response": fields})


def counting(amp: Any, base: Any) -> Any:
    """A class that asks back before it answers, until the number is nought."""

    class Counting(base):
        @commands(amp).responder
        def next(self, n: int) -> Any:
            if not n:
                return {"n": 0}
            asked = self.callRemote(commands(amp), n=n - 1)
            return asked.addCallback(lambda answer: {"n": answer["n"] + 1})

    return Counting


def test_calls_go_both_ways_from_inside_of_calls(amp: Any, base: Any, far: Any) -> None:
    """However deep, and whatever is cut where."""
    ends = counting(amp, base)(), counting(far, far.AMP)()
    carry = joined(*ends, cut=lambda data: [data[at : at + 3] for at in range(0, len(data), 3)])
    asked = [Watched(ends[n % 2].callRemote(commands((amp, far)[n % 2]), n=n)) for n in range(20)]
    carry()
    assert [each.result for each in asked] == [{"n": n} for n in range(20)]
    assert ends[0]._outstandingRequests == ends[1]._outstandingRequests == {}


def test_answers_find_their_calls_in_any_order(amp: Any, base: Any, far: Any) -> None:
    """Also when all of them are asked in one piece."""
    waiting: list[tuple[int, Deferred[Any]]] = []

    class Holding(far.AMP):
        @commands(far).responder
        def next(self, n: int) -> Any:
            waiting.append((n, Deferred()))
            return waiting[-1][1]

    client = base()
    carry = joined(Holding(), client)
    asked = [Watched(client.callRemote(commands(amp), n=n)) for n in range(8)]
    carry()
    for n, deferred in reversed(waiting):
        deferred.callback({"n": n})
    carry()
    assert [each.result for each in asked] == [{"n": n} for n in range(8)]


def test_cancelling_one_call_leaves_the_others(amp: Any, base: Any, far: Any) -> None:
    """Its answer is swallowed quietly."""
    client = base()
    carry = joined(counting(far, far.AMP)(), client)
    deferreds = [client.callRemote(commands(amp), n=0) for _ in range(2)]
    asked = [Watched(each) for each in deferreds]
    deferreds[0].cancel()
    carry()
    assert type(asked[0].result) is CancelledError
    assert asked[1].result == {"n": 0}


def test_a_late_error_for_a_cancelled_call_is_swallowed_too(amp: Any, base: Any, logged: Any) -> None:
    """Nothing is logged, nothing is dropped."""
    wire = started(end := base())
    deferred = end.callRemote(commands(amp), n=0)
    asked = Watched(deferred)
    deferred.cancel()
    end.dataReceived(amp.Box(_error=b"1", _error_code=b"UNKNOWN", _error_description=b"").serialize())
    assert (type(asked.result), wire.closed, logged()) == (CancelledError, 0, [])
    assert asked.result is not PENDING


@pytest.mark.parametrize("name", ["transport", "boxReceiver"])
def test_a_test_may_take_its_attributes_away(name: str, amp: Any, base: Any) -> None:
    """As trial's does: without a transport a call cannot be sent."""
    started(end := base())
    setattr(end, name, None)
    if name == "transport":
        with pytest.raises(ConnectionLost):
            end.callRemote(commands(amp), n=0)
    else:
        end.callRemote(commands(amp), n=0)


def test_a_replaced_transport_is_used(amp: Any, base: Any) -> None:
    """By calls and by answers."""
    end = base()
    first, second = started(end), Wire()
    end.callRemote(commands(amp), n=0)
    end.transport = second
    end.callRemote(commands(amp), n=0)
    end.dataReceived(amp.Box(_ask=b"1", _command=b"Other").serialize())
    assert (len(first.writes), len(second.writes)) == (1, 2)
    second.take()
    lose(end, ConnectionDone())
