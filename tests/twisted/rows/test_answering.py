"""Answering: what a responder's result and its exceptions become on the wire and in the log."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel

from tests.twisted.rows.common import Watched, bytes_of, started


def answering(amp: Any, base: Any, result: Any) -> tuple[Any, Any]:
    """An end whose command comes to a result; the transport."""

    class One(amp.Command):
        response = [(b"a", amp.String())]
        fatalErrors = {LookupError: b"LOOKUP"}

    class Answering(base):
        @One.responder
        def one(self) -> Any:
            return result() if callable(result) else result

    return (end := Answering()), started(end)


def test_an_answer_has_the_tag_of_its_ask(amp: Any, base: Any) -> None:
    """Any bytes; it comes when the responder is done, in whatever order."""
    waiting: list[Deferred[Any]] = []

    def wait() -> Deferred[Any]:
        waiting.append(Deferred())
        return waiting[-1]

    end, wire = answering(amp, base, wait)
    end.dataReceived(bytes_of(_ask=b"\0\xff", _command=b"One") + bytes_of(_ask=b"", _command=b"One"))
    waiting[1].callback({"a": b"2"})
    waiting[0].callback({"a": b"1"})
    assert wire.writes == [bytes_of(_answer=b"", a=b"2"), bytes_of(_answer=b"\0\xff", a=b"1")]


def test_a_remote_error_of_a_responder_s_own_is_sent(amp: Any, base: Any) -> None:
    """Code and text as they are; a fatal one closes behind it."""

    def fail() -> Any:
        raise amp.RemoteAmpError(b"OWN", "caf\xe9\ud800", fatal=True)

    end, wire = answering(amp, base, fail)
    end.dataReceived(bytes_of(_ask=b"1", _command=b"One"))
    assert wire.writes == [bytes_of(_error=b"1", _error_code=b"OWN", _error_description=b"caf\xc3\xa9?")]
    assert wire.closed == 1


def test_what_is_undeclared_is_not_told(amp: Any, base: Any, logged: Any) -> None:
    """The other end learns that something went wrong, and is dropped; the log has what."""

    def forget() -> Any:
        raise KeyError("secret")

    end, wire = answering(amp, base, forget)
    end.dataReceived(bytes_of(_ask=b"1", _command=b"One"))
    # KeyError is a LookupError, which is declared: so that one is told
    assert wire.take() == bytes_of(_error=b"1", _error_code=b"LOOKUP", _error_description=b"'secret'")
    end, wire = answering(amp, base, lambda: 1 // 0)
    end.dataReceived(bytes_of(_ask=b"1", _command=b"One"))
    assert wire.take() == bytes_of(_error=b"1", _error_code=b"UNKNOWN", _error_description=b"Unknown Error")
    assert wire.closed == 1
    (event,) = logged()
    assert (event["log_level"], event["log_format"]) == (LogLevel.critical, "while receiving response to command")
    assert event["log_failure"].type is ZeroDivisionError


def test_without_a_tag_nothing_is_answered(amp: Any, base: Any, logged: Any) -> None:
    """Neither a result nor an error; that one drops the connection."""
    end, wire = answering(amp, base, {"a": b"1"})
    end.dataReceived(bytes_of(_command=b"One"))
    assert (wire.writes, wire.closed) == ([], 0)
    end, wire = answering(amp, base, lambda: 1 // 0)
    end.dataReceived(bytes_of(_command=b"One"))
    assert (wire.writes, wire.closed) == ([], 1)
    end.dataReceived(bytes_of(_command=b"Nobody"))
    assert (wire.writes, wire.closed) == ([], 2)
    assert [type(event["log_failure"].value) for event in logged()] == [ZeroDivisionError, amp.RemoteAmpError]


def test_a_command_that_nobody_knows_is_refused(amp: Any, base: Any, logged: Any) -> None:
    """The connection goes on, and the log says nothing."""
    end, wire = answering(amp, base, {})
    end.dataReceived(bytes_of(_ask=b"1", _command=b"x"))
    said = b"Unhandled Command: b'x'"
    assert wire.writes == [bytes_of(_error=b"1", _error_code=b"UNHANDLED", _error_description=said)]
    assert (wire.closed, logged()) == (0, [])
    error = Watched(end.dispatchCommand(box={b"_command": b"x"})).result
    assert (type(error), error.errorCode, error.fatal) == (amp.RemoteAmpError, b"UNHANDLED", False)
    assert (error.description, error.local.type) == (said.decode(), amp.UnhandledCommand)


def test_an_answer_that_is_too_long_drops_the_connection(amp: Any, base: Any, logged: Any) -> None:
    """And is logged; nothing of it is sent."""
    end, wire = answering(amp, base, {"a": b"x" * 65_536})
    end.dataReceived(bytes_of(_ask=b"1", _command=b"One"))
    assert (wire.writes, wire.closed) == ([], 1)
    assert type(logged()[0]["log_failure"].value) is amp.TooLong
