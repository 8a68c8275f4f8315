"""Commands as a program declares them: names, responses, errors, inheritance, generics, and mistakes."""

# mypy: allow-untyped-calls, allow-subclassing-any
# ruff: noqa: N815, RUF012 - so do programs on Twisted declare their commands

from __future__ import annotations

from collections import UserDict
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols import amp

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.schema.command import RESPONDS_TO, Command
from ampkit.schema.record import Record, Response
from ampkit.schema.scalars import Integer
from ampkit.schema.switch import Switch
from ampkit.wire.box import END

R = TypeVar("R")
T = TypeVar("T")


class Total(Response):
    """A response."""

    total: int


class Sum(Command[Total], errors={OverflowError: "OVERFLOW"}):
    """A command."""

    a: int
    b: int


class Ping(Command[None]):
    """A command without arguments or values."""


class Early(Command["Late"]):
    """Answered by what is defined below."""


class Late(Response):
    """Named above."""

    when: int


class TwistedSum(amp.Command):
    """The same as Sum, for Twisted."""

    commandName = b"Sum"
    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


@given(st.integers(), st.integers())
def test_a_command_is_twisted_s_byte_for_byte(a: int, b: int) -> None:
    """The ask's pairs are what Twisted sends, and the box is read back."""
    box = TwistedSum.makeArguments({"a": a, "b": b}, None)
    box[amp.COMMAND] = TwistedSum.commandName
    assert Sum.__command__.encode(Sum(a=a, b=b)) + END == box.serialize()
    assert Sum.__command__.decode(box) == Sum(a=a, b=b)


@given(st.integers())
def test_a_response_is_twisted_s_byte_for_byte(total: int) -> None:
    """The answer's pairs are what Twisted sends, and the box is read back."""
    box: Any = TwistedSum.makeResponse({"total": total}, None)
    assert Sum.__command__.encode_response(Total(total=total)) + END == box.serialize()
    assert Sum.__command__.decode_response({b"_answer": b"1", **box}) == Total(total=total)


def test_a_command_without_anything() -> None:
    """Its ask is its name, its answer is empty and becomes None, whatever stands in it."""
    schema = Ping.__command__
    assert schema.encode(Ping()) == b"\0\x08_command\0\4Ping"
    assert schema.decode({b"_command": b"Ping", b"more": b""}) == Ping()
    assert schema.response is None
    assert schema.encode_response(None) == b""
    assert schema.decode_response({b"more": b"x"}) is None


# Names


def test_a_command_has_its_class_s_name() -> None:
    """Unless it says another; a subclass does not inherit it, as with Twisted."""

    class Named(Ping, name="other-name"):
        pass

    class Sub(Named):
        pass

    class Raw(Ping, name=b"\xff"):
        pass

    class Größe(Ping):  # noqa: PLC2401 - that is the point
        pass

    names = [cls.__command__.name for cls in (Ping, Named, Sub, Raw, Größe)]
    assert names == [b"Ping", b"other-name", b"Sub", b"\xff", "Größe".encode()]


@pytest.mark.parametrize("name", ["x", "x" * 65_535])
def test_a_name_has_1_to_65535_bytes(name: str) -> None:
    """It is a value of the box."""
    made: Any = type("Made", (Command,), {}, name=name)
    assert made.__command__.encode(made()) == b"\0\x08_command" + len(name).to_bytes(2, "big") + name.encode()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "a command's name is 1 to 65535 bytes, not 0"),
        ("ü" * 32_768, "a command's name is 1 to 65535 bytes, not 65536"),
        (5, "expected str or bytes, not int"),
    ],
)
def test_other_names_are_a_type_error(name: Any, message: str) -> None:
    """With the limit."""
    with pytest.raises(TypeError, match=f"^{message}$"):
        type("Made", (Command,), {}, name=name)


# Responses


def test_a_responder_returns_the_response_or_its_values() -> None:
    """A mapping by Python names is taken for the response; a subclass is one."""

    class Better(Total):
        remark: str = "x"

    schema = Sum.__command__
    for value in (Total(total=94), {"total": 94}, UserDict({"total": 94}), Better(total=94)):
        assert schema.encode_response(value) == b"\0\5total\0\x0294"


