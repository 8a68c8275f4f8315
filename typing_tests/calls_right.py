"""Calls as they should be: no word from a type checker, and the type of each answer is known."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from ampkit import Peer
from typing_tests.declarations import (
    Become,
    Colour,
    Early,
    Late,
    Note,
    Order,
    Part,
    Ping,
    Receipt,
    RushOrder,
    SignedSum,
    Sum,
    Total,
)


async def answers_have_the_type_of_the_command(peer: Peer) -> None:
    """A call is awaited for the response class in the brackets of its command."""
    reply = await peer.call(Sum(a=13, b=81), timeout=2)
    assert_type(reply, Total)
    assert_type(reply.total, int)
    assert_type(await peer.call(Sum(b=81, a=13), timeout=None), Total)
    assert_type(await peer.call(Early()), Late)
    print(await peer.call(Sum(a=13, b=81)))  # a wider type is wanted, and the command's need not be wider for it
    assert_type((await peer.call(Early())).text, str)
    assert_type(await peer.call(SignedSum(signature=b"", a=1)), Total)


async def answers_without_values_are_none(peer: Peer) -> None:
    """Also those that never come."""
    nothing: None = await peer.call(Ping())  # type: ignore[func-returns-value]  # mypy: there is nothing to keep
    assert_type(nothing, None)
    await peer.call(Note(text="x"))
    await peer.tell(Note(text="x"))


async def fields_have_the_types_of_their_annotations(peer: Peer) -> None:
    """Annotated, Wire and arguments of a program's own change nothing for the reader."""
    receipt = await peer.call(Order(parts=[Part(number=1), Part(number=2, remark="x")], express=True))
    assert_type(receipt, Receipt)
    assert_type(receipt.when, datetime)
    assert_type(receipt.files, list[Path])
    assert_type(receipt.parts[0].remark, str | None)
    assert_type(receipt.colour, Colour)
    assert_type(receipt.shout, str)
    assert_type(receipt.sender, str | None)
    assert_type(receipt.tags, list[str])
    assert_type(await peer.call(RushOrder(parts=[], hours=2, remark=None)), Receipt)


async def raw_calls_are_bytes(peer: Peer) -> None:
    """A name and a box, for which there is no class."""
    assert_type(await peer.call_raw(b"Sum", {b"a": b"13", b"b": b"81"}), dict[bytes, bytes])


class Shouter(asyncio.Protocol):
    """A protocol of the program's own."""

    words = 0


async def a_switch_brings_the_protocol(peer: Peer) -> None:
    """Of the class that was given; or streams."""
    transport, shouter = await peer.switch(Become(name="shouter"), Shouter, timeout=2)
    assert_type(transport, asyncio.Transport)
    assert_type(shouter, Shouter)
    reader, _ = await peer.switch_to_streams(Become(name="shouter"))
    assert_type(await reader.read(), bytes)


def commands_can_be_read_and_changed() -> Any:
    """They are dataclasses."""
    command = Sum(a=1, b=2)
    assert_type(command.a, int)
    command.a = 3
    return command == Sum(a=3, b=2)
