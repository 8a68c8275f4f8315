"""Commands carried out: the bytes of an ask, what an answer or an error becomes, TLS and switches."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone

from tests.twisted.rows.common import PENDING, Watched, bytes_of, lose, started


class Short(Exception):
    """A declared error."""


class Shorter(Short):
    """A kind of it."""


class Two(Exception):
    """An error that cannot be made of its description alone."""

    def __init__(self, one: Any, two: Any) -> None:
        super().__init__(one, two)


def sums(amp: Any) -> Any:
    """A command with errors."""

    class Sum(amp.Command):
        arguments = [(b"b", amp.Integer()), (b"a", amp.Integer())]
        response = [(b"total", amp.Integer())]
        errors = {Short: b"SHORT", Two: b"TWO"}
        fatalErrors = {Shorter: b"SHORTER", LookupError: b"LOOKUP"}

    return Sum


def asking(amp: Any, base: Any) -> tuple[Any, Any, Watched]:
    """An end, its transport, and a call of the command."""
    wire = started(end := base())
    return end, wire, Watched(end.callRemote(sums(amp), a=13, b=81))


def test_an_ask_has_these_bytes(amp: Any, base: Any) -> None:
    """Sorted by key, in one write; the next one has the next tag."""
    end, wire, _ = asking(amp, base)
    assert wire.writes == [bytes_of(_ask=b"1", _command=b"Sum", a=b"13", b=b"81")]
    end.callRemote(sums(amp), a=1, b=2)
    assert wire.writes[1] == bytes_of(_ask=b"2", _command=b"Sum", a=b"1", b=b"2")


def test_tags_are_hexadecimal_on_each_way(amp: Any, base: Any) -> None:
    """Small letters, counted on by calls that could not be written; nobody waits for those."""
    wire = started(end := base())
    for _ in range(10):
        end.callRemote(sums(amp), a=1, b=2)
    assert list(end._outstandingRequests) == [b"%x" % n for n in range(1, 11)]
    wire.write = unwritable
    with pytest.raises(OSError, match="unwritable"):
        end.callRemote(sums(amp), a=1, b=2)
    del wire.write
    end.callRemote(sums(amp), a=1, b=2)
    assert list(end._outstandingRequests)[10:] == [b"c"]
    assert bytes_of(_ask=b"c", _command=b"Sum", a=b"1", b=b"2") in wire.writes


def unwritable(_: bytes) -> None:
    """Be a transport that fails."""
    raise OSError("unwritable")


def test_a_type_that_is_changed_is_used_as_it_is_now(amp: Any, base: Any) -> None:
    """Its methods and the declaration, between two calls."""
    own: Any = type("Own", (amp.Integer,), {})
    fields = [(b"n", own())]
    command: Any = type("One", (amp.Command,), {"arguments": fields})
    wire = started(end := base())
    end.callRemote(command, n=1)
    own.toString = lambda *_: b"other"
    end.callRemote(command, n=1)
    fields.append((b"o", amp.Integer(optional=True)))
    end.callRemote(command, n=1, o=2)
    values = [{"n": b"1"}, {"n": b"other"}, {"n": b"other", "o": b"2"}]
    assert wire.writes == [bytes_of(_ask=b"%d" % n, _command=b"One", **each) for n, each in enumerate(values, 1)]


def test_an_answer_is_the_call_s_result(amp: Any, base: Any) -> None:
    """What is not declared in it is left out."""
    end, _, asked = asking(amp, base)
    end.dataReceived(bytes_of(_answer=b"1", more=b"?", total=b"94"))
    assert asked.result == {"total": 94}


def test_an_answer_without_what_is_declared_fails_the_call(amp: Any, base: Any) -> None:
    """With the KeyError itself."""
    end, wire, asked = asking(amp, base)
    end.dataReceived(bytes_of(_answer=b"1"))
    assert (type(asked.result), asked.result.args, wire.closed) == (KeyError, (b"total",), 0)


@pytest.mark.parametrize(
    ("code", "error"), [(b"SHORT", Short), (b"SHORTER", Shorter), (b"LOOKUP", LookupError), (b"TWO", TypeError)]
)
def test_a_declared_code_is_its_exception(code: bytes, error: Any, amp: Any, base: Any) -> None:
    """Made of the description; one that cannot be made of it is a TypeError."""
    end, wire, asked = asking(amp, base)
    end.dataReceived(bytes_of(_error=b"1", _error_code=code, _error_description=b"\xc3\xa9"))
    assert type(asked.result) is error
    assert error is TypeError or asked.result.args == ("\xe9",)
    assert wire.closed == 0


@pytest.mark.parametrize("code", [b"UNKNOWN", b"OTHER"])
def test_an_undeclared_code_is_unknown(code: bytes, amp: Any, base: Any) -> None:
    """Whatever it was."""
    end, _, asked = asking(amp, base)
    end.dataReceived(bytes_of(_error=b"1", _error_code=code, _error_description=b"text \xff"))
    assert type(asked.result) is amp.UnknownRemoteError
    assert str(asked.result) == "Code<UNKNOWN>: text \ufffd"


def test_a_command_that_is_unhandled_fails_so(amp: Any, base: Any) -> None:
    """With the code and the description."""
    end, _, asked = asking(amp, base)
    end.dataReceived(bytes_of(_error=b"1", _error_code=b"UNHANDLED", _error_description=b"Unhandled Command: b'Sum'"))
    assert type(asked.result) is amp.UnhandledCommand
    assert asked.result.args == (b"UNHANDLED", "Unhandled Command: b'Sum'")


def test_the_end_of_the_connection_fails_the_call(amp: Any, base: Any) -> None:
    """With its reason as it is; so does every later call."""
    end, _, asked = asking(amp, base)
    lose(end)
    assert type(asked.result) is ConnectionDone
    assert type(Watched(end.callRemote(sums(amp), a=1, b=2)).result) is ConnectionDone
    assert type(Watched(end.callRemoteString(b"Any")).result) is ConnectionDone
    assert end.callRemoteString(b"Any", requiresAnswer=False) is None


def test_a_response_may_take_time_to_parse(amp: Any, base: Any) -> None:
    """Then the call takes as long; what fails there may be a declared error."""
    parsing: list[Deferred[Any]] = []

    class Slow(sums(amp)):  # type: ignore[misc]
        @classmethod
        def parseResponse(cls, box: Any, protocol: Any) -> Any:
            parsing.append(Deferred())
            return parsing[-1]

    started(end := base())
    first, second = (Watched(end.callRemote(Slow, a=1, b=2)) for _ in range(2))
    end.dataReceived(bytes_of(_answer=b"1") + bytes_of(_answer=b"2"))
    assert first.result is second.result is PENDING
    parsing[0].callback("parsed")
    parsing[1].errback(amp.RemoteAmpError(b"SHORT", "text"))
    assert first.result == "parsed"
    assert type(second.result) is Short


def test_a_parser_may_raise_a_declared_error(amp: Any, base: Any) -> None:
    """By its code."""

    class Raising(sums(amp)):  # type: ignore[misc]
        @classmethod
        def parseResponse(cls, box: Any, protocol: Any) -> Any:
            raise amp.RemoteAmpError(b"SHORT", "text")

    started(end := base())
    asked = Watched(end.callRemote(Raising, a=1, b=2))
    end.dataReceived(bytes_of(_answer=b"1"))
    assert type(asked.result) is Short


@pytest.mark.parametrize(
    ("raised", "code", "fatal"),
    [(Short, b"SHORT", 0), (Shorter, b"SHORT", 0), (LookupError, b"LOOKUP", 1), (KeyError, b"LOOKUP", 1)],
)
def test_the_first_declared_error_that_fits_is_sent(raised: Any, code: bytes, fatal: int, amp: Any, base: Any) -> None:
    """In the order of declaration: one declared further on never counts, however well it fits."""

    class Raising(base):
        @sums(amp).responder
        def sum(self, a: int, b: int) -> Any:
            raise raised("caf\xe9")

    wire = started(end := Raising())
    end.dataReceived(bytes_of(_ask=b"\xff", _command=b"Sum", a=b"1", b=b"2"))
    text = b"'caf\xc3\xa9'" if raised is KeyError else b"caf\xc3\xa9"
    assert wire.writes == [bytes_of(_error=b"\xff", _error_code=code, _error_description=text)]
    assert wire.closed == fatal


def test_a_command_that_wants_no_answer_gets_none(amp: Any, base: Any) -> None:
    """It has no tag, though it takes one."""

    class Quiet(amp.Command):
        requiresAnswer = False

    wire = started(end := base())
    assert end.callRemote(Quiet) is None
    assert end.callRemoteString(b"Any", requiresAnswer=False) is None
    Watched(end.callRemoteString(b"Any", a=b"1"))
    assert wire.writes == [
        bytes_of(_command=b"Quiet"),
        bytes_of(_command=b"Any"),
        bytes_of(_ask=b"3", _command=b"Any", a=b"1"),
    ]
