"""The asks of the other end: runs responders, at once or as tasks, and sends what becomes of them; makes no calls."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any, Final

from ampkit.asyncio.ambient import TURN, Turn
from ampkit.asyncio.channel import Channel
from ampkit.asyncio.credit import ASK_OVERHEAD
from ampkit.asyncio.deadlines import Deadlines
from ampkit.asyncio.descriptors import Taken
from ampkit.asyncio.late import NOTHING, late
from ampkit.asyncio.line import Line
from ampkit.asyncio.portions import MOST_IN_TURN
from ampkit.asyncio.replying import Replying
from ampkit.asyncio.switch_answering import SwitchAnswering
from ampkit.core.conversation import START_TLS
from ampkit.core.events import AskReceived
from ampkit.core.states import State
from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.policy.credit import Admission, admit
from ampkit.policy.dispatch import Refusal
from ampkit.policy.extensions import EXTENSIONS, TIMEOUT, read_timeout
from ampkit.policy.options import Options
from ampkit.schema.command import CommandSchema
from ampkit.schema.responders import Responder, Responders
from ampkit.speed import compiled
from ampkit.wire.limits import Limits

_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
"""From Python 3.12 a coroutine runs up to its first real wait before it costs a turn of the loop."""

_NO_RESPONDERS: Final = Responders(None)
_NOBODY: Final[frozenset[asyncio.Task[Any]]] = frozenset()
_OWN: Final = EXTENSIONS | {START_TLS}
"""Commands that are not, or not always, the program's."""


