"""The types of argument, with the four levels that programs override: box, key, string with protocol, string."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator
from struct import pack
from typing import Any

from twisted.python.compat import nativeString
from twisted.python.filepath import FilePath
from zope.interface import implementer

from ampkit.schema import scalars, times
from ampkit.twisted._boxes import Box
from ampkit.twisted._interfaces import ArgumentList, IArgumentType
from ampkit.twisted._names import _wireNameToPythonIdentifier
from ampkit.twisted._parsing import parseBoxes
from ampkit.twisted._times import _FixedOffsetTZInfo, inWholeMinutes


@implementer(IArgumentType)
class Argument:
    """Base of the types of argument.

    Override `fromString` and `toString` for a wire form, `fromStringProto` and `toStringProto` if it needs the
    protocol, `retrieve` to take the value from elsewhere, `fromBox` and `toBox` to use the whole box.
    """

    optional = False

    def __init__(self, optional: bool = False) -> None:
        self.optional = optional

    def retrieve(self, d: dict[Any, Any], name: Any, proto: Any) -> Any:
        """Take the entry out of a dictionary; None if it is optional and not there."""
        if not self.optional:
            return d.pop(name)
        value = d.get(name)
        if value is not None:
            del d[name]
        return value

    def fromBox(self, name: bytes, strings: dict[bytes, bytes], objects: dict[str, Any], proto: Any) -> None:
        """Read this argument from a box's strings into the objects."""
        string = self.retrieve(strings, name, proto)
        pythonName = _wireNameToPythonIdentifier(name)
        if self.optional:
            objects[pythonName] = None if string is None else self.fromStringProto(string, proto)
        else:
            objects[pythonName] = self.fromStringProto(string, proto)

    def toBox(self, name: bytes, strings: dict[bytes, bytes], objects: dict[str, Any], proto: Any) -> None:
        """Write this argument from the objects into a box's strings."""
        value = self.retrieve(objects, _wireNameToPythonIdentifier(name), proto)
        if value is not None or not self.optional:
            strings[name] = self.toStringProto(value, proto)

    def fromStringProto(self, inString: bytes, proto: Any) -> Any:
        """Return the value of a wire form; the protocol is there for those who need it."""
        return self.fromString(inString)

    def toStringProto(self, inObject: Any, proto: Any) -> bytes:
        """Return the wire form of a value; the protocol is there for those who need it."""
        string: bytes = self.toString(inObject)
        return string

    def fromString(self, inString: bytes) -> Any:
        """Return the value of a wire form. To be overridden."""

    def toString(self, inObject: Any) -> Any:
        """Return the wire form of a value. To be overridden."""


class Integer(Argument):
    """Whole numbers in decimal. What Python takes for a number when it formats `%d` can be sent."""

    fromString = int  # type: ignore[assignment]

    def toString(self, inObject: Any) -> bytes:
        return b"%d" % (inObject,)


class String(Argument):
    """Bytes as they are."""

    def toString(self, inObject: bytes) -> bytes:
        return inObject

    def fromString(self, inString: bytes) -> bytes:
        return inString


class Float(Argument):
    """Floats, and nothing else, in their shortest exact form."""

    fromString = float  # type: ignore[assignment]

    def toString(self, inObject: float) -> bytes:
        if not isinstance(inObject, float):
            raise ValueError(f"Bad float value {inObject!r}")
        return _float.encode(inObject)


class Boolean(Argument):
    """Truth: `True` or `False`. Any value can be sent as what it is in a condition."""

    def fromString(self, inString: bytes) -> bool:
        try:
            return _boolean.decode(inString)
        except ValueError:
            raise TypeError(f"Bad boolean value: {inString!r}") from None

    def toString(self, inObject: Any) -> bytes:
        return _boolean.encode(bool(inObject))


class Unicode(String):
    """Text as UTF-8."""

    def toString(self, inObject: Any) -> bytes:
        encoded: bytes = inObject.encode("utf-8")
        return encoded

    def fromString(self, inString: bytes) -> Any:
        return inString.decode("utf-8")


class Path(Unicode):
    """A FilePath; it is absolute when it arrives."""

    def fromString(self, inString: bytes) -> Any:
        return FilePath(Unicode.fromString(self, inString))

    def toString(self, inObject: Any) -> bytes:
        return Unicode.toString(self, inObject.asTextMode().path)


class Decimal(Argument):
    """A `decimal.Decimal` with its exact digits and exponent."""

    def fromString(self, inString: bytes) -> decimal.Decimal:
        return decimal.Decimal(nativeString(inString))

    def toString(self, inObject: decimal.Decimal) -> bytes:
        if isinstance(inObject, decimal.Decimal):
            return _decimal.encode(inObject)
        raise ValueError("amp.Decimal can only encode instances of decimal.Decimal")


