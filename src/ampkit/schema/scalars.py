"""The wire forms of numbers, truth, text, bytes, paths and enumerations; dates and collections are elsewhere."""

from __future__ import annotations

import decimal
import enum
import os
import pathlib
from typing import Any, Final

from ampkit.schema.argument import Argument, wrong_type
from ampkit.wire.text import printable

_EXACT: Final = decimal.Context(traps=[decimal.InvalidOperation])
"""Refuses what is no number, whatever the program's own context says."""


class Integer(Argument[int]):
    """A decimal integer, `b"-42"`, of at most 4,300 digits (CPython's own guard for conversions)."""

    def encode(self, value: int) -> bytes:
        if not isinstance(value, int):
            raise wrong_type(value, "int")
        return b"%d" % value

    def decode(self, data: bytes) -> int:
        # int() alone would take blanks and underscores, which no AMP peer writes.
        if data.isdigit() or (data[:1] in {b"-", b"+"} and data[1:].isdigit()):
            return int(data)
        raise ValueError(f"not an integer: {printable(data)}")


class Bytes(Argument[bytes]):
    """Bytes as they are, 0 to 65,535 of them. Twisted's name for it is String."""

    def encode(self, value: bytes | bytearray | memoryview) -> bytes:
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise wrong_type(value, "bytes")

    def decode(self, data: bytes) -> bytes:
        return data


class Text(Argument[str]):
    """Text as strict UTF-8, at most 65,535 bytes of it. Twisted's name for it is Unicode."""

    def encode(self, value: str) -> bytes:
        if not isinstance(value, str):
            raise wrong_type(value, "str")
        return value.encode("utf-8")

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8")


String = Bytes
Unicode = Text


class Float(Argument[float]):
    """A float, or an int as one, in its shortest exact form: `b"1.5"`, `b"1e+22"`, `b"-0.0"`, `b"inf"`, `b"nan"`."""

    def encode(self, value: float) -> bytes:
        if not isinstance(value, float | int):
            raise wrong_type(value, "float")
        try:
            return repr(float(value)).encode("ascii")
        except OverflowError:
            raise ValueError("this integer is too large for a float") from None

    def decode(self, data: bytes) -> float:
        try:
            return float(_plain_number(data))
        except ValueError:
            raise ValueError(f"not a float: {printable(data)}") from None


class Boolean(Argument[bool]):
    """Truth, `b"True"` or `b"False"` and nothing else."""

    _values: Final = {b"True": True, b"False": False}

    def encode(self, value: bool) -> bytes:
        if not isinstance(value, bool):
            raise wrong_type(value, "bool")
        return b"True" if value else b"False"

    def decode(self, data: bytes) -> bool:
        try:
            return self._values[data]
        except KeyError:
            raise ValueError(f"not True or False: {printable(data)}") from None


class Decimal(Argument[decimal.Decimal]):
    """A `decimal.Decimal` with its exact digits and exponent, `b"1.50"`, `b"1E+5"`, `b"-Infinity"`, `b"sNaN123"`."""

    def encode(self, value: decimal.Decimal) -> bytes:
        if not isinstance(value, decimal.Decimal):
            raise wrong_type(value, "decimal.Decimal")
        return str(value).encode("ascii")

    def decode(self, data: bytes) -> decimal.Decimal:
        try:
            return decimal.Decimal(_plain_number(data), _EXACT)
        except (ValueError, decimal.InvalidOperation):
            raise ValueError(f"not a decimal number: {printable(data)}") from None


class Path(Argument[pathlib.Path]):
    """A file path as UTF-8. It is sent as it is: make it absolute if the other end has another working directory."""

    def encode(self, value: os.PathLike[str] | os.PathLike[bytes]) -> bytes:
        if not isinstance(value, os.PathLike):
            raise wrong_type(value, "pathlib.Path")
        return os.fsdecode(value).encode("utf-8")

    def decode(self, data: bytes) -> pathlib.Path:
        return pathlib.Path(data.decode("utf-8"))


class Enumeration(Argument[enum.Enum]):
    """A member of an `enum.Enum`, sent as its value; `value` is the type of argument of all its members' values."""

    def __init__(self, members: type[enum.Enum], value: Argument[Any], optional: bool = False) -> None:
        super().__init__(optional)
        self.members = members
        self.value = value

    def encode(self, value: enum.Enum) -> bytes:
        if not isinstance(value, self.members):
            raise wrong_type(value, self.members.__name__)
        return self.value.encode(value.value)

    def decode(self, data: bytes) -> enum.Enum:
        return self.members(self.value.decode(data))

    def __repr__(self) -> str:
        return f"Enumeration({self.members.__name__}{', optional=True' if self.optional else ''})"


def _plain_number(data: bytes) -> str:
    """Refuse what Python takes in a number and no AMP peer writes: blanks, underscores, digits of other scripts."""
    text = data.decode("ascii")
    if "_" in text or text.strip() != text:
        raise ValueError
    return text
