"""The classic form of declarations, lists of `(b"name", Argument())`, turned into typed ones; compiles nothing."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from ampkit.schema.argument import Argument
from ampkit.schema.names import python_name
from ampkit.schema.record import Record, Response
from ampkit.schema.typed import Wire

B = TypeVar("B", bound=Record)

ClassicList: TypeAlias = Sequence[tuple[bytes, Argument[Any]]]
"""`[(b"name", Argument()), ...]`, with names as they are on the wire."""

_KEYWORD_FOR: Final = {
    "commandName": "name",
    "errors": "errors",
    "fatalErrors": "fatal_errors",
    "fatal_errors": "fatal_errors",
    "requiresAnswer": "answers",
}
"""What a class body of Twisted's says as attributes, and the class keyword that says it here."""


def record_from_classic(name: str, arguments: ClassicList, base: type[B], module: str = __name__) -> type[B]:
    """Return a record class made from a classic list. Raises TypeError for a list that is none."""
    annotations = _annotations(name, arguments)
    members = {**_defaults(annotations), "__annotations__": annotations, "__module__": module}
    return types.new_class(name, (base,), exec_body=lambda namespace: namespace.update(members))


def take_arguments(cls: type) -> None:
    """Turn a class body's own list of arguments into annotations."""
    arguments = _taken(cls, "arguments")
    if arguments is not None:
        annotations = _annotations(cls.__name__, arguments)
        for name, default in _defaults(annotations).items():
            setattr(cls, name, default)
        cls.__annotations__ = inspect.get_annotations(cls) | annotations


def take_response(cls: type) -> type[Response] | None:
    """Turn a class body's own list of the response's values into a class; None if it has none."""
    values = _taken(cls, "response")
    return None if values is None else record_from_classic(f"{cls.__name__}Response", values, Response, cls.__module__)


def refuse_attributes(cls: type) -> None:
    """Raise TypeError for what Twisted takes from the class body and ampkit as a class keyword."""
    for attribute, keyword in _KEYWORD_FOR.items():
        if _is_plain_attribute(cls, attribute):
            instead = f"class {cls.__name__}(Command, {keyword}=...)"
            raise TypeError(f"{cls.__name__}.{attribute}: say it as a class keyword, {instead}")


def _is_plain_attribute(cls: type, name: str) -> bool:
    """Tell what a class body only sets, or calls a class variable, from a field and its default."""
    return name in vars(cls) and "ClassVar" in str(inspect.get_annotations(cls).get(name, "ClassVar"))


def _taken(cls: type, name: str) -> ClassicList | None:
    """Take a list out of a class body, where it would be the default of a subclass's field of that name."""
    if not _is_plain_attribute(cls, name):
        return None
    classic: ClassicList = vars(cls)[name]
    delattr(cls, name)
    return classic


def _annotations(owner: str, arguments: ClassicList) -> dict[str, Any]:
    annotations: dict[str, Any] = {}
    for item in arguments:
        match item:
            case (bytes(key), Argument() as argument):
                name = python_name(key)
            case _:
                raise TypeError(f"{owner}: expected (b'name', Argument()) pairs in the classic list, not {item!r}")
        if name in annotations:
            raise TypeError(f"{owner}: two arguments of the classic list are {name!r} in Python")
        annotations[name] = Annotated[Any, argument, Wire(key)]
    return annotations


def _defaults(annotations: Mapping[str, Any]) -> dict[str, None]:
    return {name: None for name, annotation in annotations.items() if annotation.__metadata__[0].optional}
