"""The protocol beyond parsing: boxes to bytes, TLS, switches, descriptors and the end; without a dispatcher."""

# mypy: allow-untyped-calls, allow-subclassing-any

from typing import Any

import pytest
from twisted.internet.error import CertificateError, ConnectionDone, ConnectionLost, PeerVerifyError
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from tests.twisted.rows.common import Inner, Receiver, bytes_of, lose, receiving


def test_a_box_is_one_write(amp: Any, cls: Any) -> None:
    """Of its bytes."""
    protocol, _, wire = receiving(cls)
    protocol.sendBox(box=amp.Box(b=b"2", a=b"1"))
    protocol.sendBox(amp.Box())
    assert wire.writes == [bytes_of(a=b"1", b=b"2"), b"\0\0"]


def test_a_box_is_not_sent(amp: Any) -> None:
    """Locked comes before not connected, and that before the box's own faults."""
    protocol = amp.BinaryBoxProtocol(Receiver())
    with pytest.raises(ConnectionLost):
        protocol.sendBox(amp.Box({b"k": 3}))
    protocol._lockForSwitch()
    with pytest.raises(amp.ProtocolSwitched):
        protocol.sendBox(amp.Box())
    protocol._unlockFromSwitch()
    assert protocol._locked is False


def test_while_tls_is_prepared_boxes_wait(amp: Any) -> None:
    """They are sent in their order once it is started."""
    protocol, _, wire = receiving(amp.BinaryBoxProtocol)
    certificate = amp._NoCertificate(True)
    protocol._prepareTLS(certificate=certificate, verifyAuthorities=None)
    for name in ("a", "b"):
        protocol.sendBox(amp.Box({name: b"1"}))
    assert (wire.writes, wire.secured, len(protocol._startingTLSBuffer)) == ([], [], 2)
    protocol._startTLS(certificate=certificate, verifyAuthorities=None)
    assert wire.writes == [bytes_of(a=b"1"), bytes_of(b=b"1")]
    assert (len(wire.secured), protocol.hostCertificate) == (1, certificate)
    assert (protocol._startingTLSBuffer, protocol._justStartedTLS) == (None, True)
    protocol.dataReceived(b"")
    assert protocol._justStartedTLS is False


def test_a_connection_that_ends_behind_start_tls_was_refused(amp: Any) -> None:
    """If it closed before a byte came, the other end did not like the certificate."""
    for error, expected in ((ConnectionDone(), PeerVerifyError), (LookupError(), LookupError)):
        protocol, receiver, _ = receiving(amp.BinaryBoxProtocol)
        protocol._startTLS(amp._NoCertificate(True), None)
        lose(protocol, error)
        reason = receiver.seen[1]
        assert type(getattr(reason, "value", reason)) is expected
    said = str(PeerVerifyError("Peer rejected our certificate for an unknown reason."))
    protocol, receiver, _ = receiving(amp.BinaryBoxProtocol)
    protocol._startTLS(amp._NoCertificate(True), None)
    lose(protocol)
    assert str(getattr(receiver.seen[1], "value", receiver.seen[1])) == said


@pytest.mark.parametrize("rest", [b"", b"\1\0what is no box"])
def test_bytes_behind_a_switch_are_the_inner_protocol_s(rest: bytes, cls: Any) -> None:
    """Those that were there already, if there were any, and all that come."""
    protocol, receiver, wire = receiving(cls)
    inner = Inner()
    receiver.onBox = lambda: protocol._switchTo(newProto=inner, clientFactory=inner)
    protocol.dataReceived(bytes_of(a=b"1") + rest)
    protocol.dataReceived(b"more")
    assert inner.seen == [wire, *([rest] if rest else []), b"more"]
    assert protocol.innerProtocol is protocol.innerProtocolClientFactory is inner
    reason = Failure(ConnectionDone())
    protocol.connectionLost(reason=reason)
    assert inner.seen[-2:] == [reason, (None, reason)]
    assert receiver.seen == ["start", reason]


def test_a_switch_between_boxes_takes_what_waits(cls: Any) -> None:
    """Half a box is the inner protocol's as well."""
    protocol, _, wire = receiving(cls)
    protocol.dataReceived(bytes_of(a=b"1") + b"\0")
    protocol._switchTo(inner := Inner())
    assert inner.seen == [wire, b"\0"]


def test_peer_certificate_is_the_transport_s(amp: Any) -> None:
    """Or None, if a test says so."""
    protocol, _, _ = receiving(amp.BinaryBoxProtocol)
    with pytest.raises((AttributeError, CertificateError)):
        _ = protocol.peerCertificate
    protocol.noPeerCertificate = True
    assert protocol.peerCertificate is None


def test_an_unhandled_error_is_logged_and_drops_the_connection(amp: Any, logged: Any) -> None:
    """Without one it is only logged."""
    protocol, _, wire = receiving(amp.BinaryBoxProtocol)
    protocol.unhandledError(failure=(failure := Failure(LookupError())))
    assert wire.closed == 1
    protocol.transport = None
    protocol.unhandledError(failure)
    assert [(event["log_level"], event["log_failure"]) for event in logged()] == [(LogLevel.critical, failure)] * 2


def test_descriptors_are_counted_as_they_come(amp: Any) -> None:
    """And taken by their number, once."""
    protocol, _, _ = receiving(amp.BinaryBoxProtocol)
    for each in (7, 8):
        protocol.fileDescriptorReceived(descriptor=each)
    assert protocol._descriptors == {0: 7, 1: 8}
    assert (protocol._getDescriptor(0), protocol._descriptors) == (7, {1: 8})
    with pytest.raises(KeyError):
        protocol._getDescriptor(0)
    assert [protocol._sendFileDescriptor(descriptor=5) for _ in range(2)] == [0, 1]
    assert protocol._sendingDescriptorCounter() == protocol._receivingDescriptorCounter() == 2


def test_the_default_responder_of_start_tls_is_amp_s(amp: Any) -> None:
    """It agrees without a certificate."""
    assert amp.AMP._commandDispatch == {b"StartTLS": (amp.StartTLS, amp.BinaryBoxProtocol._defaultStartTLSResponder)}
    assert amp.AMP()._defaultStartTLSResponder() == {}
