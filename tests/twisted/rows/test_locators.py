"""Locators: which responder a name means, and what becomes of its result and its exceptions."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators

import warnings
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.twisted.rows.common import PENDING, Watched


class Short(Exception):
    """A declared error."""


class Fatal(Exception):
    """A declared error that is fatal."""


def sums(amp: Any) -> Any:
    """A command."""

    class Sum(amp.Command):
        arguments = [(b"a", amp.Integer()), (b"b-c", amp.Integer(optional=True))]
        response = [(b"total", amp.Integer())]
        errors = {Short: b"SHORT"}
        fatalErrors = {Fatal: b"FATAL"}

    return Sum


def test_responders_are_found_in_the_class_and_its_bases(amp: Any) -> None:
    """The class's own come before those of its bases, whatever is inherited in which order."""
    named: dict[str, Any] = {name: type(name, (amp.Command,), {}) for name in ("One", "Two", "Three")}
    first, second, third = named.values()

    class Base(amp.CommandLocator):
        @first.responder
        def one(self) -> Any:
            """Be overridden."""

        @second.responder
        def two(self) -> Any:
            """Be inherited."""

    class Side(amp.CommandLocator):
        @first.responder
        @third.responder
        def both(self) -> Any:
            """Answer two commands."""

    class Child(Base, Side):
        @second.responder
        def mine(self) -> Any:
            """Take the place of the base's."""

    found = {name: function.__name__ for name, (_, function) in Child._commandDispatch.items()}
    assert found == {b"One": "one", b"Two": "mine", b"Three": "both"}
    assert list(Base._commandDispatch) == [b"One", b"Two"]
    assert amp.CommandLocator._commandDispatch == {}
    assert Child._commandDispatch[b"One"][0] is first


def test_the_decorated_function_responds(amp: Any) -> None:
    """Not what a subclass has under its name."""

    class Base(amp.CommandLocator):
        @sums(amp).responder
        def sum(self, a: int, b_c: Any) -> dict[str, int]:
            return {"total": a}

    class Child(Base):
        def sum(self, a: int, b_c: Any) -> dict[str, int]:
            return {"total": -a}

    locator = Child()
    assert Watched(locator.locateResponder(b"Sum")({b"a": b"3"})).result == {b"total": b"3"}
    assert locator.locateResponder(b"Other") is None


def respond(amp: Any, function: Any, box: Any = None) -> Any:
    """Return what a function's answer to a box comes to."""
    wrapped = amp.CommandLocator()._wrapWithSerialization(aCallable=function, command=sums(amp))
    return Watched(wrapped({b"a": b"3"} if box is None else box)).result


def test_a_responder_gets_arguments_and_gives_objects(amp: Any) -> None:
    """By name; optional ones are None. The result may come later, or from a coroutine."""

    async def later(**values: Any) -> Any:
        return {"total": len(values), "more": "?"}

    waiting: Deferred[Any] = Deferred()
    assert respond(amp, lambda a, b_c: {"total": a if b_c is None else 0}) == {b"total": b"3"}
    assert respond(amp, later) == {b"total": b"2"}
    assert respond(amp, lambda **_: waiting) is PENDING
    assert type(respond(amp, lambda **_: {"total": 1})) is amp.Box


@pytest.mark.parametrize("bad", [{}, {"total": "text"}, None, 3])
def test_a_result_that_cannot_be_sent_is_a_bad_local_return(bad: Any, amp: Any) -> None:
    """It names the responder, the result and the command, and encloses the failure."""

    def function(**_: Any) -> Any:
        return bad

    error = respond(amp, function)
    assert type(error) is amp.BadLocalReturn
    assert error.message.startswith(f"{function!r} returned {bad!r} and <class ")
    assert error.message.endswith(".Sum'> could not serialize it")
    assert isinstance(error.enclosed, Failure)


@pytest.mark.parametrize(("raised", "code", "fatal"), [(Short, b"SHORT", False), (Fatal, b"FATAL", True)])
def test_a_declared_exception_is_a_remote_error(raised: Any, code: bytes, fatal: bool, amp: Any) -> None:
    """With its code, its text, whether it is fatal, and the failure on this side."""

    def function(**_: Any) -> Any:
        raise raised("text")

    error = respond(amp, function)
    assert type(error) is amp.RemoteAmpError
    assert (error.errorCode, error.description, error.fatal, error.local.type) == (code, "text", fatal, raised)


