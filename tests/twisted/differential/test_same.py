"""Stock and ours, asked the same: the same bytes, the same values, the same errors, however the bytes are cut."""

# mypy: allow-untyped-calls, allow-subclassing-any

from datetime import datetime
from itertools import product
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.python.filepath import FilePath

from ampkit.twisted import amp as ours
from ampkit.twisted._stock import stock
from tests.twisted.differential.schemas import (
    ANYTHING,
    SCHEMAS,
    Schema,
    any_objects_of,
    any_strings_of,
    objects_of,
)
from tests.twisted.rows.common import WAYS, Watched, bytes_of, joined, started

WAY = st.sampled_from([*WAYS])
SEED = st.integers(0, 10_000)
SAME = {"TooLong": "AttributeError"}
"""What ours raises for a key above 255 bytes inside of a value, where Twisted's parser has no transport to close."""


def plain(value: Any) -> Any:
    """Return a value so that it can be compared: moments with the names of their zones, numbers as text."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(), value.tzname()
    if isinstance(value, BaseException):
        return error_of(value)
    return value.path if isinstance(value, FilePath) else (type(value).__name__, repr(value))


def error_of(error: BaseException) -> Any:
    """Return what both modules say of an error; tracebacks and lines of ours are in some texts."""
    name = type(error).__name__
    if name == "BadLocalReturn":
        return name, error_of(error.enclosed.value)  # type: ignore[attr-defined]
    if hasattr(error, "errorCode"):
        return name, error.errorCode, error.description, error.fatal  # type: ignore[attr-defined]
    if name == "TooLong" and error.isLocal:  # type: ignore[attr-defined]
        return name, error.isKey, error.keyName  # type: ignore[attr-defined]
    return SAME.get(name, name)


def attempt(function: Any) -> Any:
    """Return what a function returns or raises."""
    try:
        return function()
    except Exception as error:  # noqa: BLE001 - it is what is compared
        return error


def sent(amp: Any, way: str, schema: Schema, objects: dict[str, Any]) -> Any:
    """Return what a call writes, and what it comes to at once."""
    wire = started(end := WAYS[way](amp.AMP)())
    asked = attempt(lambda: end.callRemote(schema.make(amp), **objects))
    result = Watched(asked).result if isinstance(asked, Deferred) else asked
    return wire.writes, plain(result), end._counter, len(end._outstandingRequests)


@given(SCHEMAS, st.data(), WAY)
def test_a_call_sends_the_same(schema: Schema, data: Any, way: str) -> None:
    """Or raises, or fails, for the same reason."""
    objects = data.draw(any_objects_of(schema.arguments))
    assert sent(ours, way, schema, objects) == sent(stock, way, schema, objects)


def answered(amp: Any, way: str, schema: Schema, ask: bytes, result: Any, cut: int) -> Any:
    """Return what an ask comes to: what the responder gets, what is written, and how often it wants to close."""
    seen: list[Any] = []

    def respond(_: Any, **objects: Any) -> Any:
        seen.append((list(objects), plain(objects)))
        if isinstance(result, Exception):
            raise result
        return result

    cls = WAYS[way](amp.AMP)
    cls = type("Answering", (cls,), {"_": schema.make(amp).responder(respond)})
    wire = started(end := cls())
    raised = attempt(lambda: [end.dataReceived(piece) for piece in pieces(ask, cut)] and None)
    return seen, wire.writes, wire.closed, plain(raised)


def pieces(data: bytes, seed: int) -> list[bytes]:
    """Cut bytes at random."""
    random, cut = Random(seed), []
    while data:
        size = random.choice([1, 2, 3, 10, 1_000, len(data)])
        cut.append(data[:size])
        data = data[size:]
    return cut


RAISED = st.sampled_from([LookupError("text"), KeyError("caf\xe9"), OSError("fatal"), ValueError("secret")])


@given(SCHEMAS, st.data(), WAY, SEED)
def test_an_ask_is_answered_the_same(schema: Schema, data: Any, way: str, cut: int) -> None:
    """Whatever is in its box, and whatever the responder returns or raises."""
    strings = data.draw(any_strings_of(schema.arguments))
    result = data.draw(any_objects_of(schema.response) | ANYTHING | RAISED)
    tag = {b"_ask": b"\xff"} if data.draw(st.booleans()) else {}
    ask = stock.AmpBox({**strings, **tag, b"_command": b"Any"}).serialize()
    here, there = (answered(amp, way, schema, ask, result, cut) for amp in (ours, stock))
    assert here == there


def come(amp: Any, way: str, schema: Schema, answer: dict[bytes, bytes], cut: int) -> Any:
    """Return what an answer comes to."""
    wire = started(end := WAYS[way](amp.AMP)())
    command = type("Any", (schema.make(amp),), {"arguments": []})
    asked = Watched(end.callRemote(command))
    raised = attempt(
        lambda: [end.dataReceived(piece) for piece in pieces(stock.AmpBox(answer).serialize(), cut)] and None
    )
    return plain(asked.result), wire.closed, plain(raised), end._outstandingRequests


@given(SCHEMAS, st.data(), WAY, SEED)
def test_an_answer_is_read_the_same(schema: Schema, data: Any, way: str, cut: int) -> None:
    """Whatever is in its box; and so is an error."""
    strings = data.draw(any_strings_of(schema.response))
    code = data.draw(st.sampled_from([b"LOOKUP", b"OS", b"UNKNOWN", b"UNHANDLED", b"\xff", b""]))
    error = {b"_error": b"1", b"_error_code": code, b"_error_description": data.draw(st.binary(max_size=9))}
    answer = {**strings, **data.draw(st.sampled_from([{b"_answer": b"1"}, error, {**error, b"_answer": b"1"}]))}
    assert come(ours, way, schema, answer, cut) == come(stock, way, schema, answer, cut)


def exchanged(asking: Any, answering: Any, way: str, schema: Schema, objects: Any, result: Any, cut: int) -> Any:
    """Return what a call comes to between two modules, with what the responder got."""
    seen: list[Any] = []

    def respond(_: Any, **values: Any) -> Any:
        seen.append(plain(values))
        return result

    command = schema.make(answering)
    server = type("Answering", (WAYS[way](answering.AMP),), {"_": command.responder(respond)})()
    client = WAYS[way](asking.AMP)()
    carry = joined(server, client, cut=lambda data: pieces(data, cut))
    asked = attempt(lambda: Watched(client.callRemote(schema.make(asking), **objects)))
    carry()
    return seen, plain(asked.result if isinstance(asked, Watched) else asked)


@given(SCHEMAS, st.data(), WAY, SEED)
def test_both_modules_talk_to_each_other_as_to_themselves(schema: Schema, data: Any, way: str, cut: int) -> None:
    """Either may ask; what the responder gets, and what the call gives, is the same."""
    objects, result = data.draw(objects_of(schema.arguments)), data.draw(objects_of(schema.response))
    pairs = product((stock, ours), repeat=2)
    first, *others = [exchanged(one, two, way, schema, objects, result, cut) for one, two in pairs]
    assert others == [first] * 3


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"\0", b"\1", b"a", b"\0\1a", b"\0\0", b"\0\4_ask", bytes_of(_command=b"x")])).map(
        b"".join
    ),
    WAY,
    SEED,
)
def test_any_bytes_are_read_the_same(stream: bytes, way: str, cut: int) -> None:
    """Boxes, what is no box, and what is no AMP."""

    def read(amp: Any) -> Any:
        boxes: list[Any] = []
        wire = started(end := WAYS[way](amp.AMP)())
        end.ampBoxReceived = boxes.append
        for piece in pieces(stream, cut):
            end.dataReceived(piece)
            if wire.closed:
                break
        return boxes, min(wire.closed, 1), end._keyLengthLimitExceeded, end.recvd if not wire.closed else None

    assert read(ours) == read(stock)
