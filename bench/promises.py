"""What ampkit promises to a program whatever the other end does, each with a figure: `python -m bench.promises`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ampkit import (
    AmpError,
    Command,
    ConnectionLost,
    DeadlineExceeded,
    Limits,
    NotSent,
    Options,
    Response,
    Service,
    connect,
    encode_box,
    serve,
)
from ampkit.testing import VirtualTimeLoop, fake_peer, peer_pair
from bench.storm import weather

MEGABYTE = 1_000_000
FLOOD = """
import socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    while True:
        sock.sendall(b"\\0\\x08_command\\0\\3Sum\\0\\1a\\0\\x011\\0\\1b\\0\\x012\\0\\0" * 1000)
"""
PINGS = Options(ping_interval=10, ping_timeout=4)


class Total(Response):
    """A sum."""

    total: int


class Sum(Command[Total]):
    """Add."""

    a: int
    b: int


class Wait(Command[None]):
    """Wait until the end of the connection."""


class Calculator(Service):
    """What everybody talks to here."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.cancelled: list[float] = []

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)

    @Wait.responder
    async def wait(self, _: Wait) -> None:
        """Wait."""
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1
            self.cancelled.append(asyncio.get_running_loop().time())


@dataclass
class Figure:
    """What was measured for one promise."""

    text: str
    holds: bool


HOSTILE: dict[str, bytes] = {
    "asks that never end": encode_box({b"_ask": b"1", b"_command": b"Wait"}),
    "asks for sums": encode_box({b"_ask": b"1", b"_command": b"Sum", b"a": b"1", b"b": b"2"}),
    "long tags": encode_box({b"_ask": b"x" * 60_000, b"_command": b"Sum", b"a": b"1", b"b": b"2"}),
    "unknown commands": encode_box({b"_ask": b"1", b"_command": b"\x1b[31m" * 100}),
    "malformed asks": encode_box({b"_ask": b"1", b"_command": b"Sum", b"a": b"\x1b[31m"}),
    "an endless box": b"\0\1k\xff\xff" + b"x" * 65_535,
    "answers to nothing": encode_box({b"_answer": b"7", b"total": b"1"}),
}


