"""Where ours differs on purpose: calls and answers, and the module; what Twisted's does stands beside it."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

from typing import Any

import pytest
from zope.interface import implementer

from tests.twisted.rows.common import PENDING, Watched, Wire, bytes_of, lose, started
from tests.twisted.rows.differences import difference


def one(amp: Any) -> Any:
    """A command without arguments."""
    return type("One", (amp.Command,), {})


@difference("an answer or error to a tag that nobody waits for")
@pytest.mark.parametrize("behind", ["_answer", "_error"])
def test_a_stray_answer_is_dropped_alone(behind: str, amp: Any, base: Any, is_ours: bool) -> None:
    """Also a repeated one, and one behind the end; the call that waits goes on."""
    started(end := base())
    asked = Watched(end.callRemote(one(amp)))
    stray = bytes_of(**{behind: b"7", "_error_code": b"UNKNOWN", "_error_description": b""})
    answer = bytes_of(_answer=b"1")
    if is_ours:
        end.dataReceived(stray + answer + answer)
        assert asked.result == {}
        lose(end)
        end.dataReceived(stray)
    else:
        with pytest.raises(KeyError):
            end.dataReceived(stray)


@difference("an error without its code")
@difference("an error without its description")
@pytest.mark.parametrize("missing", ["_error_code", "_error_description"])
def test_an_error_that_is_not_whole_ends_its_call(missing: str, amp: Any, base: Any, is_ours: bool) -> None:
    """With what can be said of it."""
    wire = started(end := base())
    asked = Watched(end.callRemote(one(amp)))
    error = {"_error": b"1", "_error_code": b"UNKNOWN", "_error_description": b"text"}
    del error[missing]
    if is_ours:
        end.dataReceived(bytes_of(**error))
        assert type(asked.result) is {"_error_code": amp.MalformedAmpBox}.get(missing, amp.UnknownRemoteError)
        assert (wire.closed, end._outstandingRequests) == (0, {})
    else:
        with pytest.raises(KeyError):
            end.dataReceived(bytes_of(**error))
        lose(end)
        assert asked.result is PENDING


@difference("cancelling a call's Deferred")
def test_a_cancelled_call_is_forgotten(amp: Any, base: Any, is_ours: bool) -> None:
    """At once; if nobody handled that it was cancelled, its late answer does not drop the connection either."""
    wire = started(end := base())
    deferred = end.callRemote(one(amp))
    Watched(deferred)
    deferred.cancel()
    assert end._outstandingRequests == ({} if is_ours else {b"1": deferred})
    unhandled = end.callRemote(one(amp))
    unhandled.cancel()
    end.dataReceived(bytes_of(_answer=b"2"))
    assert wire.closed == (0 if is_ours else 1)
    Watched(unhandled)


@difference("an answer that comes while its ask is being written")
def test_an_answer_may_come_during_the_write(amp: Any, base: Any, is_ours: bool) -> None:
    """The call has its result when it is returned."""

    class Quick(Wire):
        def write(self, data: bytes) -> None:
            end.dataReceived(bytes_of(_answer=b"1"))

    end = base()
    end.makeConnection(Quick())
    if is_ours:
        assert Watched(end.callRemote(one(amp))).result == {}
    else:
        with pytest.raises(KeyError):
            end.callRemote(one(amp))


@difference("the end of a connection, told twice")
def test_the_end_may_be_told_twice(base: Any, is_ours: bool) -> None:
    """By whoever cleans up."""
    started(end := base())
    lose(end)
    if is_ours:
        end.failAllOutgoing(end._failAllReason)
    else:
        with pytest.raises(AttributeError):
            end.failAllOutgoing(end._failAllReason)


@difference("arguments named `self`, `f` or `commandType`")
@pytest.mark.parametrize("name", ["self", "commandType", "f"])
def test_an_argument_may_have_any_name(name: str, amp: Any, base: Any, is_ours: bool) -> None:
    """It is called with, sent and answered."""
    fields = [(name.encode(), amp.Integer())]
    command: Any = type("Named", (amp.Command,), {"arguments": fields, "response": fields})

    class Answering(base):
        @command.responder
        def answer(this, /, **values: int) -> Any:
            return values

    wire = started(end := Answering())
    if is_ours or name == "f":
        end.callRemote(command, **{name: 3})
        assert wire.take() == bytes_of(**dict(sorted({"_ask": b"1", "_command": b"Named", name: b"3"}.items())))
    else:
        with pytest.raises(TypeError):
            Watched(end.callRemote(command, **{name: 3}))
    end.dataReceived(bytes_of(_ask=b"1", _command=b"Named", **{name: b"3"}))
    expected = is_ours or name != "f"
    assert (bytes_of(_answer=b"1", **{name: b"3"}) in wire.writes) == expected


@difference("an argument type without `optional`")
def test_an_argument_type_need_not_say_whether_it_is_optional(amp: Any, is_ours: bool) -> None:
    """Then it is not."""

    @implementer(amp.IArgumentType)
    class Bare:
        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            strings[name] = objects.pop(name.decode())

        def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            objects[name.decode()] = strings.pop(name)

    command: Any = type("One", (amp.Command,), {"arguments": [(b"a", Bare())]})
    assert command(a=b"x").structured == {"a": b"x"}
    with pytest.raises(amp.InvalidSignature if is_ours else AttributeError):
        command()


@difference("the name of a command is not ASCII")
def test_a_command_of_any_name_is_unhandled(base: Any, is_ours: bool) -> None:
    """And the connection goes on."""
    wire = started(end := base())
    ask = bytes_of(_ask=b"1", _command=b"S\xc3\xbcm")
    if is_ours:
        end.dataReceived(ask)
        assert b"UNHANDLED" in wire.take()
        assert wire.closed == 0
    else:
        with pytest.raises(UnicodeDecodeError):
            end.dataReceived(ask)


@difference("an errback that is added while an answer's callbacks run")
def test_an_errback_may_be_added_by_a_callback(amp: Any, is_ours: bool) -> None:
    """It is in time to handle the failure."""
    wire = started(end := amp.AMP())
    asked = end.callRemote(one(amp))

    def fail(_: Any) -> Any:
        asked.addErrback(lambda failure: failure.type)
        raise LookupError

    asked.addCallback(fail)
    end.dataReceived(bytes_of(_answer=b"1"))
    assert (Watched(asked).result, wire.closed) == ((LookupError, 0) if is_ours else (None, 1))


@difference("a conversion that fails")
def test_a_conversion_that_fails_may_be_called_again(amp: Any, is_ours: bool) -> None:
    """The error is the same."""
    seen: list[Any] = []

    class Failing(amp.Argument):
        def toString(self, inObject: Any) -> Any:
            seen.append(inObject)
            raise LookupError

    command = type("One", (amp.Command,), {"arguments": [(b"a", Failing())]})
    started(end := amp.AMP())
    with pytest.raises(LookupError):
        end.callRemote(command, a=3)
    assert seen == [3, 3] if is_ours else [3]


@difference("where a class says it is from")
def test_classes_are_from_where_their_code_is(amp: Any, is_ours: bool) -> None:
    """So a traceback leads there."""
    assert amp.AMP.__module__.startswith("ampkit.twisted." if is_ours else "twisted.protocols.amp")


@difference("names of the module that a program assigns")
def test_only_ssl_is_looked_up_in_the_module(amp: Any, is_ours: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are changed in place."""
    monkeypatch.setattr(amp, "PROTOCOL_ERRORS", {b"MINE": lambda *_: LookupError()})
    started(end := amp.AMP())
    asked = Watched(end.callRemoteString(b"One"))
    end.dataReceived(bytes_of(_error=b"1", _error_code=b"MINE", _error_description=b""))
    assert type(asked.result) is (amp.RemoteAmpError if is_ours else LookupError)
