"""A record is made by the call of its class as `dataclass` would have it, whoever makes it."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampkit import Record
from tests.speed.twins import in_python, needs_both, outcome

pytestmark = needs_both


def _make() -> SimpleNamespace:
    """Return classes of the twin that is current, and what their factories have counted."""
    counter = itertools.count()
    order: list[str] = []

    class Two(Record):
        a: int
        b: str

    class Some(Record):
        a: int
        b: str = "b"
        c: list[int] = dataclasses.field(default_factory=list[int])
        d: int = dataclasses.field(default_factory=lambda: next(counter))
        e: int | None = None

    class Under(Some):
        f: int = 6
        a: int = 1

    class Empty(Record):
        pass

    class Set(Record):
        b: int
        a: int = 1
        c: int = 2

        def __setattr__(self, name: str, value: Any) -> None:
            order.append(name)
            if value == 13:
                raise ValueError("thirteen")
            super().__setattr__(name, value)

    class Looks(Record):
        a: int
        b: int = 2

        def __post_init__(self) -> None:
            self.b += self.a

    class Born(Record):
        a: int

        def __new__(cls, **values: Any) -> Any:  # noqa: ARG004
            order.append("new")
            return super().__new__(cls)

    class Failing(Record):
        a: int
        b: list[int] = dataclasses.field(default_factory=lambda: 1 // 0)  # type: ignore[arg-type,return-value]

    class Property(Record):
        a: int
        b: int = 0

        @property
        def double(self) -> int:
            return self.a * 2

    classes = {name: kind for name, kind in locals().items() if isinstance(kind, type)}
    return SimpleNamespace(counter=counter, order=order, **classes)


COMPILED: Final = _make()
with in_python():
    PYTHON: Final = _make()

_KINDS: Final = [name for name, kind in vars(PYTHON).items() if isinstance(kind, type)]
_values: Final = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "double", "self"]),
    st.sampled_from([1, 13, "x", None]),
    max_size=6,
)
_positional: Final = st.lists(st.just(1), max_size=2)


def _told(kinds: SimpleNamespace, name: str, positional: list[Any], values: dict[str, Any]) -> Any:
    """Make one, and tell all that can be seen of that."""

    def make() -> Any:
        made = getattr(kinds, name)(*positional, **values)
        return [type(made).__name__, list(vars(made).items()), made == getattr(kinds, name)(*positional, **values)]

    kinds.order.clear()
    told = outcome(make)
    return told, kinds.order.copy(), repr(kinds.counter)


@given(st.sampled_from(_KINDS), _positional, _values)
def test_any_call(name: str, positional: list[Any], values: dict[str, Any]) -> None:
    """Positional, missing, unknown and good arguments in any order; factories are called as often."""
    assert _told(COMPILED, name, positional, values) == _told(PYTHON, name, positional, values)


def test_the_compiled_ones_are_made_there() -> None:
    """Or these tests would compare Python with itself."""
    assert {name for name in _KINDS if "__maker__" in vars(getattr(COMPILED, name))} == set(_KINDS) - {"Looks", "Born"}
    assert not any(hasattr(getattr(PYTHON, name), "__maker__") for name in _KINDS)


class Name(str):
    """A name that is equal to nothing it looks like."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return super().__hash__()


_CALLS: Final[list[Callable[[Any], Any]]] = [
    lambda kind: kind(**{1: 2}),  # type: ignore[arg-type]
    lambda kind: kind(**{"a": 1, "b": "b"}),
    lambda kind: kind(**{"".join(["a"]): 1, "".join(["b"]): "b"}),
    lambda kind: kind(**{Name("a"): 1, Name("b"): "b"}),
    lambda kind: kind(*(), **{}),
    lambda kind: kind.__call__(a=1, b="b"),
    lambda kind: type.__call__(kind, a=1, b="b"),
    lambda kind: dataclasses.replace(kind(a=1, b="b"), b="c"),
    lambda kind: dataclasses.replace(kind(a=1, b="b"), z="c"),
    lambda kind: kind(kind(a=1, b="b")),
    lambda kind: kind.__init__(kind(a=1, b="b"), a=5),
    lambda kind: list(map(kind, [1])),
]  # fmt: skip


@pytest.mark.parametrize("call", _CALLS, ids=range(len(_CALLS)))
def test_unusual_ways_to_call(call: Callable[[Any], Any]) -> None:
    """Through whatever leads to a class."""
    told = [
        outcome(lambda kinds=kinds: repr(call(kinds.Two)).replace("_make.<locals>.", ""))
        for kinds in (PYTHON, COMPILED)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["__init__", "__new__", "__setattr__", "__post_init__"])
def test_a_class_that_is_changed_later(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tests do it that replace a method for a while."""
    compiled = _make()
    with in_python():
        python = _make()
    for kinds in python, compiled:
        called: list[Any] = []

        def replacement(self: Any, *args: Any, called: list[Any] = called, **kwargs: Any) -> Any:
            called.append((args, kwargs))
            return object.__new__(self) if isinstance(self, type) else None

        with monkeypatch.context() as patch:
            patch.setattr(kinds.Two, name, replacement, raising=False)
            kinds.Two(a=1, b="b")
        if name != "__new__":  # a class that had one cannot be called any more, says Python
            kinds.Two(a=1, b="b")
        assert called == {
            "__init__": [((), {"a": 1, "b": "b"})],
            "__new__": [((), {"a": 1, "b": "b"})],
            "__setattr__": [(("a", 1), {}), (("b", "b"), {})],
            "__post_init__": [],
        }.get(name)


@pytest.mark.parametrize("other", [None, 5, object])
def test_what_is_put_in_the_place_of_the_maker(other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for one."""
    monkeypatch.setattr(COMPILED.Two, "__maker__", other)
    assert vars(COMPILED.Two(b="b", a=1)) == {"a": 1, "b": "b"}


def test_a_maker_that_is_taken_away_while_it_makes() -> None:
    """What it has is kept until the instance is made."""

    class Takes(Record):
        a: int
        b: int = 2

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if "__maker__" in vars(type(self)):
                del type(self).__maker__  # type: ignore[attr-defined]
                gc.collect()

    assert vars(Takes(a=1)) == {"a": 1, "b": 2}


def test_an_init_that_comes_before_the_fields_are_known() -> None:
    """A class whose annotations name what is defined later is compiled late, and may have been changed by then."""
    called: list[dict[str, Any]] = []

    class Early(Record):
        a: list[Later]

    Early.__init__ = lambda _, **values: called.append(values)  # type: ignore[method-assign]

    class Later(Record):
        b: int

    assert Early.__schema__.fields[0].name == "a"
    Early(a=[])
    assert called == [{"a": []}]


def test_a_class_can_go_when_nobody_has_it() -> None:
    """Its maker does not keep it."""

    class Gone(Record):
        a: int

    made = Gone(a=1)
    gone = weakref.ref(Gone)
    del Gone, made
    gc.collect()
    assert gone() is None


def test_more_fields_than_a_mask_has_room_for() -> None:
    """Python makes them."""
    wide: Any = type("Wide", (Record,), {"__annotations__": {f"f{number}": int for number in range(64)}})
    values = {f"f{number}": number for number in range(64)}
    assert vars(wide(**values)) == values
    assert "__maker__" not in vars(wide)
