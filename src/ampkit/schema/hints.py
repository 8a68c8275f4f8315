"""Annotations as types, evaluated as soon as all that they name is there; knows no field and no wire form."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Scope: TypeAlias = Callable[[], Mapping[str, Any]]
"""Gives the local names around a class, as they are when it is called."""


class Compiled(Generic[T]):
    """A class attribute that is made when first asked for, so that annotations may name classes defined later."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> T:
        value = self._make()
        setattr(owner, self._name, value)
        return value

    @classmethod
    def install(cls, owner: type, name: str, make: Callable[[], T]) -> None:
        """Put it on a class, and make it at once if all that it names is there: a mistake shows where it is made."""
        later = cls(make)
        later.__set_name__(owner, name)
        setattr(owner, name, later)
        with contextlib.suppress(NameError):
            getattr(owner, name)


def scope_of(cls: type) -> Scope:
    """Return the scope in which a class is being defined; to be called while it is."""
    frame: types.FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - as dataclasses and typing do
    while frame and not _defines(frame, cls):
        frame = frame.f_back
    if frame is None or frame.f_locals is frame.f_globals:
        return dict
    inside = frame
    return lambda: inside.f_locals


def _defines(frame: types.FrameType, cls: type) -> bool:
    """Tell the frame with the class statement from those of us, and of bases that a program has between."""
    return frame.f_globals.get("__name__") == cls.__module__ and frame.f_code.co_name != "__init_subclass__"


def own_hints(cls: type, scope: Scope) -> dict[str, Any]:
    """Return what a class's own annotations mean, not those of its bases. Raises NameError if that is not known yet."""
    classes = {name: member for name, member in vars(cls).items() if isinstance(member, type)}
    return _evaluate(inspect.get_annotations(cls), cls.__module__, {**scope(), **classes})


def evaluated(annotation: object, cls: type, scope: Scope) -> Any:
    """Return what one annotation means beside a class statement. Raises NameError if that is not known yet."""
    return _evaluate({"it": annotation}, cls.__module__, scope())["it"]


def _evaluate(annotations: Mapping[str, Any], module: str, names: Mapping[str, Any]) -> dict[str, Any]:
    holder = type("Holder", (), {"__annotations__": annotations, "__module__": module})
    return typing.get_type_hints(holder, localns=dict(names), include_extras=True)
