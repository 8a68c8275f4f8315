"""Commands: how they are declared, and what they make of objects and boxes; carrying them out is in `test_doing.py`."""

# mypy: allow-untyped-calls, allow-subclassing-any

from typing import Any

import pytest

from tests.twisted.rows.common import Watched


class Base(Exception):
    """A declared error."""


class Derived(Base):
    """A kind of it."""


class Other(Exception):
    """Another one."""


def test_a_command_has_these_defaults(amp: Any) -> None:
    """Nothing is declared, boxes are plain, and an answer is wanted."""
    command = amp.Command
    assert (command.arguments, command.response, command.extra) == ([], [], [])
    assert (command.errors, command.fatalErrors, command.allErrors, command.reverseErrors) == ({}, {}, {}, {})
    assert (command.commandType, command.responseType) == (amp.Box, amp.Box)
    assert command.requiresAnswer is True
    assert command.commandName == b"Command"


def test_a_command_is_named_after_its_class(amp: Any) -> None:
    """A subclass has its own name, unless it says another."""

    class One(amp.Command):
        commandName = b"Eins"

    class Two(One):
        """Inherits no name."""

    assert (One.commandName, Two.commandName) == (b"Eins", b"Two")


def test_only_a_name_that_is_needed_must_be_ascii(amp: Any) -> None:
    """A class of any name may say what it is called on the wire."""
    assert amp._CommandMeta("S\xfcm", (amp.Command,), {"commandName": b"Sum"}).commandName == b"Sum"
    with pytest.raises(UnicodeEncodeError):
        amp._CommandMeta("S\xfcm", (amp.Command,), {})


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"commandName": "text"}, "Command names must be byte strings, got: 'text'"),
        ({"arguments": [("text", None)]}, "Argument names must be byte strings, got: 'text'"),
        ({"response": [(b"a", None), ("text", None)]}, "Response names must be byte strings, got: 'text'"),
        ({"errors": {Other: "text"}}, "Error names must be byte strings, got: 'text'"),
        ({"fatalErrors": [(Other, 3)]}, "Fatal error names must be byte strings, got: 3"),
        ({"commandName": "text", "errors": {Other: "code"}}, "Command names must be byte strings, got: 'text'"),
    ],
)
def test_names_are_bytes(attributes: Any, said: str, amp: Any) -> None:
    """Anything else is a TypeError when the class is made."""
    with pytest.raises(TypeError) as raised:
        type("Wrong", (amp.Command,), attributes)
    assert str(raised.value) == said


def family(amp: Any) -> Any:
    """A command that inherits errors from two bases, and declares more as pairs."""

    class First(amp.Command):
        errors: Any = {Base: b"BASE"}
        fatalErrors: Any = {Other: b"OTHER"}

    class Second(First):
        errors = [(Derived, b"DERIVED"), (Base, b"BASE2")]
        fatalErrors = ((KeyError, b"KEY"),)

    return Second


def test_errors_add_up_over_the_bases(amp: Any) -> None:
    """In the order of declaration, errors before fatal ones; what a subclass says anew counts. Pairs become tables."""
    command = family(amp)
    assert command.errors == {Derived: b"DERIVED", Base: b"BASE2"}
    assert command.fatalErrors == {KeyError: b"KEY"}
    assert list(command.allErrors.items()) == [
        (Base, b"BASE2"),
        (Derived, b"DERIVED"),
        (Other, b"OTHER"),
        (KeyError, b"KEY"),
    ]
    assert command.reverseErrors == {b"BASE2": Base, b"DERIVED": Derived, b"OTHER": Other, b"KEY": KeyError}


def test_an_error_that_is_fatal_too_has_its_fatal_code(amp: Any) -> None:
    """Both codes mean it."""
    both = {"errors": {Base: b"SOFT"}, "fatalErrors": {Base: b"HARD"}}
    command: Any = type("Both", (amp.Command,), both)
    assert command.allErrors == {Base: b"HARD"}
    assert command.reverseErrors == {b"SOFT": Base, b"HARD": Base}


def summing(amp: Any) -> Any:
    """A command with arguments of all sorts of names."""

    class Sum(amp.Command):
        arguments = [(b"a-b", amp.Integer()), (b"from", amp.Integer()), (b"c", amp.Integer(optional=True))]
        response = [(b"total", amp.Integer()), (b"note", amp.Unicode(optional=True))]

    return Sum


def test_a_command_keeps_what_it_is_called_with(amp: Any) -> None:
    """Unknown names too; they are found later."""
    assert summing(amp)(a_b=1, From=2, more=3).structured == {"a_b": 1, "From": 2, "more": 3}


def test_a_command_says_what_was_forgotten(amp: Any) -> None:
    """By the names in Python, in their order."""
    with pytest.raises(amp.InvalidSignature) as raised:
        summing(amp)(**{"from": 1, "c": None})
    assert str(raised.value) == "forgot a_b, From for b'Sum'"
    with pytest.raises(TypeError):
        summing(amp)(1)


def test_arguments_become_a_box(amp: Any) -> None:
    """Of the command's own kind."""
    command: Any = type("Sum", (summing(amp),), {"commandType": type("Own", (amp.Box,), {})})
    box = command.makeArguments(objects={"a_b": 1, "From": 2, "c": None}, proto=None)
    assert (type(box), box) == (command.commandType, {b"a-b": b"1", b"from": b"2"})
    with pytest.raises(KeyError, match="From"):
        command.makeArguments({"a_b": 1}, None)


