"""The asks of the other end: runs responders, at once or as tasks, and sends what becomes of them; makes no calls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from ampkit.asyncio.channel import Channel
from ampkit.asyncio.log import FailureLog
from ampkit.core.events import AskReceived
from ampkit.core.states import State
from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.policy.credit import Admission, admit
from ampkit.policy.dispatch import Dispatch, Refusal
from ampkit.schema.responders import Responder, Responders
from ampkit.wire.limits import Limits
from ampkit.wire.text import printable

_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
"""From Python 3.12 a coroutine runs up to its first real wait before it costs a turn of the loop."""


class Answering:
    """Runs what one connection's other end asks for, within `Limits`.

    A plain responder runs to its end before the next box is read. A coroutine becomes a task; it keeps its
    slot until it has ended and its answer could be written.
    """

    def __init__(self, channel: Channel, dispatch: Dispatch, limits: Limits, peer: Any) -> None:
        self.responders = Responders(None)
        self.log = FailureLog()
        self._channel = channel
        self._connection = channel.connection
        self._dispatch = dispatch
        self._limits = limits
        self._max_running = limits.max_running_asks
        self._peer = peer
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._count = 0
        self.on_fatal: Callable[[], None] = lambda: None
        """Called behind a fatal refusal, to close the connection."""

    @property
    def running(self) -> Iterable[asyncio.Task[None]]:
        """The tasks of responders that have not ended."""
        return self._tasks.values()

    def has_room(self) -> bool:
        """Say quickly whether an ask that came now would run: the common case, without asking the transport for sizes."""
        return len(self._tasks) < self._max_running and not self._channel.is_full

    def admission(self) -> Admission:
        """Say what would happen to an ask that came now."""
        return admit(
            running=len(self._tasks),
            pending=len(self._connection.pending),
            buffered=self._channel.buffered(),
            limits=self._limits,
        )

    def ask_received(self, event: AskReceived) -> None:
        """Run the responder, or refuse."""
        if self._connection.state is State.CLOSING:
            return self._refuse(event.tag, self._dispatch.busy("this end is closing the connection"))
        if not self.has_room() and self.admission() is not Admission.RUN:
            return self._refuse(event.tag, self._dispatch.busy("too many asks are running"))
        responder = self.responders.find(event.command)
        if responder is None:
            return self._refuse(event.tag, self._dispatch.unhandled(event.command))
        try:
            command = responder.command.decode(event.box)
        except RemoteProtocolError as error:
            return self._refuse(event.tag, self._dispatch.malformed(error))
        return self._respond(event.tag, responder, command)

    def _respond(self, tag: bytes | None, responder: Responder, command: Any) -> None:
        try:
            if responder.takes_peer:
                result = responder.function(command, peer=self._peer)
            else:
                result = responder.function(command)
        except Exception as error:  # noqa: BLE001 - whatever it raised, its caller is told, and it is logged here
            self._fail(tag, responder, error)
        else:
            if hasattr(result, "__await__"):
                self._start(tag, responder, result)
            else:
                self._answer(tag, responder, result)

    # Coroutines

    def _start(self, tag: bytes | None, responder: Responder, awaitable: Awaitable[Any]) -> None:
        self._count += 1
        key = self._count
        task = asyncio.Task(self._finish(key, tag, responder, awaitable), loop=self._channel.loop, **_EAGER)
        if not task.done():
            self._tasks[key] = task

    async def _finish(self, key: int, tag: bytes | None, responder: Responder, awaitable: Awaitable[Any]) -> None:
        try:
            result = await awaitable
            while self._channel.is_full:
                await self._channel.room()
            self._answer(tag, responder, result)
        except asyncio.CancelledError:
            # Cancelled with its connection, or by the program: then its caller must not wait for ever.
            self._fail(tag, responder, LocalProtocolError("the responder was cancelled"))
            if _is_cancelled():
                raise
        except Exception as error:  # noqa: BLE001 - as in _respond
            self._fail(tag, responder, error)
        finally:
            self._tasks.pop(key, None)
            if not self._channel.is_reading:
                self._channel.loop.call_soon(self._channel.pull)

    def cancel(self) -> None:
        """Cancel all that runs."""
        current = asyncio.current_task() if self._tasks else None
        for task in list(self._tasks.values()):
            if task is not current:  # a responder may close its own connection
                task.cancel()
        self.log.close(self._peer.remote_address)

    # What becomes of an ask

    def _answer(self, tag: bytes | None, responder: Responder, result: Any) -> None:
        try:
            pairs = responder.command.encode_response(result)
            if tag is not None and self._connection.state is not State.CLOSED:
                self._connection.answer_encoded(tag, pairs)
                self._channel.flush_soon(len(pairs))
        except LocalProtocolError as error:
            self._fail(tag, responder, error)

    def _fail(self, tag: bytes | None, responder: Responder, error: Exception) -> None:
        if self._connection.state is State.CLOSED:
            return
        refusal = self._dispatch.refusal(error, responder.command)
        if refusal.undeclared or tag is None:
            name = printable(responder.command.name)
            self.log.failure(f"the responder of {name} failed", error, self._peer.remote_address)
        self._refuse(tag, refusal)

    def _refuse(self, tag: bytes | None, refusal: Refusal) -> None:
        if tag is not None:
            self._connection.refuse(tag, refusal.code, refusal.description)
            self._channel.flush_soon(len(refusal.description))
        if refusal.fatal:
            self.on_fatal()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
