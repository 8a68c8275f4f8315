"""Descriptors to and from a genuine Twisted peer, which serves or connects."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ampkit
from ampkit import Command, FileDescriptor, Peer, Record, Response, Service
from tests.interop.twisted_child import ROOT


class Text(Response):
    """What was in a file."""

    text: str


class Read(Command[Text]):
    """Read a file to its end."""

    name: str
    file: FileDescriptor


class Opened(Response):
    """An open file."""

    file: FileDescriptor


class Open(Command[Opened]):
    """Open a pipe that has a text in it."""

    text: str


class Part(Record):
    """A file of a list."""

    file: FileDescriptor


class Texts(Response):
    """What was in several files."""

    texts: list[str]


class ReadAll(Command[Texts]):
    """Read several files."""

    second: FileDescriptor
    first: FileDescriptor
    parts: list[Part]


class Total(Response):
    """A number."""

    total: int


class Sum(Command[Total]):
    """Add; no descriptor is about."""

    a: int
    b: int


class CallBack(Command[Texts]):
    """Let the other end make so many of these calls at once."""

    count: int


def text_of(file: FileDescriptor) -> str:
    """Read a file to its end."""
    with file.open("r", encoding="utf-8") as opened:
        text: str = opened.read()
        return text


def pipe(text: str) -> FileDescriptor:
    """Return a pipe that has a text in it."""
    read_from, write_to = os.pipe()
    os.write(write_to, text.encode())
    os.close(write_to)
    return FileDescriptor.adopt(read_from)


class Twin(Service):
    """Answers what the Twisted peer answers."""

    @Read.responder
    async def read(self, command: Read) -> Text:
        """Read, in a later turn of the loop."""
        await asyncio.sleep(0)
        return Text(text=f"{command.name}: {text_of(command.file)}")

    @Open.responder
    def open(self, command: Open) -> Opened:
        """Open."""
        return Opened(file=pipe(command.text))

    @ReadAll.responder
    def read_all(self, command: ReadAll) -> Texts:
        """Read several."""
        return Texts(
            texts=[text_of(each) for each in (command.first, command.second, *(p.file for p in command.parts))]
        )

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Add."""
        return Total(total=command.a + command.b)


@contextmanager
def twisted(role: str, path: Path) -> Generator[subprocess.Popen[str]]:
    """Run a Twisted peer; it is ready when it has printed so."""
    command = [sys.executable, "-m", "tests.interop.twisted_descriptors", role, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the line that says so."""
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"


@pytest.fixture(params=["serve", "connect"])
async def peer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Peer]:
    """A Twisted peer that serves or connects."""
    path = tmp_path / "socket"
    if request.param == "serve":
        with twisted("serve", path) as process:
            wait_until_ready(process)
            async with ampkit.connect(f"unix://{path}", Twin()) as connected:
                yield connected
        return
    async with ampkit.serve(Twin(), f"unix://{path}") as server:
        with twisted("connect", path) as process:
            await asyncio.to_thread(wait_until_ready, process)
            (connected,) = server.peers
            yield connected


async def test_an_argument_arrives(peer: Peer) -> None:
    """Twisted reads the file that was given; ours may be closed at once."""
    for number in range(3):
        with pipe(f"text {number}") as file:
            call = peer.call(Read(name="it", file=file))
            reply = await call
        assert reply.text == f"it: text {number}"


async def test_a_result_arrives(peer: Peer) -> None:
    """The file that Twisted opens is ours to read."""
    replies = await peer.call_many([Open(text=f"text {number}") for number in range(10)])
    assert [text_of(reply.file) for reply in replies] == [f"text {number}" for number in range(10)]


async def test_several_in_one_box(peer: Peer) -> None:
    """Each key has its own, and so has each record of a list, in whatever order they stand."""
    parts = [Part(file=pipe("c")), Part(file=pipe("d"))]
    assert await peer.call(ReadAll(second=pipe("b"), first=pipe("a"), parts=parts)) == Texts(texts=["a", "b", "c", "d"])


async def test_interleaved_with_pipelined_calls(peer: Peer) -> None:
    """Among calls without descriptors, large and small, all at once, each call has its own files."""
    calls = []
    for i in range(50):
        calls += [
            peer.call(Read(name=f"{i}" * (1 + i * 100), file=pipe(f"read {i}"))),
            peer.call(Sum(a=i, b=1)),
            peer.call(Open(text=f"open {i}")),
        ]
    replies = await asyncio.gather(*calls)
    for i in range(50):
        text, total, opened = replies[3 * i : 3 * i + 3]
        assert text == Text(text=f"{f'{i}' * (1 + i * 100)}: read {i}")
        assert total == Total(total=i + 1)
        assert isinstance(opened, Opened)
        assert text_of(opened.file) == f"open {i}"


async def test_what_twisted_sends(peer: Peer) -> None:
    """Twisted pipelines calls with descriptors, which then come long before their boxes; each responder has its own."""
    reply = await peer.call(CallBack(count=40))
    expected = [[f"{i}: read {i}", f"{i + 1}", f"open {i}", f"a{i} b{i} c{i} d{i}"] for i in range(40)]
    assert reply.texts == [text for texts in expected for text in texts]
