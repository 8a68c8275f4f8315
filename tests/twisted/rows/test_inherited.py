"""What an AMP end has of Twisted's string protocols: the buffer, the states, pausing, and sending a raw string."""

# mypy: allow-untyped-calls, allow-subclassing-any

from typing import Any

import pytest
from twisted.protocols.basic import StringTooLongError
from twisted.python import log

from tests.twisted.rows.common import WAYS, bytes_of, started


def taking(amp: Any, base: Any) -> Any:
    """A class that takes boxes by name, and does to itself what it is told."""

    class Taking(base):
        do: Any = None

        def __init__(self) -> None:
            self.taken: list[bytes] = []
            super().__init__()

        def amp_TAKE(self, box: Any) -> Any:
            self.taken.append(box[b"n"])
            if self.do is not None:
                self.do(self)
            return amp.Box()

    return Taking


def boxes(*numbers: int) -> bytes:
    """The bytes of some boxes."""
    return b"".join(bytes_of(_command=b"Take", n=b"%d" % n) for n in numbers)


def test_a_raw_string_is_sent_with_its_length(base: Any) -> None:
    """At most 65,535 bytes."""
    wire = started(end := base())
    end.sendString(string=b"raw")
    assert wire.take() == b"\0\3raw"
    with pytest.raises(StringTooLongError):
        end.sendString(b"x" * 65_536)
    assert issubclass(StringTooLongError, AssertionError)


def test_what_is_unread_can_be_looked_at(amp: Any, base: Any) -> None:
    """Between deliveries, and by the receiver of a box."""
    seen: list[Any] = []
    end = taking(amp, base)()
    started(end)
    end.do = lambda self: seen.append(self.recvd)
    end.dataReceived(boxes(1, 2) + b"\0")
    assert seen == [boxes(2) + b"\0", b"\0"]
    assert (end.recvd, end._unprocessed, end._compatibilityOffset) == (b"\0", b"\0", 0)


def test_the_buffer_can_be_taken_away(amp: Any, base: Any) -> None:
    """Who assigns it while a box is delivered decides what is read next."""
    end = taking(amp, base)()
    started(end)
    end.do = lambda self: setattr(self, "recvd", b"")
    end.dataReceived(boxes(1, 2))
    assert end.taken == [b"1"]
    end.do = lambda self: setattr(self, "recvd", boxes(5) if self.taken == [b"1", b"3"] else b"")
    end.dataReceived(boxes(3, 4))
    assert end.taken == [b"1", b"3", b"5"]


@pytest.mark.parametrize("way", WAYS)
def test_an_unknown_state_drops_strings(way: str, amp: Any) -> None:
    """And says so in the log, until it is a known one."""
    lines: list[Any] = []
    end = taking(amp, WAYS[way](amp.AMP))()
    started(end)
    end.state = "nowhere"
    log.addObserver(lines.append)
    end.dataReceived(b"\0\1a\0\1b")
    log.removeObserver(lines.append)
    assert [each["message"] for each in lines] == [("callback", "nowhere", "not found")] * 2
    end.state = "init"
    end.dataReceived(boxes(1))
    assert end.taken == [b"1"]


def test_the_state_done_closes(amp: Any) -> None:
    """A step that returns it ends the connection."""
    cls: Any = type("Ending", (amp.AMP,), {"proto_init": lambda *_: "done"})
    wire = started(end := cls())
    end.dataReceived(b"\0\1a")
    assert (wire.closed, end.state) == (1, "done")


def test_a_program_may_pause_and_resume(amp: Any, base: Any) -> None:
    """In the middle of a piece; the rest is delivered when it resumes."""
    end = taking(amp, base)()
    wire = started(end)
    assert end.paused is False
    end.do = lambda self: self.pauseProducing()
    end.dataReceived(boxes(1, 2))
    assert (end.taken, end.paused, wire.calls) == ([b"1"], True, ["pauseProducing"])
    end.dataReceived(boxes(3))
    assert end.taken == [b"1"]
    end.do = None
    end.resumeProducing()
    assert (end.taken, end.paused) == ([b"1", b"2", b"3"], False)
    assert wire.calls == ["pauseProducing", "resumeProducing"]
    end.stopProducing()
    assert (wire.calls[2:], end.paused) == (["stopProducing"], True)


def test_what_is_paused_is_unread(amp: Any, base: Any) -> None:
    """It can be seen, and a switch takes it."""
    end = taking(amp, base)()
    started(end)
    end.paused = True
    end.dataReceived(boxes(1))
    assert end.recvd == boxes(1)
    end.paused = False
    end.dataReceived(b"")
    assert end.taken == [b"1"]


def test_the_other_attributes_of_a_protocol(base: Any) -> None:
    """As every protocol has them."""
    end = base()
    assert (end.factory, end.transport, end.connected, end.logPrefix()) == (None, None, 0, "AMP")
    end.connectionMade()
