"""A list of arguments as one step from objects to strings and back; the arguments themselves say how each is written.

Twisted gives every argument both dictionaries, and copies of them, because a type may take what it likes from either.
The usual types take one value and give one string. Where a list has only such, their strings are made directly.
"""

from __future__ import annotations

from typing import Any

from ampkit.twisted._arguments import Argument, _objectsToStrings, _stringsToObjects
from ampkit.twisted._names import _wireNameToPythonIdentifier


class Codec:
    """Writes and reads one command's arguments, or its response."""

    __slots__ = ("_size", "arglist", "fields", "names")

    def __init__(self, arglist: Any) -> None:
        self.arglist = arglist
        self._size = len(arglist)
        fields = [(name, _wireNameToPythonIdentifier(name), each) for name, each in arglist]
        self.names = frozenset(python for _, python, _ in fields)
        self.fields = fields if all(_isPlain(each) for _, _, each in fields) else None

    def isFor(self, arglist: Any) -> bool:
        """Say whether this is the codec of a list as it is now; a class may have got another."""
        return arglist is self.arglist and len(arglist) == self._size

    def write(self, objects: Any, strings: Any, proto: Any) -> Any:
        """Write objects into a box, and return the box."""
        if self.fields is None:
            return _objectsToStrings(objects, self.arglist, strings, proto)
        if type(objects) is not dict:
            objects = objects.copy()  # what has none is no mapping, and its sender is told so
        for name, python, each in self.fields:
            if each.optional:
                value = objects.get(python)
                if value is not None:
                    strings[name] = each.toString(value)
            else:
                strings[name] = each.toString(objects[python])
        return strings

    def read(self, strings: Any, proto: Any) -> dict[str, Any]:
        """Return the objects of a box."""
        if self.fields is None:
            return _stringsToObjects(strings, self.arglist, proto)
        objects = {}
        for name, python, each in self.fields:
            if each.optional:
                string = strings.get(name)
                objects[python] = None if string is None else each.fromString(string)
            else:
                objects[python] = each.fromString(strings[name])
        return objects


_TAKEN = ("retrieve", "fromBox", "toBox", "fromStringProto", "toStringProto")
"""What a type overrides that wants more than one value and one string."""


def _isPlain(each: Any) -> bool:
    return isinstance(each, Argument) and all(
        getattr(type(each), name) is getattr(Argument, name) and name not in each.__dict__ for name in _TAKEN
    )
