"""What a type of argument is: one value to bytes and back; knows no key, no box and no command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ampkit.schema.descriptor import Carrier

T = TypeVar("T")


class Argument(ABC, Generic[T]):
    """How one value crosses the wire.

    Subclass it for a type of your own and put an instance in `Annotated[MyType, MyArgument()]`, or in a
    classic list. An instance is shared by all connections, so it must not keep state between calls.
    `optional=True` is for classic lists; a typed field says `T | None`.
    """

    optional = False  # for subclasses whose __init__ does not call this one's

    def __init__(self, optional: bool = False) -> None:
        self.optional = optional

    @abstractmethod
    def encode(self, value: T) -> bytes:
        """Return the wire form, at most 65,535 bytes.

        Raise TypeError or ValueError for what cannot be sent; the caller sees it as a LocalProtocolError that
        names the argument. It may be called twice for one value, to say what was wrong with it.
        """

    @abstractmethod
    def decode(self, data: bytes) -> T:
        """Return the value of a wire form that the other end sent, so trust nothing in it.

        Raise ValueError for what is malformed; that ask or answer alone fails, and the other end is told the
        text of it.
        """

    def encode_with(self, value: T, carrier: Carrier | None) -> bytes:  # noqa: ARG002
        """Encode where values may travel beside the box, see `Descriptor`: override it for containers of such."""
        return self.encode(value)

    def decode_with(self, data: bytes, carrier: Carrier | None) -> T:  # noqa: ARG002
        """Decode what may have come beside the box."""
        return self.decode(data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'optional=True' if self.optional else ''})"


class NestedError(ValueError):
    """A record inside of a value is wrong, and the message says already which one and why."""


def wrong_type(value: object, expected: str) -> TypeError:
    """Say what was expected and what came; for the caller to raise."""
    return TypeError(f"expected {expected}, not {type(value).__name__}")