@pytest.mark.parametrize(
    ("command", "value", "message"),
    [
        (Sum, None, "the responder of Sum must return Total, not NoneType"),
        (Sum, 94, "the responder of Sum must return Total, not int"),
        (Sum, Late(when=1), "the responder of Sum must return Total, not Late"),
        (Ping, 94, "the responder of Ping must return None, not int"),
        (Ping, {}, "the responder of Ping must return None, not dict"),
        (Sum, {}, "the responder of Sum returned a mapping that is no Total: .*missing 1 required .*'total'"),
        (Sum, {"total": 1, "x": 2}, "the responder of Sum returned a mapping that is no Total: .*unexpected .*'x'"),
        (Sum, Total(total="94"), r"Total\.total: expected int, not str"),  # type: ignore[arg-type]
        (Sum, {"total": None}, r"Total\.total: expected int, not NoneType"),
    ],
)
def test_anything_else_is_this_program_s_mistake(command: type[Command[Any]], value: Any, message: str) -> None:
    """A LocalProtocolError with the command and what was expected."""
    with pytest.raises(LocalProtocolError, match=f"^{message}"):
        command.__command__.encode_response(value)


def test_a_mapping_may_fail_the_response_s_own_check() -> None:
    """It is this program's mistake too, whatever it raises."""

    class Even(Response):
        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError("odd")

    class Ask(Command[Even]):
        pass

    with pytest.raises(LocalProtocolError, match=r"^the responder of Ask returned a mapping that is no Even: odd$"):
        Ask.__command__.encode_response({"number": 1})
    with pytest.raises(RemoteProtocolError, match=r"^Even: odd$"):
        Ask.__command__.decode_response({b"number": b"1"})


@pytest.mark.parametrize("box", [{}, {b"total": b""}, {b"total": b" 94"}])
def test_an_answer_that_is_not_what_was_declared(box: dict[bytes, bytes]) -> None:
    """A RemoteProtocolError that names the argument."""
    with pytest.raises(RemoteProtocolError, match=r"argument total"):
        Sum.__command__.decode_response(box)


# Where the response comes from


def test_a_response_may_come_later() -> None:
    """By its name as a text, in a module or in a function."""
    assert Early.__command__.response is Late

    class Inside(Command["Below"]):
        pass

    with pytest.raises(NameError, match="Below"):
        _ = Inside.__command__

    class Below(Response):
        x: int

    assert Inside.__command__.response is Below
    assert Inside.__command__.decode_response({b"x": b"1"}) == Below(x=1)


def test_a_subclass_of_a_command_whose_response_comes_later() -> None:
    """It inherits the text, and what it means where it was written."""

    def base() -> Any:
        class Base(Command["Reply"]):
            pass

        class Reply(Response):
            x: int

        return Base

    class Reply(Response):
        y: int

    class Sub(base()):  # type: ignore[misc]
        pass

    assert [field.name for field in Sub.__command__.response.__schema__.fields] == ["x"]
    assert Reply(y=1).y == 1


def test_generic_commands_may_lie_between() -> None:
    """What stands for R is found through any number of them, in whatever order their variables are."""

    class Signed(Command[R]):
        signature: bytes

    class Paged(Signed[R], Generic[T, R]):
        page: int = 0

    class Listing(Paged[int, Total]):
        folder: str

    class Direct(Signed["Total"]):
        pass

    class Silent(Signed[None]):
        pass

    class Sub(Listing):
        pass

    class Settled(Sub, Generic[T]):
        more: int = 0

    class SubSettled(Settled[int]):
        pass

    responses = [cls.__command__.response for cls in (Listing, Direct, Silent, Sub, Settled, SubSettled)]
    assert responses == [Total, Total, None, Total, Total, Total]
    assert [field.name for field in Listing.__schema__.fields] == ["folder", "page", "signature"]


def test_a_command_that_says_nothing_of_its_response_has_none() -> None:
    """Neither in brackets nor in a classic list."""

    class Bare(Command):  # type: ignore[type-arg]
        pass

    class Generics(Command[R]):
        pass

    assert Bare.__command__.response is None
    assert Generics.__command__.response is None


def test_a_mixin_before_or_behind_the_command_changes_nothing() -> None:
    """Also one that is generic itself."""

    class Mixin(Generic[T]):
        pass

    class Before(Mixin[int], Sum):
        pass

    class Behind(Command[Total], Mixin[int]):
        pass

    assert Before.__command__.response is Behind.__command__.response is Total
    assert Before.__command__.errors == Sum.__command__.errors


