"""The exceptions: how they are related, what they hold, and what they say."""

from typing import Any

import pytest
from twisted.python.failure import Failure

PARENTS: dict[str, Any] = {
    "AmpError": Exception,
    "ProtocolSwitched": Exception,
    "OnlyOneTLS": "AmpError",
    "NoEmptyBoxes": "AmpError",
    "InvalidSignature": "AmpError",
    "TooLong": "AmpError",
    "BadLocalReturn": "AmpError",
    "RemoteAmpError": "AmpError",
    "UnknownRemoteError": "RemoteAmpError",
    "UnhandledCommand": "AmpError",
    "MalformedAmpBox": "AmpError",
    "IncompatibleVersions": "AmpError",
}


@pytest.mark.parametrize("name", PARENTS)
def test_each_is_a_kind_of_its_parent(name: str, amp: Any) -> None:
    """All are AmpErrors but ProtocolSwitched; an UnhandledCommand is no RemoteAmpError."""
    parent = PARENTS[name]
    assert issubclass(getattr(amp, name), parent if isinstance(parent, type) else getattr(amp, parent))
    assert not issubclass(amp.ProtocolSwitched, amp.AmpError)
    assert not issubclass(amp.UnhandledCommand, amp.RemoteAmpError)


@pytest.mark.parametrize(
    "name", ["AmpError", "NoEmptyBoxes", "UnhandledCommand", "InvalidSignature", "MalformedAmpBox"]
)
def test_plain_ones_hold_what_they_are_given(name: str, amp: Any) -> None:
    """As every exception of Python does."""
    assert getattr(amp, name)(b"UNHANDLED", "text").args == (b"UNHANDLED", "text")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((True, True, b"k" * 256), "local key too long: 256"),
        ((False, False, b"v", b"k"), "remote value b'k' too long: 1"),
    ],
)
def test_too_long_says_what_and_where(args: Any, said: str, amp: Any) -> None:
    """In its repr; it has no arguments, and so its text is empty."""
    error = amp.TooLong(*args)
    assert (repr(error), str(error), error.args) == (said, "", ())
    assert (error.isKey, error.isLocal, error.value) == args[:3]
    assert error.keyName == (args[3] if len(args) > 3 else None)


def test_too_long_takes_names(amp: Any) -> None:
    """Its parameters have the names of its attributes."""
    assert amp.TooLong(isKey=False, isLocal=True, value=b"", keyName=b"k").keyName == b"k"


def failure() -> Failure:
    """A failure with a traceback."""
    try:
        raise LookupError("why")
    except LookupError:
        return Failure()


def test_bad_local_return_shows_what_it_encloses(amp: Any) -> None:
    """Text and repr are the message and the brief traceback."""
    enclosed = failure()
    error = amp.BadLocalReturn("message", enclosed)
    assert str(error) == repr(error) == f"message {enclosed.getBriefTraceback()}"
    assert (error.message, error.enclosed) == ("message", enclosed)
    assert amp.BadLocalReturn(message="m", enclosed=enclosed).message == "m"


def test_a_remote_error_has_code_and_description(amp: Any) -> None:
    """And says both."""
    error = amp.RemoteAmpError(b"CODE", "text")
    assert (error.errorCode, error.description, error.fatal, error.local) == (b"CODE", "text", False, None)
    assert str(error) == "Code<CODE>: text"
    assert error.args == ("Code<CODE>: text",)


def test_a_remote_error_shows_its_local_failure(amp: Any) -> None:
    """The brief traceback follows."""
    local = failure()
    error = amp.RemoteAmpError(errorCode=b"CODE", description="text", fatal=True, local=local)
    assert str(error) == f"Code<CODE> (local): text\n{local.getBriefTraceback()}"
    assert (error.fatal, error.local) == (True, local)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (b"\xfe\xff", "\\xfe\\xff"),
        (b"a\nb", "a\nb"),
        (b"", ""),
        (bytearray(b"x"), "x"),
        (memoryview(b"x\x80"), "x\\x80"),
    ],
)
def test_codes_that_are_not_ascii_are_escaped(code: Any, said: str, amp: Any) -> None:
    """Byte by byte, in small letters; ASCII stays as it is."""
    assert str(amp.RemoteAmpError(code, "text")) == f"Code<{said}>: text"


@pytest.mark.parametrize("code", ["CODE", 3, None])
def test_codes_are_bytes(code: Any, amp: Any) -> None:
    """Text is refused."""
    with pytest.raises(TypeError):
        amp.RemoteAmpError(code, "text")


def test_descriptions_may_be_bytes(amp: Any) -> None:
    """They are shown as Python shows bytes."""
    assert str(amp.RemoteAmpError(b"CODE", b"\xff")) == "Code<CODE>: b'\\xff'"


def test_an_unknown_remote_error_has_the_code_for_it(amp: Any) -> None:
    """Its only argument is the description."""
    error = amp.UnknownRemoteError(description="text")
    assert (error.errorCode, error.description, error.fatal) == (b"UNKNOWN", "text", False)
    assert str(error) == "Code<UNKNOWN>: text"
