"""Annotations in all the places where classes are written, and those that name what comes later."""

from __future__ import annotations

import gc
import types
import weakref
from typing import Annotated, Any

import pytest

from ampkit.schema.hints import Compiled, evaluated, own_hints, scope_of


class Marker:
    """Something an annotation can name."""


class Watched:
    """Takes the scope of each subclass while it is being defined, as Record does."""

    scope: Any

    def __init_subclass__(cls) -> None:
        cls.scope = staticmethod(scope_of(cls))


class AtModuleLevel(Watched):
    """Its annotations name globals only."""

    a: Marker
    b: Annotated[int, "extra"]


def test_globals_are_found() -> None:
    """A class at module level needs no names but its module's, and keeps what Annotated says."""
    assert own_hints(AtModuleLevel, AtModuleLevel.scope) == {"a": Marker, "b": Annotated[int, "extra"]}
    assert AtModuleLevel.scope() == {}


def test_names_of_a_function_are_found() -> None:
    """A class inside of a function may name what stands there, before it or behind it."""

    class Before:
        pass

    class Inside(Watched):
        a: Before
        b: Behind

    with pytest.raises(NameError, match="Behind"):
        own_hints(Inside, Inside.scope)

    class Behind:
        pass

    assert own_hints(Inside, Inside.scope) == {"a": Before, "b": Behind}


def test_they_are_found_when_the_function_has_returned() -> None:
    """The names are looked up when they are needed, which may be later."""

    def make() -> tuple[type[Watched], type]:
        class Inside(Watched):
            a: Behind

        class Behind:
            pass

        return Inside, Behind

    inside, behind = make()
    assert own_hints(inside, inside.scope) == {"a": behind}


class Outer:
    """A class around classes."""

    class Sibling:
        """Named by the next one."""

    class Nested(Watched):
        """Names its sibling, and a class of its own."""

        class Own:
            """Inside of it."""

        a: Sibling  # type: ignore[name-defined]  # pyright: ignore  # noqa: F821 - a type checker does not look there
        b: Own
        number: int = 5


def test_names_of_a_class_body_are_found() -> None:
    """Both those beside the class and the classes inside of it; a default is not taken for a type."""
    hints = own_hints(Outer.Nested, Outer.Nested.scope)
    assert hints == {"a": Outer.Sibling, "b": Outer.Nested.Own, "number": int}


def test_a_default_does_not_hide_the_type_of_the_same_name() -> None:
    """Only classes of a body count as names for its annotations."""
    namespace: dict[str, Any] = {"__annotations__": {"Marker": "Marker"}, "Marker": Marker(), "__module__": __name__}
    assert own_hints(type("Shadow", (), namespace), dict) == {"Marker": Marker}


def test_bases_are_left_out() -> None:
    """Each class answers for its own annotations, because only it knows where it was written."""

    class Sub(AtModuleLevel):
        c: int

    assert own_hints(Sub, Sub.scope) == {"c": int}


def test_a_class_made_elsewhere_has_no_scope() -> None:
    """What says it is of a module that is not running has only that module's globals."""
    made: Any = types.new_class("Made", (Watched,), exec_body=lambda body: body.update(__module__="nowhere"))
    assert made.scope() == {}


def test_a_single_annotation() -> None:
    """As it stands beside a class statement: a class, None, or a text that names one."""

    class Here:
        pass

    assert evaluated("Here", AtModuleLevel, lambda: {"Here": Here}) is Here
    assert evaluated("Marker", AtModuleLevel, dict) is Marker
    assert evaluated(Marker, AtModuleLevel, dict) is Marker
    assert evaluated(None, AtModuleLevel, dict) is type(None)


class Owner:
    """Has compiled attributes put on it."""


def compiled_on(owner: Any, *outcomes: Any) -> list[str]:
    """Install an attribute that gives one outcome after the other, and return the list of its makings."""
    made: list[str] = []
    left = list(outcomes)

    def make() -> Any:
        made.append("made")
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    Compiled.install(owner, "value", make)
    return made


def test_it_is_made_at_once_and_only_once() -> None:
    """What can be made when the class is defined, is."""
    owner: Any = type("Mine", (), {})
    made = compiled_on(owner, "first")
    assert made == ["made"]
    assert (owner.value, owner().value, vars(owner)["value"]) == ("first",) * 3
    assert made == ["made"]


def test_a_name_that_comes_later_is_waited_for() -> None:
    """A NameError leaves it to the first use, on the class or on an instance, and as often as it takes."""
    owner: Any = type("Mine", (), {})
    compiled_on(owner, NameError("Later"), NameError("Later"), "then")
    with pytest.raises(NameError, match="Later"):
        _ = owner.value
    assert owner().value == "then"


def test_any_other_mistake_shows_where_it_is_made() -> None:
    """A class statement that is wrong fails itself, not its first use."""
    with pytest.raises(TypeError, match="wrong"):
        compiled_on(type("Mine", (), {}), TypeError("wrong"))


def test_a_scope_that_was_not_needed_is_let_go() -> None:
    """A class keeps the function around it alive no longer than its annotations need."""

    def make() -> tuple[type, weakref.ref[Marker]]:
        local = Marker()

        class Inside(Watched):
            a: Marker

        scope = Inside.scope
        del Inside.scope
        Compiled.install(Inside, "hints", lambda: own_hints(Inside, scope))
        return Inside, weakref.ref(local)

    inside, local = make()
    gc.collect()
    assert vars(inside)["hints"] == {"a": Marker}
    assert local() is None