async def _attack(path: str, data: bytes, seconds: float) -> int:
    """Send it for so long and read nothing; return the bytes that were taken."""
    reader, writer = await asyncio.open_unix_connection(path)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    piece = data * max(1, 60_000 // len(data))
    sent, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            writer.write(piece)
            try:
                async with asyncio.timeout(0.1):
                    await writer.drain()
            except TimeoutError:
                break
            sent += len(piece)
    except ConnectionError:
        pass
    writer.transport.abort()
    return sent


async def memory() -> Figure:
    """1, 4, 5: what one hostile connection makes the server hold, its running responders apart."""
    worst, most, which = 0.0, 0, ""
    for name, data in HOSTILE.items():
        with tempfile.TemporaryDirectory() as folder:
            calculator = Calculator()
            async with serve(calculator, f"unix://{folder}/s", options=Options(close_timeout=0.1)) as server:
                tracemalloc.start()
                sent = await _attack(f"{folder}/s", data, 1.0)
                held = tracemalloc.get_traced_memory()[1] / MEGABYTE
                tracemalloc.stop()
                await server.close(grace=0)
        held -= calculator.most * 2_000 / MEGABYTE
        most = max(most, calculator.most)
        if held > worst:
            worst, which = held, f"{name}, {sent / MEGABYTE:.1f} MB sent"
    return Figure(f"{worst:.2f} MB at most ({which}); {most} responders ran at a time", worst < 2 and most <= 1024)


async def buffered() -> Figure:
    """5: bytes written and not taken."""
    async with fake_peer(Calculator()) as (peer, fake):
        fake.stop_reading()
        for _ in range(20_000):
            fake.ask(b"Sum", {b"a": b"1", b"b": b"2"})
        calls = [asyncio.create_task(peer.call(Sum(a=1, b=2))) for _ in range(5000)]
        most = 0
        for _ in range(300):
            await asyncio.sleep(0)
            most = max(most, peer.channel.buffered())
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
    return Figure(f"{most:,} bytes at most in the write buffer", most <= 65_536 * 2 + 1_048_576)


def ending(calls: int) -> Callable[[], Figure]:
    """6: calls that do not end, in bad weather."""

    def measure() -> Figure:
        began = time.process_time()
        outcomes = weather(seed=1, calls=calls)  # raises if one does not end or leaves something
        ways = ", ".join(f"{count:,} {way}" for way, count in outcomes.most_common())
        spent = (time.process_time() - began) / outcomes.total() * 1e6
        return Figure(f"0 of {outcomes.total():,} calls never end ({ways}); {spent:.0f} us each", holds=True)

    return measure


async def dead_peer() -> Figure:
    """7: how long until a dead peer is found, against what is promised, and how late a deadline is."""
    loop = asyncio.get_running_loop()
    found: list[float] = []
    late: list[float] = []
    for moment in range(20):
        async with fake_peer(options=PINGS) as (peer, fake):
            await asyncio.sleep(moment)
            fake.send_bytes(b"\0")
            died = loop.time()
            await peer.wait_closed()
            found.append(loop.time() - died)
        async with fake_peer() as (peer, _):
            began = loop.time()
            try:
                await peer.call(Sum(a=1, b=2), timeout=1 + moment / 7)
            except DeadlineExceeded:
                late.append(loop.time() - began - 1 - moment / 7)
    text = f"found after {max(found):.1f} s at most, promised {1.5 * 14} s; deadlines {max(late) * 1000:.1f} ms late"
    return Figure(text, max(found) <= 1.5 * 14 and max(late) <= 0.05)


async def cancelling() -> Figure:
    """8: how long until a responder is cancelled, and what is left."""
    calculator = Calculator()
    loop = asyncio.get_running_loop()
    delays: list[float] = []
    async with serve(calculator, "tcp://127.0.0.1:0") as server, connect(server.addresses[0]) as peer:
        for _ in range(200):
            call = asyncio.create_task(peer.call(Wait()))
            await peer.call(Sum(a=1, b=2))
            began = loop.time()
            await peer.call(Sum(a=1, b=2))
            round_trip = loop.time() - began
            began = loop.time()
            call.cancel()
            await peer.call(Sum(a=1, b=2))
            delays.append(calculator.cancelled[-1] - began - round_trip)
        left = len(peer.channel.connection.pending) + calculator.running
    text = (
        f"cancelled {statistics.median(delays) * 1000:.2f} ms after a round trip (median of 200); {left} entries left"
    )
    return Figure(text, statistics.median(delays) <= 0.01 and not left)


async def neighbours() -> Figure:
    """10: calls lost because of a bad message beside them."""
    bad = [
        {b"_answer": b"nonsense"},
        {b"_error": b"zz", b"_error_code": b"X"},
        {b"_command": b"Nonsense"},
        {b"_ask": b"1"},
        {b"_ask": b"x", b"_command": b"Sum", b"a": b"no"},
        {b"_ask": b"x", b"_command": b"Wait", b"_timeout": b"no"},
        {b"x": b"y"},
    ]
    answered = 0
    async with fake_peer(Calculator()) as (peer, fake):
        calls = [asyncio.create_task(peer.call(Sum(a=1, b=2))) for _ in range(1000)]
        for number in range(1000):
            ask = await fake.next_box()
            while b"_command" not in ask:
                ask = await fake.next_box()
            fake.send_box(bad[number % len(bad)])
            fake.answer(ask[b"_ask"], {b"total": b"3"})
        answered = sum(isinstance(each, Total) for each in await asyncio.gather(*calls, return_exceptions=True))
    return Figure(f"{1000 - answered} of 1,000 calls lost beside 1,000 bad boxes", answered == 1000)


async def half_boxes() -> Figure:
    """11: connections with half a box that are open after the time for it."""
    left = 0
    for moment in range(20):
        async with fake_peer(limits=Limits(box_timeout=10)) as (peer, fake):
            await asyncio.sleep(moment * 0.7)
            fake.send_bytes(b"\0\1k\xff\xff")
            for _ in range(100):
                await asyncio.sleep(0.1)
                fake.send_bytes(b"x")
            left += peer.end_reason is None
    return Figure(f"{left} of 20 kept after box_timeout", not left)


class _Counting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record)