class Answering(Replying):
    """Runs what one connection's other end asks for, within `Limits`.

    A plain responder runs to its end before the next box is read. A coroutine becomes a task; it keeps its
    slot until it has ended and its answer could be written.
    """

    __slots__ = (
        "_made_deadlines",
        "_made_switching",
        "_spared",
    )

    def __init__(self, channel: Channel, *, limits: Limits, options: Options) -> None:
        self.responders = _NO_RESPONDERS
        self.remote = "?"
        """The address of the other end; as text it must be printable."""
        self.asked = 0
        """Asks that came, those of the program's own commands."""
        self._channel = channel
        self._connection = channel.connection
        self._options = options
        self.limits = limits
        self._max_running = min(limits.max_running_asks, sys.maxsize)
        self._tasks = NOTHING
        self._turns = NOTHING
        self._is_nested = TURN.get() is not None
        self._stopped: dict[bytes | int, Refusal] = NOTHING
        self._spared = _NOBODY
        self._made_log = None
        self._made_line = None
        self._made_descriptors = None
        self._made_deadlines: Deadlines | None = None
        self._made_switching: SwitchAnswering | None = None

    @late
    def line(self) -> Line:
        """Asks that wait for their turn."""
        return Line(self.limits)

    @late
    def _deadlines(self) -> Deadlines:
        deadlines = Deadlines(self._channel.loop)
        if self._connection.state is State.CLOSED:
            deadlines.close()
        return deadlines

    @late
    def switching(self) -> SwitchAnswering:
        """The asks to go on with another protocol."""
        return SwitchAnswering(self._channel)

    def ask_received(self, event: AskReceived, peer: Any) -> bool:
        """Run the responder, or refuse, or let the ask wait; return false if nothing more can be read for now."""
        if self._made_switching is not None and event is self._made_switching.event:
            return self._made_switching.is_decided()
        if event.command in EXTENSIONS and peer.extending.take(event, peer):
            return True
        if len(self._tasks) >= self._max_running or self._channel.is_full or self._has_line:
            admission = self._admission(event)
            if admission is not Admission.RUN:
                return self._put_off(event, admission)
        due: float | None = None
        if TIMEOUT in event.box:
            try:
                due = self._due(event)
            except RemoteProtocolError as error:
                return self.turn_away(event, self._dispatch.malformed(error))
        return self._begin(event, due, peer)

    def room_made(self, peer: Any) -> bool:
        """Run asks that wait for their turn, while there is room; refuse them if there can be none.

        Returns whether more may be read in this turn of the loop: if not, a line that is read as fast as it runs would
        last for as long as asks come, and each of them would be put into it.
        """
        line = self._made_line
        if line is None:
            return True
        turns = self._channel.turns
        for _ in range(MOST_IN_TURN if turns is None else turns.size):
            if not line.size or len(self._tasks) >= self._max_running or self._channel.is_full:
                break
            waiting = line.take()
            if waiting.is_cancelled:
                self.turn_away(waiting.event, self._dispatch.cancelled())
            else:
                self._begin(waiting.event, waiting.due, peer)
        else:
            self._channel.pull_soon()
            return False
        while line.size and self._is_stuck():
            self.turn_away(line.take().event, self._dispatch.busy("all that runs waits for answers from you"))
        return True

    def add_route(self, name: bytes) -> Any:
        """Return how the compiled module answers asks for a command from now on; None if there is no responder."""
        responder = self.responders.find(name)
        if responder is None or self.responders.routes is None:
            return None
        is_usual = name not in _OWN and not responder.requires_tls and responder.command.is_plain
        route = self.responders.routes[name] = compiled.Route(responder, is_usual)
        return route

    def respond_in_time(
        self, tag: bytes | None, responder: Responder, command: Any, peer: Any, seconds: float | None
    ) -> None:
        """Respond to an ask that has so many seconds, or on a connection that was made by a responder."""
        due = None if seconds is None else self._channel.loop.time() + seconds
        self._respond_in_time(tag, responder, command, peer, due)

    def cancel_ask(self, tag: bytes) -> None:
        """Cancel the responder of an ask, because its caller waits no more; its slot stays taken until it has ended."""
        task = self._tasks.get(tag)
        if task is not None:
            self._stop(tag, task, self._dispatch.cancelled())
        elif self._made_line is not None:
            self._made_line.cancel(tag)

    def _admission(self, event: AskReceived) -> Admission:
        return admit(
            size=_size(event),
            running=len(self._tasks),
            waiting=0 if self._made_line is None else self._made_line.size,
            pending=len(self._connection.pending) + self._channel.hindered,
            buffered=0 if event.tag is None else self._channel.buffered(),  # what is told is not answered
            limits=self.limits,
            stuck=self._is_stuck(),
            told=event.tag is None,
        )

    def _is_stuck(self) -> bool:
        """Whether no responder can end before the other end answers something."""
        return len(self._tasks) >= self._max_running and all(turn.calls for turn in self._turns.values())

    def _put_off(self, event: AskReceived, admission: Admission) -> bool:
        if admission is Admission.REFUSE:
            return self.turn_away(event, self._dispatch.busy("too many asks are running"))
        return admission is Admission.QUEUE and self._queue(event)

    def _queue(self, event: AskReceived) -> bool:
        responder = self.responders.find(event.command)
        if responder is not None:
            if responder.command.switches:  # what stands behind it may be no box
                return False
            if responder.requires_tls and not self._connection.is_secure:  # which it may be by the time of its turn
                return self.turn_away(event, self._dispatch.tls_required(event.command))
        try:
            self.line.add(event, self._due(event))
        except RemoteProtocolError as error:
            self.turn_away(event, self._dispatch.malformed(error))
        return True

    def _due(self, event: AskReceived) -> float | None:
        seconds = read_timeout(event.box)
        return None if seconds is None else self._channel.loop.time() + seconds

    def _begin(self, event: AskReceived, due: float | None, peer: Any) -> bool:
        """Run a responder, or refuse; the ask is done with in either case."""
        if self._connection.state is State.CLOSING:
            return self.turn_away(event, self._dispatch.busy("this end is closing the connection"))
        responder = self.responders.find(event.command)
        if responder is None:
            return self.turn_away(event, self._dispatch.unhandled(event.command))
        if responder.requires_tls and not self._connection.is_secure:
            return self.turn_away(event, self._dispatch.tls_required(event.command))
        if responder.command.switches:
            return self.switching.asked(event, responder, peer, self)
        held: Taken | None = None
        try:
            if responder.command.carries:
                command, held = self.descriptors.unpack(responder.command.decode, event.box)
            else:
                command = responder.command.decode(event.box)
        except RemoteProtocolError as error:
            return self.turn_away(event, self._dispatch.malformed(error))
        self.asked += 1
        if due is None and not self._is_nested:
            task = self._respond(event.tag, responder, command, peer, None)
        else:
            task = self._respond_in_time(event.tag, responder, command, peer, due)
        if held is not None:
            _close_behind(task, held)
        return True

    def _respond_in_time(
        self, tag: bytes | None, responder: Responder, command: Any, peer: Any, due: float | None
    ) -> asyncio.Task[None] | None:
        """Respond to an ask that has a time limit, or on a connection that was made by a responder which has one."""
        token = TURN.set(None if due is None else Turn(None, due))
        try:
            if due is not None and due <= self._channel.loop.time():
                self._refuse(tag, self._dispatch.late())
                return None
            return self._respond(tag, responder, command, peer, due)
        finally:
            TURN.reset(token)

    def _respond(
        self, tag: bytes | None, responder: Responder, command: Any, peer: Any, due: float | None
    ) -> asyncio.Task[None] | None:
        """Respond; return the task that does so if that takes longer."""
        schema = responder.command
        try:
            result = responder.function(command, peer=peer) if responder.takes_peer else responder.function(command)
        except BaseException as error:  # noqa: BLE001 - see `raised`
            self.raised(tag, schema, error)
            return None
        return self.finish(tag, schema, result, due)

    def finish(
        self, tag: bytes | None, schema: CommandSchema, result: Any, due: float | None
    ) -> asyncio.Task[None] | None:
        """Answer with what a responder returned; if it is to be awaited, return the task that does so."""
        if result.__class__ is schema.response or not hasattr(result, "__await__"):
            self._answer(tag, schema, result)
            return None
        return self._start(tag, schema, result, due)

    # Coroutines

    def _start(
        self, tag: bytes | None, schema: CommandSchema, awaitable: Awaitable[Any], due: float | None
    ) -> asyncio.Task[None] | None:
        # A tag that is used twice is the other end's mistake; each ask has its slot all the same.
        key = tag if tag is not None and tag not in self._tasks else self.asked
        if self._turns is NOTHING:
            self._turns = {}
        if self._tasks is NOTHING:
            self._tasks = {}
        turn = self._turns[key] = Turn(self._connection, due)
        run = self._run(key, tag, schema, awaitable, turn)
        if not _EAGER:
            run.send(None)  # up to its `_begun`: what has not begun cannot clean up when it is cancelled
        task = asyncio.Task(run, loop=self._channel.loop, **_EAGER)
        if task.done():
            return None
        self._tasks[key] = task
        if due is not None:
            self._stop_at(due, key, task)
        return task

    def run(self, work: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
        """Run a responder of an unusual kind: it has a slot like any, and ends with the connection."""
        task = self._channel.loop.create_task(work)
        self.asked += 1
        key = self.asked
        if self._tasks is NOTHING:
            self._tasks = {}
        self._tasks[key] = task

        def ended(_: object) -> None:
            del self._tasks[key]
            then()
            self._channel.pull_soon()

        task.add_done_callback(ended)

    def _stop_at(self, due: float, key: bytes | int, task: asyncio.Task[None]) -> None:
        limit = self._deadlines.start(due - self._channel.loop.time())
        limit.waiting = Overdue(lambda: self._stop(key, task, self._dispatch.late()))
        task.add_done_callback(lambda _: self._deadlines.stop(limit))

    async def _run(
        self, key: bytes | int, tag: bytes | None, schema: CommandSchema, awaitable: Awaitable[Any], turn: Turn
    ) -> None:
        try:
            if not _EAGER:
                await _Begun()
            TURN.set(turn)
            await self.answer_late(tag, schema, await awaitable)
        except asyncio.CancelledError:
            self.cancelled(key, tag, schema, awaitable)
        except Exception as error:  # noqa: BLE001 - as in _respond
            self.fail(tag, schema, error)
        finally:
            turn.connection = None
            self._tasks.pop(key, None)
            self._turns.pop(key, None)
            self._stopped.pop(key, None)
            if self._has_line or not self._channel.is_reading:
                self._channel.pull_soon()

    def _stop(self, key: bytes | int, task: asyncio.Task[None], refusal: Refusal) -> None:
        """Cancel a responder, once: it may clean up in peace. If that ends it, this is what its caller is told."""
        if self._tasks.get(key) is task and key not in self._stopped:
            if self._stopped is NOTHING:
                self._stopped = {}
            self._stopped[key] = refusal
            task.cancel()

    def cancelled(self, key: bytes | int, tag: bytes | None, schema: CommandSchema, awaitable: Awaitable[Any]) -> None:
        """Tell the caller, unless it is the end of the connection that cancels: it must not wait for ever."""
        if isinstance(awaitable, Coroutine):
            awaitable.close()  # if it never began, Python would complain
        refusal = self._stopped.get(key)
        if refusal is not None:
            self._refuse(tag, refusal)
        elif self._connection.state is not State.CLOSED:
            self.fail(tag, schema, LocalProtocolError("the responder was cancelled"))

    # The end

    @contextlib.contextmanager
    def sparing(self, task: asyncio.Task[Any] | None) -> Generator[None]:
        """Neither cancel nor wait for a task meanwhile: a responder that closes its own connection."""
        if task is None or task in self._spared:
            yield
            return
        self._spared |= {task}
        try:
            yield
        finally:
            self._spared -= {task}

    def running(self) -> Iterator[asyncio.Task[None]]:
        """Iterate over the tasks of responders that have not ended, without those that are spared."""
        return (task for task in self._tasks.values() if task not in self._spared)

    def end(self) -> None:
        """End with the connection."""
        self.cancel()
        if self._made_log is not None:
            self._made_log.close()
        if self._made_descriptors is not None:
            self._made_descriptors.close()

    def cancel(self) -> None:
        """Cancel all that runs, once: whoever cleans up may do so in peace. Nothing that waits will run."""
        if self._made_line is not None:
            self._made_line.clear()
        if self._made_deadlines is not None:
            self._made_deadlines.close()
        for task in list(self.running()):
            if not task.cancelling():
                task.cancel()


class Overdue:
    """What a time limit ends in place of a future: one call."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def done(self) -> bool:
        """Whether it has ended: whoever ends in time stops the limit."""
        return False

    def set_result(self, _: None) -> None:
        """End it."""
        self._end()


class _Begun:
    """Suspends a coroutine once, for whoever sends it the first None."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def _close_behind(task: asyncio.Task[None] | None, held: Taken) -> None:
    """Close the descriptors of an ask when it is answered, or was by now."""
    if task is None:
        held.close()
    else:
        task.add_done_callback(lambda _: held.close())


def _size(event: AskReceived) -> int:
    """Return how many bytes an ask takes, about; its sender counted as many."""
    return (
        sum(map(len, event.box))
        + sum(map(len, event.box.values()))
        + 4 * len(event.box)
        + len(event.command)
        + ASK_OVERHEAD
    )