@pytest.mark.parametrize("name", ["more", "from", "a-b"])
def test_an_unknown_argument_is_refused(name: str, amp: Any) -> None:
    """A name on the wire that is another in Python is unknown."""
    with pytest.raises(amp.InvalidSignature) as raised:
        summing(amp).makeArguments({"a_b": 1, "From": 2, name: 3}, None)
    assert str(raised.value) == f"{name} is not a valid argument"


def test_a_response_becomes_a_box(amp: Any) -> None:
    """Of the command's own kind; unknown names are left out, and a missing one is a KeyError."""
    command: Any = type("Sum", (summing(amp),), {"responseType": amp.QuitBox})
    box = command.makeResponse(objects={"total": 3, "more": "?"}, proto=None)
    assert (type(box), box) == (amp.QuitBox, {b"total": b"3"})
    with pytest.raises(KeyError, match="total"):
        command.makeResponse({}, None)
    with pytest.raises(AttributeError, match="copy"):
        command.makeResponse(None, None)


def test_a_response_that_cannot_be_made_fails(amp: Any) -> None:
    """Its Deferred has the exception of the box's class."""

    def refuse() -> Any:
        raise Other("no box")

    command: Any = type("Sum", (summing(amp),), {"responseType": staticmethod(refuse)})
    made = Watched(command.makeResponse({"total": 3}, None))
    assert type(made.result) is Other


def test_boxes_become_objects(amp: Any) -> None:
    """Of anything that can be copied; the box stays as it is."""
    strings = {b"a-b": b"1", b"from": b"2", b"more": b"?"}
    assert summing(amp).parseArguments(box=strings, protocol=None) == {"a_b": 1, "From": 2, "c": None}
    assert summing(amp).parseResponse(box=amp.Box(total=b"3"), protocol=None) == {"total": 3, "note": None}
    assert len(strings) == 3
    with pytest.raises(KeyError, match="total"):
        summing(amp).parseResponse({}, None)


def test_a_responder_is_the_function_itself(amp: Any) -> None:
    """It waits in the locator's list for the next class."""

    def function() -> None:
        """Do nothing."""

    command = summing(amp)
    assert command.responder(methodfunc=function) is function
    assert amp.CommandLocator._currentClassCommands == [(command, function)]
    adopting: Any = type("Adopting", (amp.CommandLocator,), {})
    assert adopting._commandDispatch == {b"Sum": (command, function)}
    assert amp.CommandLocator._currentClassCommands == []


def test_start_tls_has_certificates_that_stay_here(amp: Any) -> None:
    """By name only; they are attributes, and no arguments on the wire."""
    start = amp.StartTLS
    assert (start.commandName, start.responseType) == (b"StartTLS", amp._TLSBox)
    for fields in (start.arguments, start.response):
        assert [name for name, _ in fields] == [b"tls_localCertificate", b"tls_verifyAuthorities"]
        assert all(isinstance(each, amp._LocalArgument) and each.optional for _, each in fields)
    plain, full = start(), start(tls_localCertificate="certificate", tls_verifyAuthorities=["authority"])
    assert (full.certificate, full.authorities, full.structured) == ("certificate", ["authority"], {})
    assert (plain.certificate.client, plain.authorities) == (True, None)
    with pytest.raises(TypeError):
        start("certificate")


def test_start_tls_can_be_subclassed(amp: Any) -> None:
    """With arguments of its own beside."""
    command: Any = type("Secure", (amp.StartTLS,), {"arguments": [*amp.StartTLS.arguments, (b"level", amp.Integer())]})
    assert command(level=3, tls_localCertificate="certificate").structured == {"level": 3}
    with pytest.raises(amp.InvalidSignature, match="forgot level for b'Secure'"):
        command()


def test_a_switch_keeps_its_factory(amp: Any) -> None:
    """The rest of the arguments are the command's. Its response is the protocol that the responder returned."""
    command: Any = type("Switch", (amp.ProtocolSwitchCommand,), {"arguments": [(b"name", amp.Unicode())]})
    made = command("factory", name="x")
    assert (made.protoToSwitchToFactory, made.structured) == ("factory", {"name": "x"})
    assert command(_protoToSwitchToFactory="factory", name="x").structured == {"name": "x"}
    box = command.makeResponse(innerProto="inner", proto=None)
    assert (type(box), box.innerProto, box) == (amp._SwitchBox, "inner", {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # by which pyOpenSSL means Twisted
def test_no_certificate_is_anonymous_or_temporary(amp: Any) -> None:
    """A client verifies only if there are authorities; a server makes a certificate."""
    client, server = amp._NoCertificate(client=True), amp._NoCertificate(False)
    assert (client.client, server.client) == (True, False)
    assert client.options().verify is False
    options = server.options()
    subject = options.certificate.get_subject()
    assert (subject.CN, options.certificate.get_serial_number()) == ("TEMPORARY CERTIFICATE", 1)
    authority = amp.Certificate(options.certificate)
    verifying = client.options(authority)
    assert (verifying.verify, verifying.requireCertificate, verifying.caCerts) == (True, True, [authority.original])
