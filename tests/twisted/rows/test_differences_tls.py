"""Where ours differs on purpose: StartTLS; what Twisted's does stands beside it."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import PeerVerifyError
from twisted.python.failure import Failure

from tests.twisted.rows.common import PENDING, Receiver, Watched, Wire, bytes_of, lose, started
from tests.twisted.rows.differences import difference


class Certificate:
    """One that costs nothing."""

    def options(self, *_: Any) -> None:
        """Need none."""


class Secured(Wire):
    """A transport that notes the bytes that TLS gets."""

    protocol: Any = None

    def startTLS(self, options: Any) -> None:
        """Be the layer itself."""
        super().startTLS(options)
        self.protocol = self
        self.toTLS = b""

    def dataReceived(self, data: bytes) -> None:
        """Take note."""
        self.toTLS += data


def marking(amp: Any, base: Any, answer: Any) -> Any:
    """A connected end that answers StartTLS with something, and notes the asks that reach it."""

    class Marking(base):
        marks = 0

        @amp.StartTLS.responder
        def start(self) -> Any:
            return answer() if callable(answer) else answer

        def amp_MARK(self, box: Any) -> Any:
            self.marks += 1
            return amp.Box()

    end = Marking()
    end.makeConnection(Secured())
    return end


START = bytes_of(_ask=b"1", _command=b"StartTLS")
MARK = bytes_of(_ask=b"2", _command=b"mark")


@difference("plaintext behind the StartTLS boundary")
def test_plaintext_behind_the_boundary_is_given_to_tls(amp: Any, base: Any, is_ours: bool) -> None:
    """Where StartTLS is answered, and where it was asked."""
    end = marking(amp, base, {"tls_localCertificate": Certificate()})
    end.dataReceived(START + MARK + b"\0")
    assert (end.marks, end.transport.toTLS) == ((0, MARK + b"\0") if is_ours else (1, b""))
    end = marking(amp, base, {})
    end.callRemote(amp.StartTLS, tls_localCertificate=Certificate())
    end.dataReceived(bytes_of(_answer=b"1") + MARK)
    assert (end.marks, end.transport.toTLS) == ((0, MARK) if is_ours else (1, b""))


@pytest.mark.parametrize("names_it", [False, True])
def test_without_a_layer_for_it_the_connection_is_closed(names_it: bool, amp: Any, base: Any, is_ours: bool) -> None:
    """A transport that does not say where its bytes go to cannot be given any: it is taken for an attack."""
    end = marking(amp, base, {"tls_localCertificate": Certificate()})
    end.transport = wire = Wire()
    if names_it:
        vars(wire)["protocol"] = end
    end.dataReceived(START + MARK)
    assert (end.marks, wire.closed) == ((0, 1) if is_ours else (1, 0))


@difference("boxes behind a StartTLS that is not answered yet")
def test_boxes_behind_a_start_tls_wait_for_its_answer(amp: Any, base: Any, is_ours: bool) -> None:
    """If it is refused they are delivered; there is a limit to them."""
    waiting: list[Deferred[Any]] = []

    def later() -> Any:
        waiting.append(Deferred())
        return waiting[-1]

    end = marking(amp, base, later)
    end.dataReceived(START + MARK)
    end.dataReceived(MARK)
    assert end.marks == (0 if is_ours else 2)
    waiting[0].errback(Failure(amp.RemoteAmpError(b"NO", "not here")))
    assert end.marks == 2
    assert end.transport.secured == []
    end = marking(amp, base, later)
    end.dataReceived(START + MARK)
    lose(end)
    waiting[1].errback(Failure(amp.RemoteAmpError(b"NO", "too late")))
    assert end.marks == (0 if is_ours else 1)
    end = marking(amp, base, later)
    end.maxHeldBytes = len(MARK)
    for number in (2, 3):
        end.dataReceived(START)
        end.dataReceived(MARK)
        waiting[number].errback(Failure(amp.RemoteAmpError(b"NO", "not here")))
    assert (end.marks, end.transport.closed) == (2, 0)
    end = marking(amp, base, later)
    end.maxHeldBytes = 10
    end.dataReceived(START)
    for byte in b"\0\x0fwhat is no":
        end.dataReceived(bytes([byte]))
    lost = Watched(end.callRemoteString(b"Any"))
    assert end.transport.closed == (1 if is_ours else 0)
    lose(end)
    assert isinstance(lost.result, amp.MalformedAmpBox) == is_ours


@difference("an answer to a call that waits for StartTLS")
def test_a_call_that_was_not_sent_is_answered_by_nobody(amp: Any, base: Any, is_ours: bool) -> None:
    """It is sent once TLS is there."""
    end = marking(amp, base, {})
    end.callRemote(amp.StartTLS, tls_localCertificate=Certificate())
    held = Watched(end.callRemoteString(b"Any"))
    end.dataReceived(bytes_of(_answer=b"2", a=b"forged"))
    assert (held.result is PENDING) == is_ours
    end.dataReceived(bytes_of(_answer=b"1"))
    end.dataReceived(bytes_of(_answer=b"2", a=b"true") if is_ours else b"")
    assert held.result[b"a"] == (b"true" if is_ours else b"forged")


REFUSAL = bytes_of(_error=b"1", _error_code=b"UNHANDLED", _error_description=b"")


@difference("StartTLS that the other end refuses")
def test_a_refused_start_tls_lets_the_connection_go_on(amp: Any, base: Any, is_ours: bool) -> None:
    """Answers are sent; asks that were meant for TLS are not."""
    end = marking(amp, base, {})
    asked = Watched(end.callRemote(amp.StartTLS, tls_localCertificate=Certificate()))
    held = Watched(end.callRemoteString(b"Any"))
    end.callRemoteString(b"Quiet", requiresAnswer=False)
    end.dataReceived(bytes_of(_ask=b"9", _command=b"mark"))
    end.transport.take()
    end.dataReceived(REFUSAL)
    assert type(asked.result) is amp.UnhandledCommand
    Watched(end.callRemoteString(b"Next"))
    if is_ours:
        assert held.result.errorCode == b"TLS_ERROR"
        assert end.transport.writes == [bytes_of(_answer=b"9"), bytes_of(_ask=b"4", _command=b"Next")]
    else:
        assert (held.result, end.transport.writes) == (PENDING, [])


@difference("StartTLS that fails here")
def test_a_start_tls_that_fails_here_closes(amp: Any, base: Any, is_ours: bool) -> None:
    """A certificate that cannot be used, or a call that is too long to be sent behind it."""

    class Unusable:
        def options(self, *_: Any) -> Any:
            raise LookupError

    end = marking(amp, base, {})
    asked = Watched(end.callRemote(amp.StartTLS, tls_localCertificate=Unusable()))
    end.dataReceived(bytes_of(_answer=b"1"))
    assert (type(asked.result), end.transport.closed) == (LookupError, 1 if is_ours else 0)
    end = marking(amp, base, {})
    asked = Watched(end.callRemote(amp.StartTLS, tls_localCertificate=Certificate()))
    held = Watched(end.callRemoteString(b"Any", a=b"x" * 65_536))
    end.dataReceived(bytes_of(_answer=b"1"))
    assert (type(asked.result), end.transport.closed) == (amp.TooLong, 1 if is_ours else 0)
    assert held.result is PENDING


@difference("a second StartTLS")
def test_a_second_start_tls_changes_nothing(amp: Any, base: Any, is_ours: bool) -> None:
    """It raises, and says who was who; the connection goes on."""
    end = marking(amp, base, {})
    end.noPeerCertificate = True
    Watched(end.callRemote(amp.StartTLS, tls_localCertificate=(first := Certificate())))
    end.dataReceived(bytes_of(_answer=b"1"))
    end.transport.take()
    said = f"^Previously authenticated connection between {first} and None is trying to re-establish as "
    with pytest.raises(amp.OnlyOneTLS, match=said):
        end.callRemote(amp.StartTLS)
    Watched(end.callRemoteString(b"Any"))
    expected = bytes_of(_ask=b"2", _command=b"Any") if is_ours else bytes_of(_ask=b"2", _command=b"StartTLS")
    assert end.transport.take() == expected
    if is_ours:  # a transport without certificates is none to fail over
        end.noPeerCertificate = False
        with pytest.raises(amp.OnlyOneTLS):
            end.callRemote(amp.StartTLS)


@difference("being asked for a second StartTLS")
def test_a_second_start_tls_is_not_answered(amp: Any, base: Any, is_ours: bool, logged: Any) -> None:
    """Whoever asks for it is dropped."""
    end = marking(amp, base, {"tls_localCertificate": Certificate()})
    end.dataReceived(START)
    end.dataReceived(START)
    assert len(end.transport.secured) == (1 if is_ours else 2)
    assert end.transport.closed == (1 if is_ours else 0)
    assert [type(event["log_failure"].value) for event in logged()] == ([amp.OnlyOneTLS] if is_ours else [])


@difference("the reason of a connection whose certificate was refused")
def test_the_reason_is_a_failure(amp: Any, is_ours: bool) -> None:
    """As every reason is."""
    protocol = amp.BinaryBoxProtocol(receiver := Receiver())
    started(protocol)
    protocol._startTLS(Certificate(), None)
    lose(protocol)
    assert type(receiver.seen[1]) is (Failure if is_ours else PeerVerifyError)
