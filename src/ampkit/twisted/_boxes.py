"""AMP boxes as Twisted programs have them: dictionaries that send themselves; how bytes look is the wire's affair."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ampkit.errors import LocalProtocolError
from ampkit.twisted._errors import MalformedAmpBox, TooLong
from ampkit.wire.box import END, encode_pairs
from ampkit.wire.limits import MAX_KEY_LENGTH, MAX_VALUE_LENGTH


class AmpBox(dict[bytes, Any]):
    """One message: bytes to bytes. Names given to the constructor as text are made bytes, which must be ASCII."""

    __slots__: list[str] = []

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        names: Iterable[Any] = self
        for name in [each for each in names if not isinstance(each, bytes)]:
            self[name.encode("ascii")] = self.pop(name)

    def copy(self) -> AmpBox:
        """Return another box of the same class with the same content."""
        box = self.__class__()
        box.update(self)
        return box

    def serialize(self) -> bytes:
        """Return the bytes of the box, sorted by key.

        Raises TypeError for text, TooLong for a key above 255 bytes or a value above 65,535, MalformedAmpBox for
        an empty key, which the other end would take for the end of the box.
        """
        try:
            return encode_pairs(self) + END
        except LocalProtocolError:
            self._check()
            return encode_pairs({_bytes(key): _bytes(value) for key, value in self.items()}) + END

    def _check(self) -> None:
        """Raise what Twisted raises for what cannot be serialized."""
        items: Iterable[tuple[Any, Any]] = self.items()
        for key, value in sorted(items, key=lambda item: (isinstance(item[0], bytes), item[0])):
            if isinstance(key, str):
                raise TypeError(f"Unicode key not allowed: {key!r}")
            if isinstance(value, str):
                raise TypeError(f"Unicode value for key {key!r} not allowed: {value!r}")
            if len(key) > MAX_KEY_LENGTH:
                raise TooLong(True, True, key, None)
            if len(value) > MAX_VALUE_LENGTH:
                raise TooLong(False, True, value, key)
            if not key:
                raise MalformedAmpBox("an empty key is the end of a box and cannot be sent")

    def _sendTo(self, proto: Any) -> None:
        """Send this box by a box sender; a subclass may do more before or after."""
        proto.sendBox(self)

    def __repr__(self) -> str:
        return f"AmpBox({dict.__repr__(self)})"


def _bytes(buffer: Any) -> bytes:
    return b"".join((buffer,))


Box = AmpBox


class QuitBox(AmpBox):
    """A box behind which the connection closes."""

    __slots__: list[str] = []

    def __repr__(self) -> str:
        return f"QuitBox(**{super().__repr__()})"

    def _sendTo(self, proto: Any) -> None:
        super()._sendTo(proto)
        proto.transport.loseConnection()


class _SwitchBox(AmpBox):  # pyright: ignore[reportUnusedClass]  # by this name in Twisted too
    """A box behind which the connection is another protocol's."""

    def __init__(self, innerProto: Any, **kw: Any) -> None:
        super().__init__(**kw)
        self.innerProto = innerProto

    def __repr__(self) -> str:
        return f"_SwitchBox({self.innerProto!r}, **{dict.__repr__(self)})"

    def _sendTo(self, proto: Any) -> None:
        super()._sendTo(proto)
        proto._lockForSwitch()
        proto._switchTo(self.innerProto)
