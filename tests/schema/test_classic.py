"""The classic lists: the same commands as Twisted's, byte for byte, and mistakes in them."""

# mypy: allow-untyped-calls, allow-subclassing-any
# ruff: noqa: N815, RUF012 - so do programs on Twisted declare their commands

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from twisted.protocols import amp

from ampkit.schema.classic import ClassicList, record_from_classic, refuse_attributes, take_arguments, take_response
from ampkit.schema.command import Command
from ampkit.schema.containers import AmpList, ListOf
from ampkit.schema.record import Record, Response
from ampkit.schema.scalars import Integer, String, Text, Unicode
from ampkit.schema.typed import Wire
from ampkit.testing.strategies import commands
from ampkit.wire.box import END


class Copy(Command[Any]):
    """A command as its program on Twisted declared it."""

    arguments = [
        (b"from", Unicode()),
        (b"to", Unicode()),
        (b"dry-run", Integer(optional=True)),
        (b"data", ListOf(String(), optional=True)),
        (b"parts", AmpList([(b"class", Integer()), (b"note", Unicode(optional=True))], optional=True)),
    ]
    response = [(b"copied", Integer()), (b"why-not", Unicode(optional=True))]


class TwistedCopy(amp.Command):
    """The same for Twisted."""

    commandName = b"Copy"
    arguments = [
        (b"from", amp.Unicode()),
        (b"to", amp.Unicode()),
        (b"dry-run", amp.Integer(optional=True)),
        (b"data", amp.ListOf(amp.String(), optional=True)),
        (b"parts", amp.AmpList([(b"class", amp.Integer()), (b"note", amp.Unicode(optional=True))], optional=True)),
    ]
    response = [(b"copied", amp.Integer()), (b"why-not", amp.Unicode(optional=True))]


def objects(command: Any) -> dict[str, Any]:
    """Return what a program on Twisted passes for this command."""
    names = ["From", "to", "dry_run", "data"]
    values = {name: getattr(command, name) for name in names if getattr(command, name) is not None}
    if command.parts is not None:
        parts = [{"Class": part.Class, "note": part.note} for part in command.parts]
        values["parts"] = [{name: value for name, value in part.items() if value is not None} for part in parts]
    return values


@given(commands(Copy))
def test_commands_are_twisted_s_byte_for_byte(command: Any) -> None:
    """Twisted sends the same bytes for the same values, keywords and dashes and all."""
    box = TwistedCopy.makeArguments(objects(command), None)
    box[amp.COMMAND] = TwistedCopy.commandName
    assert Copy.__command__.encode(command) + END == box.serialize()
    assert Copy.__command__.decode(box) == command


@pytest.mark.parametrize("why_not", [None, "", "because"])
def test_responses_are_twisted_s_byte_for_byte(why_not: str | None) -> None:
    """Also the values of an answer, by their Python names."""
    schema = Copy.__command__
    values = {"copied": 3} | ({} if why_not is None else {"why_not": why_not})
    box: Any = TwistedCopy.makeResponse(values, None)
    assert schema.encode_response(values) + END == box.serialize()
    response = schema.decode_response(box)
    assert (response.copied, response.why_not) == (3, why_not)
    assert repr(response) == f"CopyResponse(copied=3, why_not={why_not!r})"


def test_classic_and_typed_are_the_same_schema() -> None:
    """Keys, Python names, types and what is optional."""

    class Typed(Command[None], name="Copy"):
        From: str
        to: str
        dry_run: Annotated[int | None, Wire("dry-run")] = None
        data: list[bytes] | None = None

    typed = [(f.name, f.key, repr(f.argument), f.optional) for f in Typed.__schema__.fields]
    classic = [(f.name, f.key, repr(f.argument), f.optional) for f in Copy.__schema__.fields if f.name != "parts"]
    assert [(n, k, a.replace(", optional=True", "").replace("optional=True", ""), o) for n, k, a, o in classic] == typed
    assert Typed.__command__.name == Copy.__command__.name == b"Copy"


def test_the_lists_are_taken_out_of_the_class() -> None:
    """A subclass may have a field of such a name, and must not get the list for its default."""
    assert not hasattr(Copy, "arguments")
    assert not hasattr(Copy, "response")

    fields = {"arguments": int, "response": str}
    make: Any = type("Reply", (Copy,), {"__annotations__": fields})
    assert make(From="a", to="b", arguments=1, response="x").response == "x"
    with pytest.raises(TypeError, match="missing 2 required"):
        make(From="a", to="b")


def test_typed_fields_may_have_these_names() -> None:
    """With an annotation it is a field and no list."""

    class Meta(Command[None]):
        arguments: list[int]
        response: str = "none"

    assert [field.name for field in Meta.__schema__.fields] == ["arguments", "response"]
    assert Meta.__command__.response is None


