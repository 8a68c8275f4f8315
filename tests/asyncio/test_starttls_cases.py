"""Plaintext around the boundary of STARTTLS, cut and placed at random, against real TLS: none of it is taken in."""

from __future__ import annotations

import asyncio
import random

import pytest

from ampkit import AmpError, Command, Peer, Service, State, encode_box, serve
from tests.asyncio.office import Office, Sum
from tests.asyncio.raw import RawEnd
from tests.asyncio.turning import turns, until
from tests.certificates import CERTIFICATES

CASES = 600
PARTS = 6
ASK = encode_box({b"_ask": b"1", b"_command": b"StartTLS"})


class Evil(Command[None]):
    """What only the one in the middle asks for."""


class Target(Service):
    """Counts how often that ran."""

    def __init__(self) -> None:
        self.ran = 0

    @Evil.responder
    def evil(self, command: Evil) -> None:  # noqa: ARG002 - the command says nothing
        """Count."""
        self.ran += 1


def plaintext(dice: random.Random) -> bytes:
    """Make what somebody between the ends might put behind the boundary."""
    boxes = [
        encode_box({b"_ask": b"7", b"_command": b"Evil"}),
        encode_box({b"_command": b"Evil"}),
        *(encode_box({b"_answer": b"%x" % tag, b"total": b"6"}) for tag in range(1, 5)),
        b"\0",
        b"\x16\x03\x01",
        dice.randbytes(dice.randint(1, 9)),
    ]
    return b"".join(dice.choices(boxes, k=dice.randint(1, 4)))


async def put(dice: random.Random, raw: RawEnd, data: bytes) -> None:
    """Write in pieces, with turns of the loop between them."""
    at = 0
    while at < len(data):
        size = dice.randint(1, len(data))
        raw.transport.write(data[at : at + size])
        at += size
        await turns(dice.randint(0, 3))


async def attack(dice: random.Random, raw: RawEnd, peer: Peer) -> list[object]:
    """Be the other end of a peer that asks or is asked for TLS; return what became of its calls behind the ask."""
    calls: list[asyncio.Task[object]] = []
    if dice.random() < 0.5:
        await put(dice, raw, ASK + plaintext(dice))
    else:
        starting = asyncio.create_task(peer.start_tls())
        await raw.until(ASK)
        calls = [starting, *(asyncio.create_task(peer.call(Sum(a=1, b=2))) for _ in range(2))]
        await put(dice, raw, encode_box({b"_answer": b"1"}) + plaintext(dice))
    await turns()
    raw.transport.abort()
    return await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_plaintext_is_taken_in(part: int) -> None:
    """No responder runs, no call behind the boundary is answered, and none is left."""
    target = Target()
    async with serve([target, Office()], "memory://target", tls=CERTIFICATES.server()) as server:
        for seed in range(part, CASES, PARTS):
            raw = await RawEnd.connect("memory://target")
            (peer,) = server.peers
            outcomes = await attack(random.Random(seed), raw, peer)
            assert all(isinstance(outcome, AmpError) for outcome in outcomes), seed
            await raw.lost
            await peer.wait_closed()
            assert (peer.state, peer.is_secure, dict(peer.channel.connection.pending)) == (State.CLOSED, False, {})
            await until(lambda: not server.peers)
    assert target.ran == 0
