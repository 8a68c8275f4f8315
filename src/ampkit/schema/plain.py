"""Records as pairs and boxes as records, field by field, with a reason for whatever is wrong; generates no code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ampkit.errors import AmpError, LocalProtocolError, RemoteProtocolError
from ampkit.schema.descriptor import Carrier
from ampkit.schema.typed import Field
from ampkit.wire.box import encode_pair
from ampkit.wire.text import printable

_REASON_SHOWN: Final = 300
"""Characters of what a field's type of argument, or a record's own check, says of bad values."""


def encode_plainly(owner: str, fields: Sequence[Field], record: object, carrier: Carrier | None = None) -> bytes:
    """Return a record's pairs. Raises LocalProtocolError with the field and the reason."""
    pairs: list[bytes] = []
    for field in fields:
        try:
            value = getattr(record, field.name)
            if value is not None or not field.optional:
                pairs.append(encode_pair(field.key, field.argument.encode_with(value, carrier)))
        except Exception as error:
            raise bad_value(owner, field, error) from error
    return b"".join(pairs)


def decode_plainly(
    record: type, fields: Sequence[Field], box: Mapping[bytes, bytes], carrier: Carrier | None = None
) -> Any:
    """Return the record of a box. Raises RemoteProtocolError with the field and the reason."""
    values: dict[str, Any] = {}
    for field in fields:
        if field.key in box:
            try:
                values[field.name] = field.argument.decode_with(box[field.key], carrier)
            except Exception as error:
                raise bad_argument(record, field, error) from error
        elif field.absent is None:
            raise RemoteProtocolError(f"{record.__name__} lacks the argument {printable(field.key)}")
        else:
            values[field.name] = field.absent()
    try:
        return record(**values)
    except Exception as error:
        raise _malformed(record.__name__, error) from error


def bad_value(owner: str, field: Field, error: Exception) -> LocalProtocolError:
    """Say what is wrong with a field's value; for the caller to raise."""
    return LocalProtocolError(f"{owner}.{field.name}: {error}")


def bad_argument(record: type, field: Field, error: Exception) -> RemoteProtocolError:
    """Say what is wrong with what the other end sent for a field; for the caller to raise."""
    return _malformed(f"argument {printable(field.key)} of {record.__name__}", error)


def _malformed(where: str, error: Exception) -> RemoteProtocolError:
    """Say why; the other end is told it too, so of exceptions that are no judgement on its values only the name."""
    reason = str(error) if isinstance(error, ValueError | TypeError | AmpError) else type(error).__name__
    safe = "".join(c if c.isprintable() else c.encode("unicode-escape").decode() for c in reason)
    return RemoteProtocolError(f"{where}: {safe if len(safe) <= _REASON_SHOWN else safe[:_REASON_SHOWN] + '...'}")