class DateTime(Argument):
    """An aware datetime, in exactly 32 characters."""

    _positions = [
        slice(0, 4),
        slice(5, 7),
        slice(8, 10),
        slice(11, 13),
        slice(14, 16),
        slice(17, 19),
        slice(20, 26),
        slice(27, 29),
        slice(30, 32),
    ]

    def fromString(self, s: bytes) -> datetime.datetime:  # pyright: ignore[reportIncompatibleMethodOverride]  # its name
        """Return the moment, in a time zone that is named after its offset."""
        text = nativeString(s)
        if len(text) != 32:
            raise ValueError(f"invalid date format {text!r}")
        *moment, hours, minutes = (int(text[position]) for position in self._positions)
        zone = _FixedOffsetTZInfo.fromSignHoursMinutes(text[26], hours, minutes)
        return datetime.datetime(*moment, tzinfo=zone)  # type: ignore[misc, arg-type]

    def toString(self, i: datetime.datetime) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride]  # its name
        """Return the wire form. Raises ValueError for a naive datetime."""
        if i.utcoffset() is None:
            raise ValueError("amp.DateTime cannot serialize naive datetime instances.  You may find amp.utc useful.")
        return _dateTime.encode(inWholeMinutes(i))


class ListOf(Argument):
    """Any number of values of one type, together at most 65,535 bytes."""

    def __init__(self, elementType: Argument, optional: bool = False) -> None:
        self.elementType = elementType
        Argument.__init__(self, optional)

    def fromString(self, inString: bytes) -> list[Any]:
        return [self.elementType.fromString(string) for string in _split(inString)]

    def toString(self, inObject: Any) -> bytes:
        strings = map(self.elementType.toString, inObject)
        return b"".join([part for string in strings for part in (pack("!H", len(string)), string)])


def _split(data: bytes) -> Iterator[bytes]:
    """Take strings apart that have their two-byte length before them; a last one that is not whole is left out."""
    at = 0
    while (start := at + 2) <= len(data):
        at = start + int.from_bytes(data[at:start], "big")
        if at <= len(data):
            yield data[start:at]


class AmpList(Argument):
    """Any number of dictionaries with the same keys, each sent as a box, together at most 65,535 bytes."""

    def __init__(self, subargs: ArgumentList, optional: bool = False) -> None:
        assert all(isinstance(name, bytes) for name, _ in subargs), (  # noqa: S101 - as in Twisted
            "AmpList should be defined with a list of (name, argument) tuples where `name' is a byte string, "
            f"got: {subargs!r}"
        )
        self.subargs = subargs
        Argument.__init__(self, optional)

    def fromStringProto(self, inString: bytes, proto: Any) -> list[dict[str, Any]]:
        return [_stringsToObjects(box, self.subargs, proto) for box in parseBoxes(inString)]

    def toStringProto(self, inObject: Any, proto: Any) -> bytes:
        return b"".join(_objectsToStrings(objects, self.subargs, Box(), proto).serialize() for objects in inObject)


class Descriptor(Integer):
    """An open file descriptor; only over a UNIX socket."""

    def fromStringProto(self, inString: bytes, proto: Any) -> int:
        descriptor: int = proto._getDescriptor(Integer.fromStringProto(self, inString, proto))
        return descriptor

    def toStringProto(self, inObject: int, proto: Any) -> bytes:
        return Integer.toStringProto(self, proto._sendFileDescriptor(inObject), proto)


class _LocalArgument(String):  # pyright: ignore[reportUnusedClass]  # by this name in Twisted too
    """A parameter that never leaves this process."""

    def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
        pass


def _stringsToObjects(strings: Any, arglist: Any, proto: Any) -> dict[str, Any]:
    """Return the objects of a box, by Python name; the box itself is not changed."""
    objects: dict[str, Any] = {}
    remaining = strings.copy()
    descriptors: Any = getattr(proto, "_descriptors", {})
    waiting = descriptors.copy() if isinstance(descriptors, dict) else {}
    try:
        for name, each in arglist:
            each.fromBox(name, remaining, objects, proto)
    except BaseException:
        if waiting:  # those that were taken have not reached anybody
            descriptors.update(waiting)
        raise
    return objects


def _objectsToStrings(objects: Any, arglist: Any, strings: Any, proto: Any) -> Any:
    """Write objects into a box, and return the box; the objects themselves are not changed."""
    remaining = objects.copy()
    for name, each in arglist:
        each.toBox(name, strings, remaining, proto)
    return strings


_float = scalars.Float()
_boolean = scalars.Boolean()
_decimal = scalars.Decimal()
_dateTime = times.DateTime()
