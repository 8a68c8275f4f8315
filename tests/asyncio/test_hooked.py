"""Hooks of a program: what they see of connections, boxes, calls and asks, and what they may change about them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

import ampkit
from ampkit import (
    AmpError,
    Command,
    ConnectionLost,
    DeadlineExceeded,
    Hooks,
    LocalProtocolError,
    Options,
    Peer,
    RemoteError,
    Response,
    Service,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.asyncio.hooked_peer import HookedPeer
from ampkit.asyncio.hooked_responders import HookedResponders
from ampkit.core.watched import WatchedConnection
from ampkit.hooks import Ask, Call
from ampkit.policy.dispatch import DEFAULT_DISPATCH
from ampkit.schema.responders import Responders
from ampkit.testing import fake_peer
from tests.asyncio.office import Note, Office, Raise, Reverse, Sum, Total, Wait
from tests.asyncio.turning import turns, until


class Diary(Hooks):
    """Writes down what it sees."""

    def __init__(self, name: str = "", pages: list[str] | None = None) -> None:
        self.name = name
        self.pages: list[str] = [] if pages is None else pages

    def note(self, text: str) -> None:
        """Write."""
        self.pages.append(self.name + text)

    def opened(self, peer: Peer) -> None:
        self.note(f"opened {peer.remote_address}")

    def closed(self, peer: Peer, reason: AmpError) -> None:
        self.note(f"closed {peer.remote_address}: {reason}")

    @contextmanager
    def noting(self, what: str) -> Generator[None]:
        """Write how something begins and ends."""
        self.note(f"{what} begins")
        try:
            yield
        except BaseException as error:
            self.note(f"{what} fails: {type(error).__name__}")
            raise
        self.note(f"{what} ends")

    def calling(self, call: Call) -> Any:
        return self.noting(("call " if call.answers else "tell ") + call.command.decode())

    def answering(self, ask: Ask) -> Any:
        return self.noting(f"ask {ask.command.decode()}")


class Around(Hooks):
    """Does what the test says around calls or asks."""

    def __init__(
        self, call: Callable[[Call], Generator[None]] | None = None, ask: Callable[[Ask], Generator[None]] | None = None
    ) -> None:
        self.call = call
        self.ask = ask

    @contextmanager
    def calling(self, call: Call) -> Generator[None]:
        yield from self.call(call) if self.call else [None]

    @contextmanager
    def answering(self, ask: Ask) -> Generator[None]:
        yield from self.ask(ask) if self.ask else [None]


@asynccontextmanager
async def joined(
    service: Service, *, here: tuple[Hooks, ...] = (), there: tuple[Hooks, ...] = ()
) -> AsyncGenerator[Peer]:
    """Join a client that has some hooks to a server that has others."""
    async with (
        ampkit.serve(service, "memory://hooks", options=Options(hooks=there)),
        ampkit.connect("memory://hooks", options=Options(hooks=here)) as peer,
    ):
        yield peer


def adding(key: bytes, value: bytes) -> Callable[[Call], Generator[None]]:
    """Return what adds an extension key to each call."""

    def add(call: Call) -> Generator[None]:
        call.extensions[key] = value
        yield

    return add


def raising(error: Exception) -> Callable[[Any], Generator[None]]:
    """Return what raises before anything is done."""

    def fail() -> list[None]:
        raise error

    def hook(_: object) -> Generator[None]:
        yield from fail()

    return hook


# What they see


async def test_a_connection_and_a_call_from_both_ends() -> None:
    """Each end's hooks see it begin and end, the ask inside the call."""
    pages: list[str] = []
    async with joined(Office(), here=(Diary("client ", pages),), there=(Diary("server ", pages),)) as peer:
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
        await peer.close()
        await until(lambda: len(pages) == 8)
    assert sorted(pages[:2]) == ["client opened memory://hooks", "server opened memory://hooks"]
    assert pages[2:6] == [
        "client call Sum begins",
        "server ask Sum begins",
        "server ask Sum ends",
        "client call Sum ends",
    ]
    assert sorted(pages[6:]) == [
        "client closed memory://hooks: this end closed the connection",
        "server closed memory://hooks: the other end closed the connection",
    ]


