"""Commands that change the connection: StartTLS, and the switch to another protocol."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol

from tests.twisted.rows.common import Watched, bytes_of, joined, lose, started


class Short(Exception):
    """A declared error."""


def sums(amp: Any) -> Any:
    """A command that changes nothing."""
    return type("Sum", (amp.Command,), {"arguments": [(b"b", amp.Integer()), (b"a", amp.Integer())]})


class Plain:
    """Stands for a certificate."""

    def options(self, *authorities: Any) -> Any:
        """Return what is given to the transport."""
        return ("options", *authorities)


def test_start_tls_asks_then_holds_back_then_secures(amp: Any, base: Any) -> None:
    """What is called meanwhile is sent behind; the answer is an empty dictionary and comes when TLS was started."""
    wire = started(end := base())
    seen: list[Any] = []
    asked = end.callRemote(amp.StartTLS, tls_localCertificate=(own := Plain()), tls_verifyAuthorities=["authority"])
    asked.addCallback(lambda answer: seen.append((answer, list(wire.secured), len(wire.writes))))
    end.callRemote(sums(amp), a=1, b=2)
    assert wire.writes == [bytes_of(_ask=b"1", _command=b"StartTLS")]
    end.dataReceived(bytes_of(_answer=b"1"))
    assert seen == [({}, [("options", "authority")], 2)]
    assert wire.writes[1:] == [bytes_of(_ask=b"2", _command=b"Sum", a=b"1", b=b"2")]
    assert end.hostCertificate is own


def test_start_tls_is_answered_and_then_secured(amp: Any, base: Any) -> None:
    """The responder's certificates are used, and not sent."""

    class Securing(base):
        @amp.StartTLS.responder
        def start(self) -> dict[str, Any]:
            return {"tls_localCertificate": Plain(), "tls_verifyAuthorities": ["authority"]}

    wire = started(end := Securing())
    end.dataReceived(bytes_of(_ask=b"1", _command=b"StartTLS"))
    assert wire.writes == [bytes_of(_answer=b"1")]
    assert wire.secured == [("options", "authority")]


@pytest.mark.parametrize("far_has", [True, False])
def test_without_tls_the_call_fails(far_has: bool, amp: Any, base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once where it is asked; with an error of its own where it is answered."""
    if far_has:
        monkeypatch.setattr(amp, "ssl", None)
        wire = started(end := base())
        asked = Watched(end.callRemote(amp.StartTLS))
        assert (type(asked.result), str(asked.result)) == (RuntimeError, "TLS not available.")
        assert wire.writes == []
    else:
        wire = started(end := base())
        monkeypatch.setattr(amp, "ssl", None)
        end.dataReceived(bytes_of(_ask=b"1", _command=b"StartTLS"))
        refusal = bytes_of(_error=b"1", _error_code=b"TLS_ERROR", _error_description=b"TLS not available")
        assert (wire.writes, wire.closed) == ([refusal], 0)


class Inner(Protocol):
    """The protocol that a connection becomes; takes note."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def connectionMade(self) -> None:
        """Send at once."""
        self.seen.append("made")
        transport: Any = self.transport
        transport.write(b"inner")

    def dataReceived(self, data: bytes) -> None:
        """Take note."""
        self.seen.append(data)

    def connectionLost(self, reason: Any = None) -> None:
        """Take note."""
        self.seen.append(reason.type)


class Inners:
    """Their client factory."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.inner = Inner()

    def buildProtocol(self, address: Any) -> Inner:
        """Return the one."""
        self.seen.append(address)
        return self.inner

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        """Take note."""
        self.seen.append(("failed", connector, reason.type))

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        """Take note."""
        self.seen.append(("lost", connector, reason.type))


def switches(amp: Any) -> Any:
    """A command that switches."""
    return type("Switch", (amp.ProtocolSwitchCommand,), {"errors": {Short: b"SHORT"}})


def test_a_switch_makes_both_ends_another_protocol(amp: Any, base: Any, far: Any) -> None:
    """The bytes behind the answer are the inner protocol's; its factory hears of the end. AMP may send nothing more."""
    inner, factory = Inner(), Inners()

    class Switching(far.AMP):
        @switches(far).responder
        def switch(self) -> Any:
            return inner

    server, client = Switching(), base()
    carry = joined(server, client)
    asked = Watched(client.callRemote(switches(amp), factory))
    with pytest.raises(amp.ProtocolSwitched, match=r"^This connection has switched: no AMP traffic allowed\.$"):
        client.callRemote(sums(amp), a=1, b=2)
    carry()
    assert asked.result == {}
    assert (client.innerProtocol, server.innerProtocol) == (factory.inner, inner)
    assert inner.seen == factory.inner.seen == ["made", b"inner"]
    with pytest.raises(amp.ProtocolSwitched, match=r"^Protocol already switched\.  Cannot unlock\.$"):
        client._unlockFromSwitch()
    lose(client)
    lose(server)
    assert inner.seen[2:] == factory.inner.seen[2:] == [ConnectionDone]
    assert factory.seen == ["peer", ("lost", None, ConnectionDone)]


def test_a_switch_that_is_refused_changes_nothing(amp: Any, base: Any) -> None:
    """The factory hears of it, the call fails, and AMP goes on."""
    factory = Inners()
    wire = started(end := base())
    asked = Watched(end.callRemote(switches(amp), factory))
    end.dataReceived(bytes_of(_error=b"1", _error_code=b"SHORT", _error_description=b"text"))
    assert type(asked.result) is Short
    assert factory.seen == [("failed", None, ConnectionLost)]
    end.callRemote(sums(amp), a=1, b=2)
    assert len(wire.writes) == 2