def test_a_subclass_adds_to_a_classic_list() -> None:
    """In either form; Twisted would replace the list."""

    class More(Copy):
        arguments = [(b"speed", Integer())]
        limit: int | None = None

    assert [f.key for f in More.__schema__.fields] == sorted(
        [b"from", b"to", b"dry-run", b"data", b"parts", b"speed", b"limit"]
    )
    assert More.__command__.response is Copy.__command__.response


def test_a_record_can_be_made_of_a_list() -> None:
    """With the name, the base and the module that its maker wants."""
    cls = record_from_classic("Pair", [(b"a", Integer()), (b"b", Text(optional=True))], Response, "somewhere")
    assert (cls.__name__, cls.__module__, cls.__bases__) == ("Pair", "somewhere", (Response,))
    assert cls.__schema__.decode({b"a": b"1"}) == cls(a=1)  # type: ignore[call-arg]
    assert record_from_classic("None", [], Record).__schema__.fields == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([("a", Integer())], r"expected \(b'name', Argument\(\)\) pairs in the classic list, not \('a', Integer\(\)\)"),
        ([(b"a", Integer)], r"expected \(b'name', Argument\(\)\) pairs"),
        ([(b"a", int)], r"expected \(b'name', Argument\(\)\) pairs"),
        ([b"a"], r"expected \(b'name', Argument\(\)\) pairs in the classic list, not b'a'"),
        ([(b"a", Integer(), "more")], r"expected \(b'name', Argument\(\)\) pairs"),
        ([(b"a-b", Integer()), (b"a_b", Integer())], "two arguments of the classic list are 'a_b' in Python"),
        ([(b"from", Integer()), (b"From", Integer())], "two arguments of the classic list are 'From' in Python"),
    ],
    ids=["text", "class", "type", "no pair", "triple", "dash", "keyword"],
)
def test_a_list_that_is_none_names_the_class(arguments: Any, message: str) -> None:
    """A TypeError of the class statement, for arguments, for responses and in an AmpList."""
    with pytest.raises(TypeError, match=f"^Wrong: {message}"):
        type("Wrong", (Command,), {"arguments": arguments})
    with pytest.raises(TypeError, match=f"^WrongResponse: {message}"):
        type("Wrong", (Command,), {"response": arguments})
    with pytest.raises(TypeError, match=f"^AmpListItem: {message}"):
        AmpList(arguments)


def test_a_name_that_python_cannot_spell_needs_a_typed_field() -> None:
    """The message says so."""
    with pytest.raises(TypeError, match="cannot be spelled in Python; use a typed field"):
        record_from_classic("Wrong", [(b"a b", Integer())], Record)


@pytest.mark.parametrize(
    ("attribute", "value", "instead"),
    [
        ("commandName", b"x", "name"),
        ("errors", {}, "errors"),
        ("fatalErrors", {}, "fatal_errors"),
        ("fatal_errors", {}, "fatal_errors"),
        ("requiresAnswer", False, "answers"),
    ],
)
def test_what_twisted_takes_from_the_body_is_a_class_keyword_here(attribute: str, value: Any, instead: str) -> None:
    """It would be overlooked in silence, so it is a TypeError that says what to write."""
    message = rf"^Old\.{attribute}: say it as a class keyword, class Old\(Command, {instead}=\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        refuse_attributes(type("Old", (), {attribute: value}))
    with pytest.raises(TypeError, match=message):
        type("Old", (Command,), {attribute: value})
    with pytest.raises(TypeError, match=message):
        type("Old", (Command,), {attribute: value, "__annotations__": {attribute: ClassVar[object]}})
    refuse_attributes(type("Typed", (), {attribute: value, "__annotations__": {attribute: "int"}}))


def test_a_body_without_lists_is_left_alone() -> None:
    """Nothing is taken, nothing is changed."""

    class Plain:
        a: int

    take_arguments(Plain)
    assert take_response(Plain) is None
    assert Plain.__annotations__ == {"a": "int"}


def test_the_lists_may_be_called_class_variables() -> None:
    """As linters want lists in class bodies to be; the annotation is a text in this module, and a type in others."""

    class Ask(Command[Any]):
        arguments: ClassVar[ClassicList] = [(b"a", Integer())]
        response: ClassVar[ClassicList] = [(b"b", Integer())]

    typed: Any = type(
        "Typed", (Command,), {"arguments": [], "__annotations__": {"arguments": ClassVar[ClassicList], "x": int}}
    )
    assert [field.name for field in Ask.__schema__.fields] == ["a"]
    assert Ask.__command__.encode_response({"b": 1}) == b"\0\1b\0\0011"
    assert [field.name for field in typed.__schema__.fields] == ["x"]


def test_an_empty_list_is_a_list() -> None:
    """A command without arguments, whose response has no values, still has a response."""

    class Ping(Command[Any]):
        arguments = ()
        response = ()

    assert Ping.__schema__.fields == ()
    assert Ping.__command__.response is not None
    assert Ping.__command__.encode_response({}) == b""