async def test_several_hooks_stand_inside_one_another() -> None:
    """The first of `Options.hooks` begins first and ends last."""
    pages: list[str] = []
    both = Diary("outer ", pages), Diary("inner ", pages)
    async with joined(Office(), here=both) as peer:
        del pages[:]
        await peer.call(Sum(a=1, b=2))
        assert [page.split()[0] for page in pages] == ["outer", "inner", "inner", "outer"]
        del pages[:]
    assert [page.split()[0] for page in pages] == ["inner", "outer"]


async def test_how_calls_fail() -> None:
    """A hook sees the exception that its end's program sees: declared, unhandled, too late, cancelled, lost."""
    here, there, office = Diary(), Diary(), Office()
    async with joined(office, here=(here,), there=(there,)) as peer:
        del here.pages[:], there.pages[:]
        with pytest.raises(KeyError):
            await peer.call(Raise(name="declared"))
        with pytest.raises(UnhandledCommand):
            await peer.call_raw(b"Nothing")
        with pytest.raises(RemoteError, match="MALFORMED"):
            await peer.call_raw(b"Sum", {b"a": b"x"})
        with pytest.raises(DeadlineExceeded):
            await peer.call(Wait(number=1), timeout=0.01)
        cancelled = asyncio.create_task(peer.call(Wait(number=2)))
        await until(lambda: office.started.qsize() == 2)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        lost = asyncio.create_task(peer.call(Wait(number=3)))
        await until(lambda: office.started.qsize() == 3)
        await peer.close()
        with pytest.raises(ConnectionLost):
            await lost
    assert [page for page in here.pages if "fails" in page] == [
        "call Raise fails: KeyError",
        "call Nothing fails: UnhandledCommand",
        "call Sum fails: RemoteError",
        "call Wait fails: DeadlineExceeded",
        "call Wait fails: CancelledError",
        "call Wait fails: ConnectionLost",
    ]
    assert [page for page in there.pages if "fails" in page][:3] == [
        "ask Raise fails: KeyError",
        "ask Nothing fails: RemoteError",
        "ask Sum fails: RemoteError",
    ]
    assert len([page for page in there.pages if "Wait fails: CancelledError" in page]) == 3


@pytest.mark.parametrize("later", [False, True], ids=["plain", "coroutine"])
async def test_responders_raise_within_their_hooks(later: bool) -> None:
    """Be they plain functions or coroutines."""
    diary = Diary()
    async with joined(Office(), there=(diary,)) as peer:
        with pytest.raises(KeyError, match="shelf"):
            await peer.call(Raise(name="declared", later=later))
        assert diary.pages[1:] == ["ask Raise begins", "ask Raise fails: KeyError"]