async def logs() -> Figure:
    """12: bytes of log for bytes of a hostile peer, and control characters in it."""
    handler = _Counting()
    logger = logging.getLogger("ampkit")
    logger.addHandler(handler)
    sent = 0
    try:
        for data in HOSTILE.values():
            with tempfile.TemporaryDirectory() as folder:
                async with serve(Calculator(), f"unix://{folder}/s", options=Options(close_timeout=0.1)) as server:
                    sent += await _attack(f"{folder}/s", data.replace(b"\0\4_ask\0\0011", b""), 0.3)
                    await server.close(grace=0)
    finally:
        logger.removeHandler(handler)
    raw = sum(not (letter.isprintable() or letter == "\n") for letter in handler.text)
    return Figure(
        f"{len(handler.text) / sent:.5f} bytes of log a hostile byte, {raw} control characters",
        len(handler.text) <= sent * 0.01 and not raw,
    )


async def fairness() -> Figure:
    """13: the p99 of an innocent client under four flooding ones, against its quiet one."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix://{folder}/s"
        async with serve(Calculator(), address) as server, connect(address) as innocent:
            quiet = await _p99(innocent)
            floods = [subprocess.Popen([sys.executable, "-c", FLOOD, f"{folder}/s"]) for _ in range(4)]  # noqa: ASYNC220 - it takes no time
            try:
                while len(server.peers) < 5:  # noqa: ASYNC110 - nothing says that they have come
                    await asyncio.sleep(0.01)
                loud = await _p99(innocent)
            finally:
                for flood in floods:
                    flood.kill()
                    flood.wait()
    return Figure(f"p99 {quiet * 1000:.2f} ms quiet, {loud * 1000:.2f} ms under four that flood", loud <= 10 * quiet)


async def _p99(peer: Any) -> float:
    times: list[float] = []
    for _ in range(500):
        began = time.perf_counter()
        await peer.call(Sum(a=1, b=2))
        times.append(time.perf_counter() - began)
    return sorted(times)[int(len(times) * 0.99)]


async def draining() -> Figure:
    """14: accepted calls that a drain loses."""
    lost = 0
    for _ in range(20):
        async with peer_pair(None, Calculator()) as (client, server):
            calls = [asyncio.create_task(client.call(Sum(a=1, b=2))) for _ in range(100)]
            await asyncio.sleep(0)
            closing = asyncio.create_task(server.close(grace=30))
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                lost += isinstance(outcome, ConnectionLost) and not isinstance(outcome, NotSent)
            await closing
    return Figure(f"{lost} of 2,000 calls lost", not lost)


def _virtual(measure: Callable[[], Coroutine[Any, Any, Figure]]) -> Callable[[], Figure]:
    def run() -> Figure:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(measure())

    return run


def _real(measure: Callable[[], Coroutine[Any, Any, Figure]]) -> Callable[[], Figure]:
    return lambda: asyncio.run(measure())


def promises(calls: int) -> dict[str, Callable[[], Figure]]:
    """Return what measures each promise."""
    return {
        "memory of a hostile connection": _real(memory),
        "write buffer": _virtual(buffered),
        "calls that never end": ending(calls),
        "dead peers and deadlines": _virtual(dead_peer),
        "cancellation": _real(cancelling),
        "neighbours of bad messages": _virtual(neighbours),
        "half-received boxes": _virtual(half_boxes),
        "logs": _real(logs),
        "innocent clients": _real(fairness),
        "drain": _virtual(draining),
    }


def main() -> int:
    """Print each figure; return 1 if a promise does not hold."""
    parser = argparse.ArgumentParser("python -m bench.promises", description="what ampkit promises, in figures")
    parser.add_argument("--calls", type=int, default=20_000, help="calls in bad weather (default: 20,000)")
    logging.getLogger("ampkit").addHandler(logging.NullHandler())
    broken = 0
    for name, measure in promises(parser.parse_args().calls).items():
        try:
            figure = measure()
        except (AmpError, AssertionError) as error:
            figure = Figure(str(error), holds=False)
        broken += not figure.holds
        print(f"{'holds ' if figure.holds else 'BROKEN'}  {name}: {figure.text}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