def test_other_exceptions_stay_what_they_are(amp: Any) -> None:
    """Unless a bad return itself is declared."""

    def function(**_: Any) -> Any:
        raise LookupError("text")

    assert type(respond(amp, function)) is LookupError
    candid: Any = type("Sum", (sums(amp),), {"errors": {amp.BadLocalReturn: b"BAD"}})
    wrapped = amp.CommandLocator()._wrapWithSerialization(lambda **_: None, candid)
    assert Watched(wrapped({b"a": b"3"})).result.errorCode == b"BAD"


def test_arguments_that_cannot_be_read_raise(amp: Any) -> None:
    """At once: the responder is not called."""
    with pytest.raises(KeyError):
        respond(amp, None, {})
    with pytest.raises(ValueError, match="invalid literal"):
        respond(amp, None, {b"a": b"x"})


def test_types_get_the_locator_as_protocol(amp: Any) -> None:
    """That is whose responder it is, for asks and for answers."""
    seen: list[Any] = []

    class Seeing(amp.Integer):
        def fromStringProto(self, inString: bytes, proto: Any) -> Any:
            seen.append(proto)
            return 3

        def toStringProto(self, inObject: Any, proto: Any) -> Any:
            seen.append(proto)
            return b"3"

    fields = [(b"a", Seeing())]
    command: Any = type("See", (amp.Command,), {"arguments": fields, "response": fields})
    locator = amp.CommandLocator()
    assert Watched(locator._wrapWithSerialization(lambda **values: values, command)({b"a": b"1"})).result == {
        b"a": b"3"
    }
    assert seen == [locator, locator]


def test_the_old_name_warns_and_works(amp: Any) -> None:
    """Where it is called."""
    with pytest.warns(PendingDeprecationWarning, match=r"^Call locateResponder, not lookupFunction\.$") as warned:
        assert amp.CommandLocator().lookupFunction(name=b"Other") is None
    assert warned[0].filename == __file__


def test_overriding_the_old_name_warns_and_works(amp: Any) -> None:
    """Where the responder is looked for; an upcall works."""

    class Old(amp.CommandLocator):
        @sums(amp).responder
        def sum(self, a: int, b_c: Any) -> dict[str, int]:
            return {"total": a}

        def lookupFunction(self, name: bytes) -> Any:
            return "function" if name == b"Other" else super().lookupFunction(name)

    locator = Old()
    with pytest.warns(PendingDeprecationWarning, match=r"^Override locateResponder, not lookupFunction\.$") as warned:
        assert locator.locateResponder(b"Other") == "function"
    assert warned[0].filename == __file__
    with warnings.catch_warnings(record=True) as further:
        warnings.simplefilter("always")
        assert Watched(locator.locateResponder(b"Sum")({b"a": b"3"})).result == {b"total": b"3"}
    assert len(further) == 1


def test_methods_are_found_by_their_names(amp: Any) -> None:
    """The prefix and the name in capitals; what they get is the box."""

    class Simple(amp.SimpleStringLocator):
        def amp_SUM(self) -> None:
            """Be found."""

    class Named(Simple):
        baseDispatchPrefix = b"my_"

        def my_SUM(self) -> None:
            """Be found instead."""

    assert Simple.baseDispatchPrefix == b"amp_"
    assert Simple().locateResponder(name=b"sUm").__name__ == "amp_SUM"
    assert Named().locateResponder(b"sum").__name__ == "my_SUM"
    assert Simple().locateResponder(b"other") is None


def test_amp_looks_for_commands_and_then_for_names(amp: Any) -> None:
    """In this order."""

    class Both(amp.AMP):
        @sums(amp).responder
        def sum(self, a: int, b_c: Any) -> dict[str, int]:
            return {"total": a}

        def amp_SUM(self, box: Any) -> Any:
            """Not reached."""

        def amp_OTHER(self, box: Any) -> Any:
            """Be found."""

    end = Both()
    assert Watched(end.locateResponder(b"Sum")({b"a": b"3"})).result == {b"total": b"3"}
    assert end.locateResponder(b"other").__name__ == "amp_OTHER"
    assert end.locateResponder(name=b"More") is None


def test_amp_finds_its_own_responders_whatever_its_locator(amp: Any) -> None:
    """The locator is asked by the dispatcher; `locateResponder` is the end's own."""
    assert amp.AMP(locator=amp.SimpleStringLocator()).locateResponder(b"StartTLS") is not None