async def test_what_is_told_and_what_is_called_by_name() -> None:
    """Every way to call has its hooks; what is told has ended when it is queued."""
    here, there, office = Diary(), Diary(), Office()
    async with joined(office, here=(here,), there=(there,)) as peer:
        del here.pages[:], there.pages[:]
        await peer.tell(Note(text="x"))
        await peer.call(Note(text="x"))
        await peer.tell_raw(b"Note", {b"text": b"y"})
        assert here.pages == ["tell Note begins", "tell Note ends"] * 3
        del here.pages[:]
        assert (await peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"})) == {b"total": b"3"}
        assert await peer.call_many([Sum(a=1, b=2), Reverse(data=b"ab")]) != []
        assert sorted(here.pages) == sorted(
            [*["call Sum begins", "call Sum ends"] * 2, "call Reverse begins", "call Reverse ends"]
        )
        assert [office.notes.get_nowait() for _ in range(3)] == ["x", "x", "y"]
        assert [page.split()[1] for page in there.pages[::2]] == ["Note", "Note", "Note", "Sum", "Sum", "Reverse"]


async def test_boxes() -> None:
    """Each box of both directions is shown, with its tag."""

    class Tap(Hooks):
        """Keeps the boxes."""

        def __init__(self) -> None:
            self.boxes: list[tuple[str, Mapping[bytes, bytes]]] = []

        def box_sent(self, peer: Peer, box: Mapping[bytes, bytes]) -> None:
            self.boxes.append((f"to {peer.remote_address}", box))

        def box_received(self, peer: Peer, box: Mapping[bytes, bytes]) -> None:
            self.boxes.append((f"from {peer.remote_address}", box))

    tap = Tap()
    async with joined(Office(), here=(tap,)) as peer:
        await peer.call(Sum(a=1, b=2))
        assert tap.boxes == [
            ("to memory://hooks", {b"_ask": b"1", b"_command": b"Sum", b"a": b"1", b"b": b"2"}),
            ("from memory://hooks", {b"_answer": b"1", b"total": b"3"}),
        ]


async def test_a_hook_that_looks_on_and_fails_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """Its failure is logged, and the others go on."""

    class Clumsy(Hooks):
        """Fails at every box and every end."""

        def box_sent(self, peer: Peer, box: Mapping[bytes, bytes]) -> None:
            raise ValueError(f"{peer} {box}")

        def closed(self, peer: Peer, reason: AmpError) -> None:
            raise ValueError(f"{peer} {reason}")

    diary = Diary()
    async with joined(Office(), here=(diary, Clumsy())) as peer:
        assert await peer.call(Sum(a=1, b=2)) == Total(total=3)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["a hook failed"] * 2
    assert diary.pages[-1].startswith("closed")


async def test_without_hooks_nothing_stands_in_the_way() -> None:
    """The peer is the one that knows no hooks, and what is not overridden leaves responders and boxes alone."""
    async with joined(Office(), here=(Hooks(),)) as peer:
        assert type(peer) is HookedPeer  # whose calls are those of any peer
        plain: list[Peer] = []
        async with (
            ampkit.serve(plain.append, "memory://plain"),
            ampkit.connect("memory://plain") as other,
        ):
            assert [type(other), type(plain[0])] == [Peer, Peer]
        assert not isinstance(peer._connection, WatchedConnection)
        assert not isinstance(peer._answering.responders, HookedResponders)


# What they refuse


async def test_an_ask_is_refused_before_anything_is_known_of_it() -> None:
    """The caller gets the hook's code whether there is a responder or not, and whatever the arguments are."""
    office = Office()
    async with joined(office, there=(Around(ask=raising(RemoteError("UNAUTHENTICATED", "log in first"))),)) as peer:
        for command, box in ((b"Wait", {b"number": b"1"}), (b"Sum", {b"a": b"x"}), (b"Nothing", {})):
            with pytest.raises(RemoteError) as caught:
                await peer.call_raw(command, box)
            assert (caught.value.code, caught.value.description) == ("UNAUTHENTICATED", "log in first")
        await peer.tell(Note(text="x"))
        with pytest.raises(RemoteError):
            await peer.call(Sum(a=1, b=2))
        assert office.started.empty()
        assert office.notes.empty()


def test_names_that_nobody_knows_are_not_kept() -> None:
    """The other end chooses them, and could choose without end."""
    responders = HookedResponders(Responders(Office()), (), DEFAULT_DISPATCH)
    known = responders.find(b"Sum")
    for number in range(100):
        assert responders.find(b"%d" % number) is not None
    assert responders.find(b"Sum") is known
    assert len(responders._table) == 1


async def test_a_hook_may_raise_what_the_command_declares() -> None:
    """It travels as the command's own error."""
    async with joined(Office(), there=(Around(ask=raising(KeyError("from the hook"))),)) as peer:
        with pytest.raises(KeyError, match="from the hook"):
            await peer.call(Raise(name="declared"))


async def test_what_a_hook_does_not_declare_stays_here(caplog: pytest.LogCaptureFixture) -> None:
    """As with a responder: UNKNOWN to the other end, and the text to the log."""
    async with joined(Office(), there=(Around(ask=raising(ValueError("secret"))),)) as peer:
        with pytest.raises(UnknownRemoteError) as caught:
            await peer.call(Sum(a=1, b=2))
    assert "secret" not in str(caught.value)
    assert "secret" in caplog.text


async def test_a_call_is_refused_before_it_is_sent() -> None:
    """What the hook raises is raised by the call."""
    async with fake_peer(options=Options(hooks=(Around(call=raising(PermissionError("no"))),))) as (peer, fake):
        for call in (peer.call(Sum(a=1, b=2)), peer.tell(Note(text="x")), peer.call_raw(b"Sum"), peer.tell_raw(b"Sum")):
            with pytest.raises(PermissionError, match="no"):
                await call
        with pytest.raises(PermissionError, match="no"):
            await peer.call_many([Sum(a=1, b=2)])
        await peer.close()
        with pytest.raises(ConnectionLost):
            await fake.next_box()


async def test_a_batch_with_a_refused_call_is_not_sent() -> None:
    """Those that had begun end with the error."""
    pages = Diary()

    def refuse_notes(call: Call) -> Generator[None]:
        if call.command == b"Reverse":
            raise PermissionError("no")
        yield

    async with fake_peer(options=Options(hooks=(pages, Around(call=refuse_notes)))) as (peer, fake):
        with pytest.raises(PermissionError):
            await peer.call_many([Sum(a=1, b=2), Reverse(data=b"")])
        assert pages.pages[1:] == [
            "call Sum begins",
            "call Reverse begins",
            "call Reverse fails: PermissionError",
            "call Sum fails: PermissionError",
        ]
        await peer.close()
        with pytest.raises(ConnectionLost):
            await fake.next_box()


@pytest.mark.parametrize("error", [ConnectionLost("you are not on the list"), ValueError("a mistake")])
async def test_a_connection_is_refused_when_it_opens(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """No service is made, no ask is read, and who refused is not told of the end; others are."""

    class Doorman(Diary):
        """Lets nobody in."""

        def opened(self, peer: Peer) -> None:
            super(Diary, self).opened(peer)
            raise error

    seen, doorman = Diary(), Doorman()
    made: list[Peer] = []
    async with (
        ampkit.serve(made.append, "memory://door", options=Options(hooks=(seen, doorman))),
        ampkit.connect("memory://door") as peer,
    ):
        with pytest.raises(ConnectionLost):
            await peer.call(Sum(a=1, b=2))
    assert not made
    assert (len(seen.pages), doorman.pages) == (2, [])
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * isinstance(error, ValueError)


# What they change


@pytest.mark.parametrize("how", ["call", "call_many", "tell", "call_raw", "tell_raw"])
async def test_extension_keys_travel_with_the_ask(how: str) -> None:
    """However it is asked; the arguments are what they were."""
    boxes: asyncio.Queue[Mapping[bytes, bytes]] = asyncio.Queue()

    def keep(ask: Ask) -> Generator[None]:
        boxes.put_nowait(ask.box)
        yield

    ways: dict[str, Callable[[Peer], Any]] = {
        "call": lambda peer: peer.call(Note(text="x")),
        "call_many": lambda peer: peer.call_many([Sum(a=1, b=2), Sum(a=3, b=4)]),
        "tell": lambda peer: peer.tell(Note(text="x")),
        "call_raw": lambda peer: peer.call_raw(b"Sum", {b"a": b"1", b"b": b"2"}),
        "tell_raw": lambda peer: peer.tell_raw(b"Note", {b"text": b"x"}),
    }
    here, there = Around(adding(b"_meta.user", b"Ada")), Around(ask=keep)
    async with joined(Office(), here=(here,), there=(there,)) as peer:
        await ways[how](peer)
        box = await boxes.get()
        assert box[b"_meta.user"] == b"Ada"
        assert box.keys() - {b"_meta.user"} in ({b"text"}, {b"a", b"b"})
    assert boxes.qsize() == (how == "call_many")


@pytest.mark.parametrize("key", [b"user", b"_ask", b"_command", b""])
async def test_no_argument_and_no_key_of_amp_can_be_added(key: bytes) -> None:
    """LocalProtocolError, and nothing is sent."""
    async with fake_peer(options=Options(hooks=(Around(adding(key, b"x")),))) as (peer, fake):
        with pytest.raises(LocalProtocolError, match="no extension key"):
            await peer.call(Sum(a=1, b=2))
        with pytest.raises(LocalProtocolError, match="no extension key"):
            await peer.call_raw(b"Sum")
        await peer.close()
        with pytest.raises(ConnectionLost):
            await fake.next_box()


@pytest.mark.parametrize("many", [False, True])
async def test_another_error_in_place_of_one(many: bool) -> None:
    """The one that the outermost hook leaves is raised here, or sent from there."""

    def translate(_: object) -> Generator[None]:
        try:
            yield
        except (KeyError, RemoteError) as error:
            raise RemoteError("TRANSLATED", type(error).__name__) from error

    async def fail(peer: Peer) -> None:
        await (peer.call_many([Raise(name="declared")]) if many else peer.call(Raise(name="declared")))

    for hooks in ({"here": (Around(call=translate),)}, {"there": (Around(ask=translate),)}):
        async with joined(Office(), **hooks) as peer:
            with pytest.raises(RemoteError) as caught:
                await fail(peer)
            assert (caught.value.code, caught.value.description) == ("TRANSLATED", "KeyError")


async def test_an_error_cannot_be_swallowed(caplog: pytest.LogCaptureFixture) -> None:
    """There is no response that could stand in its place: the call and the ask fail all the same."""

    def swallow(_: object) -> Generator[None]:
        with contextlib.suppress(Exception):
            yield

    async with joined(Office(), here=(Around(call=swallow),)) as peer:
        for call in (peer.call(Raise(name="declared")), peer.call_raw(b"Nothing")):
            with pytest.raises(LocalProtocolError, match="swallowed"):
                await call
        assert isinstance((await peer.call_many([Raise(name="declared")], return_exceptions=True))[0], KeyError)
        await peer.close()
        for tell in (peer.tell(Note(text="x")), peer.tell_raw(b"Note")):
            with pytest.raises(LocalProtocolError, match="swallowed"):
                await tell
    async with joined(Office(), there=(Around(ask=swallow),)) as peer:
        with pytest.raises(UnknownRemoteError):
            await peer.call(Raise(name="declared"))
    assert "swallowed why Raise failed" in caplog.text


# Contexts

user: ContextVar[str] = ContextVar("user", default="nobody")


class Name(Response):
    """A name."""

    name: str


class WhoAmI(Command[Name]):
    """Answered by a plain function."""


class WhoAmILater(Command[Name]):
    """Answered by a coroutine."""


class Mirror(Service):
    """Responds with what its hooks have put in the context."""

    @WhoAmI.responder
    def now(self, _: WhoAmI) -> Name:
        """Look at once."""
        return Name(name=user.get())

    @WhoAmILater.responder
    async def later(self, _: WhoAmILater) -> Name:
        """Look twice."""
        first = user.get()
        await turns(3)
        assert first == user.get()
        return Name(name=first)


@contextmanager
def being(name: str) -> Generator[None]:
    """Be somebody in this context."""
    token = user.set(name)
    try:
        yield
    finally:
        user.reset(token)


async def test_a_responder_sees_the_context_of_its_hooks() -> None:
    """And no other ask does, though many run at a time."""

    def introduce(ask: Ask) -> Generator[None]:
        with being(ask.box[b"_meta.user"].decode()) if b"_meta.user" in ask.box else being("a stranger"):
            yield

    async with joined(Mirror(), there=(Around(ask=introduce),)) as peer:
        names = [b"Ada", b"Bob", b"Cy"]
        asks = [peer.call_raw(command, {b"_meta.user": n}) for n in names for command in (b"WhoAmI", b"WhoAmILater")]
        assert [box[b"name"] for box in await asyncio.gather(*asks)] == [name for name in names for _ in range(2)]
        assert await peer.call(WhoAmI()) == Name(name="a stranger")
    assert user.get() == "nobody"


async def test_the_calls_of_a_batch_are_not_inside_one_another() -> None:
    """Each has hooks in a context of its own, which begins as that of the caller."""
    parents: list[str] = []

    def nest(call: Call) -> Generator[None]:
        parents.append(user.get())
        with being(call.command.decode()):
            yield

    async with joined(Office(), here=(Around(call=nest),)) as peer:
        with being("caller"):
            await peer.call_many([Sum(a=1, b=2), Sum(a=3, b=4), Reverse(data=b"")])
            await peer.call(Sum(a=1, b=2))
            assert user.get() == "caller"
    assert parents == ["caller"] * 4


async def test_asks_are_begun_in_their_order() -> None:
    """Plain responders and coroutines alike."""
    diary = Diary()
    async with joined(Office(), there=(diary,)) as peer:
        await peer.call_many([Sum(a=1, b=2), Reverse(data=b""), Sum(a=1, b=2)])
        begun = [page.split()[1] for page in diary.pages if page.endswith("begins")]
    assert begun == ["Sum", "Reverse", "Sum"]
