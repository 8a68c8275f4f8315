"""One peer, played with by a script in virtual time, and all that can be seen of it; compares nothing."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, Final

from ampkit.core.events import AskReceived
from ampkit.policy.options import Options
from ampkit.testing.clock import VirtualTimeLoop
from ampkit.testing.pipe import make_peer
from ampkit.wire.limits import Limits
from tests.speed.office import COMPILED, PYTHON, Stop, make_service
from tests.speed.twins import in_python, shown

Step = tuple[Any, ...]
Script = tuple[Limits, Options, list[Step]]

ENOUGH: Final = 30
"""Turns of the loop within which whatever needs no time has happened."""


class Wire(asyncio.Transport):
    """Takes what is written, at once or when it is let; has as many bytes waiting as it was not let take."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_stuck = False
        self._loop = loop
        self._waiting = 0
        self._high = 65_536
        self._is_full = False
        self._closing = False
        self._protocol = protocol

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        if self.is_stuck:
            self._waiting += len(data)
            if self._waiting > self._high and not self._is_full:
                self._is_full = True
                self._protocol.pause_writing()

    def take(self) -> None:
        """Take all that waits."""
        self.is_stuck = False
        self._waiting = 0
        if self._is_full:
            self._is_full = False
            self._protocol.resume_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        self._high = 65_536 if high is None else high

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def pause_reading(self) -> None:
        self.written.append(b"<pauses>")

    def resume_reading(self) -> None:
        self.written.append(b"<reads>")

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self.written.append(b"<closes>")
        self.lose(None)

    def abort(self) -> None:
        self.written.append(b"<aborts>")
        self.lose(None)

    def lose(self, error: Exception | None) -> None:
        """End the connection, in another turn."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)


class Stage(logging.Handler):
    """Plays a script with one peer, and notes what can be seen of it."""

    def __init__(self, kinds: SimpleNamespace, limits: Limits, options: Options) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.kinds = kinds
        self._calls: list[asyncio.Task[Any]] = []
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._failed)
        self.peer = make_peer(make_service(kinds, self._did), limits, options)
        assert self.peer.calls is not None  # made when it is first looked at, so here, where its twin is chosen
        self.wire = Wire(self._loop, self.peer.channel)
        self.peer.channel.connection_made(self.wire)

    # The steps: each is an act of the other end, of the program or of the loop

    async def act(self, step: Step) -> None:
        """Do one step, and note what is to be seen behind it."""
        kind, *rest = step
        self.seen.append(kind)
        try:
            if kind == "turn":
                await asyncio.sleep(0)
            elif kind == "turns":
                await self._settle()
            elif kind == "time":
                await asyncio.sleep(rest[0])
            else:
                getattr(self, f"_{kind}")(*rest)
        except Stop:
            self.seen.append("stopped")
        self._look()

    def _data(self, data: bytes) -> None:
        if not self.wire.is_closing():
            self.peer.channel.data_received(data)

    def _eof(self) -> None:
        if not self.wire.is_closing():
            self.peer.channel.eof_received()
            self.wire.lose(None)

    def _break(self) -> None:
        self.wire.lose(ConnectionResetError("reset"))

    def _stick(self) -> None:
        self.wire.is_stuck = True

    def _take(self) -> None:
        if not self.wire.is_closing():
            self.wire.take()

    def _call(self, name: str, values: dict[str, Any], timeout: Any) -> None:
        self._begin(self.peer.call(self._command(name, values), **timeout))

    def _many(self, commands: list[tuple[str, dict[str, Any]]], timeout: Any, exceptions: Any) -> None:
        each = [self._command(*command) for command in commands]
        self._begin(self.peer.call_many(each, return_exceptions=exceptions, **timeout))

    def _tell(self, name: str, values: dict[str, Any]) -> None:
        self._begin(self.peer.tell(self._command(name, values)))

    def _cancel(self, index: int) -> None:
        if self._calls:
            self._calls[index % len(self._calls)].cancel()

    def _close(self, grace: float) -> None:
        self._begin(self.peer.close(grace))

    def _look_at_box(self) -> None:
        self.seen.append(self.peer.channel.connection.box_begun)

    # What is seen

    def _command(self, name: str, values: dict[str, Any]) -> Any:
        kind = getattr(self.kinds, name)
        items = {key: [self.kinds.Item(**each) for each in value] for key, value in values.items() if key == "f_items"}
        return kind(**{**values, **items})

    def _begin(self, work: Any) -> None:
        index = len(self._calls)
        task = self._loop.create_task(work)
        self._calls.append(task)
        task.add_done_callback(lambda task: self.seen.append(("ended", index, _ended(task))))

    def _did(self, what: str, command: Any) -> None:
        self.seen.append((what, shown(command)))

    def _failed(self, _: object, context: dict[str, Any]) -> None:
        self.seen.append(("loop", context["message"], repr(context.get("exception"))))

    def emit(self, record: logging.LogRecord) -> None:
        """Note a line of the log; what it says of frames is not the same."""
        lines = record.getMessage().split("\n")
        self.seen.append(("log", lines[0], lines[-1]))

    def _look(self) -> None:
        peer = self.peer
        channel, credit = peer.channel, peer.calls.credit
        connection, answering = channel.connection, peer._answering
        self.seen.append([self.wire.written, peer.state, repr(peer.end_reason), sorted(connection.pending)])
        self.wire.written = []
        self.seen.append([credit.taken, credit.free_below, answering.asked, connection.asked, peer.calls.told])
        self.seen.append([channel.is_full, channel.is_reading, channel._queued, answering.line.size])
        self.seen.append(
            [sorted(map(repr, answering._tasks)), sorted(map(repr, answering._turns)), _held(channel.held)]
        )
        self.seen.append([channel.hindered, channel._pull_scheduled, peer.is_draining])

    async def _settle(self) -> None:
        for _ in range(ENOUGH):
            await asyncio.sleep(0)

    async def end(self) -> None:
        """Let all end, and look once more."""
        await self._settle()
        self._look()
        await self.act(("take",))
        self.wire.lose(None)
        await self._settle()
        await asyncio.sleep(1_000)
        for task in self._calls:
            task.cancel()
        await self._settle()
        self.seen.append(len(self.peer._answering._tasks))
        self._look()


def _ended(task: asyncio.Task[Any]) -> Any:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if error is not None:
        return type(error), str(error), getattr(error, "__notes__", None), repr(error.__cause__)
    return shown(task.result())


def _held(event: Any) -> Any:
    if isinstance(event, AskReceived):
        return event.tag, event.command, list(event.box.items())
    return type(event)


def play(script: Script, *, compiled: bool) -> list[Any]:
    """Return all that is seen of one twin."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_play(script, compiled))


def set_up(limits: Limits, options: Options, *, compiled: bool) -> Stage:
    """Return a stage with a peer of one twin."""
    if compiled:
        return Stage(COMPILED, limits, options)
    with in_python():
        return Stage(PYTHON, limits, options)


async def _play(script: Script, compiled: bool) -> list[Any]:
    limits, options, steps = script
    logger = logging.getLogger("ampkit")
    stage = set_up(limits, options, compiled=compiled)
    logger.addHandler(stage)
    try:
        for step in steps:
            await stage.act(step)
        await stage.end()
    finally:
        logger.removeHandler(stage)
    return stage.seen


def compiled_parts(stage: Stage) -> set[str]:
    """Return which parts of a stage are the compiled module's."""
    peer, schema = stage.peer, stage.kinds.Sum.__schema__
    kinds = {
        "flow": type(peer.channel).__bases__[0],
        "intake": type(peer.channel.intake),
        "decoder": type(peer.channel.connection.link.decoder),
        "asking": type(peer._asking),
        "encode": type(schema.encode),
        "decode": type(schema.decode),
    }
    return {name for name, kind in kinds.items() if kind.__module__ == "ampkit._speed"}