@pytest.mark.parametrize("response", [int, Record, Total(total=1), list[int], "int", object], ids=repr)
def test_other_things_in_the_brackets_are_a_type_error(response: Any) -> None:
    """Only a Response class or None can come back."""
    with pytest.raises(TypeError, match=r"^Wrong: Command\[\.\.\.\] takes a Response class, Switch or None, not "):

        class Wrong(Command[response]):
            pass


def test_a_classic_response_is_inherited_like_any() -> None:
    """In place of brackets."""

    class Old(Command[Any]):
        response = [(b"x", Integer())]

    class Sub(Old):
        pass

    response = Old.__command__.response
    assert response is not None
    assert Sub.__command__.response is response
    assert response.__name__ == "OldResponse"


# Errors


class Broke(Exception):
    """An error of a program."""


class VeryBroke(Broke):
    """A worse one."""


class Lend(Command[None], errors={Broke: "BROKE"}, fatal_errors={VeryBroke: b"VERY_BROKE"}):
    """Declares errors of both kinds."""

    amount: int


def test_errors_travel_by_code() -> None:
    """Text is sent as UTF-8, fatal ones are among the errors, and codes lead back to exceptions."""
    schema = Lend.__command__
    assert schema.errors == {Broke: b"BROKE", VeryBroke: b"VERY_BROKE"}
    assert schema.exceptions == {b"BROKE": Broke, b"VERY_BROKE": VeryBroke}
    assert schema.fatal == {VeryBroke}
    assert Ping.__command__.errors == {}
    assert Ping.__command__.fatal == frozenset()


def test_errors_are_inherited_and_added_to() -> None:
    """What is nearer in the order of bases is valid, also as to whether it is fatal."""

    class Sub(Lend, errors={ValueError: "VALUE", VeryBroke: "MILD"}):
        pass

    class SubSub(Sub, fatal_errors={Broke: "NOW_FATAL"}):
        pass

    class Plain(Lend, errors={ValueError: "VALUE"}):
        pass

    assert Plain.__command__.errors == {Broke: b"BROKE", VeryBroke: b"VERY_BROKE", ValueError: b"VALUE"}
    assert Plain.__command__.fatal == {VeryBroke}
    assert Sub.__command__.errors == {Broke: b"BROKE", VeryBroke: b"MILD", ValueError: b"VALUE"}
    assert Sub.__command__.fatal == frozenset()
    assert SubSub.__command__.errors == {Broke: b"NOW_FATAL", VeryBroke: b"MILD", ValueError: b"VALUE"}
    assert SubSub.__command__.fatal == {Broke}
    assert Lend.__command__.fatal == {VeryBroke}


def test_of_two_bases_that_share_one_the_nearer_word_counts() -> None:
    """A base that only inherits a code does not overrule one that says it."""

    class Left(Lend):
        pass

    class Right(Lend, errors={Broke: "RIGHT"}):
        pass

    class Both(Left, Right):
        pass

    assert Both.__command__.errors[Broke] == b"RIGHT"


def test_of_several_exceptions_with_one_code_the_last_comes_back() -> None:
    """A code can only become one exception."""

    class Shared(Command[None], errors={Broke: "X", ValueError: "X"}):
        pass

    assert Shared.__command__.exceptions == {b"X": ValueError}


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ({"BROKE": Broke}, "errors map exception classes to codes; 'BROKE' is no exception class"),
        ({KeyboardInterrupt: "STOP"}, "errors map exception classes to codes; .* is no exception class"),
        ({int: "INT"}, "errors map exception classes to codes; .* is no exception class"),
        ({Broke: 5}, "expected str or bytes, not int"),
        ({Broke: "x" * 65_536}, "an error code is at most 65535 bytes, not 65536"),
    ],
)
@pytest.mark.parametrize("keyword", ["errors", "fatal_errors"])
def test_mistakes_in_errors_are_a_type_error(keyword: str, errors: Any, message: str) -> None:
    """Of the class statement."""
    with pytest.raises(TypeError, match=f"^{message}$"):
        type("Wrong", (Command,), {}, **{keyword: errors})
    type("Right", (Command,), {}, **{keyword: {Broke: "x" * 65_535}})


# Answers


