"""Mistakes at the call, each in a marked line that a type checker must complain about, in the marked words."""

from __future__ import annotations

import asyncio
from typing import assert_type

from ampkit import Peer
from typing_tests.declarations import Order, Part, Ping, Receipt, RushOrder, SignedSum, Sum, Total


async def wrong_arguments(peer: Peer) -> None:
    """The class of the command is the declaration; nothing else has to be written down."""
    await peer.call(Sum(a="13", b=81))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Sum(a=None, b=81))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Sum(a=13))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(Sum(a=13, b=81, c=1))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(Sum(13, 81))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(Ping(a=13))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(SignedSum(a=1))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(RushOrder(parts=[]))  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.call(Order(parts=[1]))  # error: mypy=list-item, pyright=reportArgumentType
    await peer.call(Order(parts=[Part(number="1")]))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Order(parts=Part(number=1)))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Order(parts=[], remark=5))  # error: mypy=arg-type, pyright=reportArgumentType


async def wrong_results(peer: Peer) -> None:
    """The type of the answer is known, so what is done with it is checked."""
    reply = await peer.call(Sum(a=13, b=81))
    print(reply.sum)  # error: mypy=attr-defined, pyright=reportAttributeAccessIssue
    print(reply.total.upper())  # error: mypy=attr-defined, pyright=reportAttributeAccessIssue
    text: str = reply.total  # error: mypy=assignment, pyright=reportAssignmentType
    receipt: Receipt = await peer.call(Sum(a=13, b=81))  # error: mypy=arg-type, pyright=reportAssignmentType
    reply.total = text  # error: mypy=assignment, pyright=reportAttributeAccessIssue
    print(receipt.sender.upper())  # error: mypy=union-attr, pyright=reportOptionalMemberAccess
    assert_type(reply, Receipt)  # error: mypy=assert-type, pyright=reportAssertTypeFailure
    total: Total = await peer.call(Ping())  # error: mypy=arg-type, pyright=reportAssignmentType
    print(total)


async def wrong_calls(peer: Peer) -> None:
    """Only commands can be called, and only awaited calls have an answer."""
    await peer.call(Total(total=94))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Sum)  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call("Sum")  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Sum(a=13, b=81), timeout="2")  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call(Sum(a=13, b=81), 2)  # error: mypy=call-arg, pyright=reportCallIssue
    await peer.tell(Total(total=94))  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.call_raw("Sum", {})  # error: mypy=arg-type, pyright=reportArgumentType
    await peer.switch(Sum(a=13, b=81), asyncio.Protocol)  # error: mypy=arg-type, pyright=reportArgumentType
    print(peer.call(Sum(a=13, b=81)).total)  # error: mypy=attr-defined, pyright=reportAttributeAccessIssue