def test_a_command_may_want_no_answer() -> None:
    """The word is inherited, and can be taken back."""

    class Note(Command[None], answers=False):
        text: str

    class Sub(Note):
        pass

    class Again(Sub, answers=True):
        pass

    assert [cls.__command__.answers for cls in (Ping, Note, Sub, Again)] == [True, False, False, True]


def test_a_command_may_be_idempotent() -> None:
    """It is not unless it says so; the word is inherited, and can be taken back."""

    class Put(Command[None], idempotent=True):
        text: str

    class Sub(Put, answers=False):
        pass

    class Append(Sub, idempotent=False):
        pass

    assert [cls.__command__.idempotent for cls in (Ping, Put, Sub, Append)] == [False, True, True, False]
    assert [cls.__command__.answers for cls in (Put, Sub, Append)] == [True, False, False]


def test_without_an_answer_there_is_no_response() -> None:
    """A caller would wait for a value that never comes, so it is a TypeError of the class statement."""
    with pytest.raises(TypeError, match=r"^Quiet: with answers=False nothing comes back; make it a Command\[None\]$"):

        class Quiet(Sum, answers=False):
            pass


# The class statement


def test_fields_and_responses_in_brackets_are_inherited() -> None:
    """All but the name."""

    class Sum3(Sum):
        c: int = 0

    schema = Sum3.__command__
    assert schema.encode(Sum3(a=1, b=2)) == b"\0\x08_command\0\4Sum3\0\1a\0\0011\0\1b\0\0012\0\1c\0\0010"
    assert (schema.response, dict(schema.errors)) == (Total, {OverflowError: b"OVERFLOW"})


def test_no_field_may_be_called_responder() -> None:
    """It would hide the decorator; in a classic list, too."""
    message = r"^Wrong\.responder is taken; name the field otherwise and add Wire\(name='responder'\)$"
    for body in ({"__annotations__": {"responder": int}}, {"responder": 1}, {"arguments": [(b"responder", Integer())]}):
        with pytest.raises(TypeError, match=message):
            type("Wrong", (Command,), body)


def test_unknown_class_keywords_are_a_type_error() -> None:
    """A typing mistake is not taken for a wish of nothing."""
    with pytest.raises(TypeError):
        type("Wrong", (Command,), {}, eror={})


def test_wrong_values_of_a_command_are_found_before_anything_is_sent() -> None:
    """With class and field; missing and unknown ones when it is made."""
    with pytest.raises(LocalProtocolError, match=r"^Sum\.a: expected int, not str$"):
        Sum.__command__.encode(Sum(a="13", b=81))  # type: ignore[arg-type]
    for wrong in ({"a": 1}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(TypeError, match="Sum"):
            Sum(**wrong)


def test_wrong_asks_name_the_argument() -> None:
    """What came was not what the command declares."""
    with pytest.raises(RemoteProtocolError, match=r"^Sum lacks the argument b$"):
        Sum.__command__.decode({b"a": b"1"})
    with pytest.raises(RemoteProtocolError, match=r"^argument a of Sum: not an integer: \\x1b$"):
        Sum.__command__.decode({b"a": b"\x1b", b"b": b"1"})


def test_the_decorator_marks_the_function_and_returns_it() -> None:
    """Once for each command."""

    def function(_self: object, command: Any) -> Any:
        return command

    first: Any = Sum.responder(function)
    assert first is function
    assert Ping.responder(first) is function
    assert getattr(function, RESPONDS_TO) == (Sum, Ping)


def test_a_command_may_require_tls() -> None:
    """Its subclasses do too, unless they say otherwise."""

    class Pay(Command[None], require_tls=True):
        pass

    class PayTwice(Pay):
        pass

    class Look(Pay, require_tls=False):
        pass

    assert [cls.__command__.requires_tls for cls in (Ping, Pay, PayTwice, Look)] == [False, True, True, False]


def test_a_command_may_switch() -> None:
    """It has no response on the wire; without an answer it would switch nowhere."""

    class Become(Command[Switch]):
        pass

    class Later(Command["Switch"]):
        pass

    for command in (Become, Later):
        assert command.__command__.switches
        assert command.__command__.response is None
        assert command.__command__.decode_response({}) is None
    assert not Ping.__command__.switches

    with pytest.raises(TypeError, match="answers=False"):

        class Nowhere(Command[Switch], answers=False):
            pass
