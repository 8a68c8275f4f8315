"""Services: which method responds to which command, how methods are overridden and joined, and what is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from ampkit.schema.command import Command
from ampkit.schema.descriptor import FileDescriptor
from ampkit.schema.record import Response
from ampkit.schema.responders import Responders, Service


class Total(Response):
    """A response."""

    total: int


class Sum(Command[Total]):
    """A command."""

    a: int
    b: int


class Ping(Command[None]):
    """Another one."""


class SamePing(Command[None], name="Ping"):
    """Another class for the same name on the wire."""


class SameReply(Command[None]):
    """A command with the same answer as Ping."""


class Later(Command["Reply"]):
    """Answered by what is defined below."""


class Reply(Response):
    """Named above."""

    text: str


class Calculator(Service):
    """A plain and a coroutine function, one of which wants the peer."""

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Respond to Sum."""
        return Total(total=command.a + command.b + self.offset)

    @Ping.responder
    async def ping(self, command: Ping, peer: Any) -> None:
        """Respond to Ping."""

    def helper(self, number: int) -> int:
        """Respond to nothing."""
        return number


class Pinger(Service):
    """Responds to Ping, too."""

    @Ping.responder
    def pong(self, command: Ping) -> None:
        """Respond to Ping."""


def test_a_responder_is_found_by_its_command_s_name() -> None:
    """Bound to the instance, with what must be known to call it."""
    responders = Responders(Calculator(offset=6))
    found = responders.find(b"Sum")
    assert found is not None
    assert found.command is Sum.__command__
    assert not found.takes_peer
    assert found.function(Sum(a=13, b=81)) == Total(total=100)
    ping = responders.find(b"Ping")
    assert ping is not None
    assert ping.takes_peer
    assert responders.find(b"helper") is responders.find(b"") is None


@pytest.mark.parametrize("services", [None, [], ()])
def test_there_may_be_no_service(services: Any) -> None:
    """An end that only calls."""
    assert Responders(services).find(b"Sum") is None


def test_a_service_without_responders_is_one() -> None:
    """Its commands may all come from others that are joined to it."""

    class Empty(Service):
        pass

    assert Responders(Empty()).find(b"Sum") is None
    assert Responders(Service()).find(b"Sum") is None


def test_services_are_joined() -> None:
    """Any iterable of them, each responding to its own commands."""

    class Other(Service):
        @Later.responder
        def later(self, command: Later) -> Reply:
            return Reply(text=repr(command))

    responders = Responders(iter([Calculator(), Other()]))
    assert [responders.find(name) is not None for name in (b"Sum", b"Ping", b"Later", b"More")] == [True] * 3 + [False]


def test_an_iterable_service_is_still_one() -> None:
    """It is not taken apart."""

    class Iterable(Service):
        def __iter__(self) -> Any:
            raise AssertionError

        @Ping.responder
        def ping(self, command: Ping) -> None:
            pass

    assert Responders(Iterable()).find(b"Ping") is not None


def test_two_responders_for_one_command_are_a_type_error() -> None:
    """When services are joined, with both named; also for two classes of one name on the wire."""
    with pytest.raises(TypeError, match=r"^two responders for the command Ping: Calculator\.ping and Pinger\.pong$"):
        Responders([Calculator(), Pinger()])
    with pytest.raises(TypeError, match=r"^two responders for the command Ping: Pinger\.pong and Pinger\.pong$"):
        Responders([Pinger(), Pinger()])

    class Both(Pinger):
        @SamePing.responder
        def same(self, command: SamePing) -> None:
            pass

    with pytest.raises(TypeError, match=r"^two responders for the command Ping: Pinger\.pong and .*Both\.same$"):
        Responders(Both())


def test_two_methods_for_one_command_are_a_type_error_of_the_class_statement() -> None:
    """In one class, or in a class and its base under another name."""
    with pytest.raises(TypeError, match=r"^Twice: one and two both respond to Ping$"):

        class Twice(Service):
            @Ping.responder
            def one(self, command: Ping) -> None:
                pass

            @Ping.responder
            def two(self, command: Ping) -> None:
                pass

    with pytest.raises(TypeError, match=r"^Again: pong and other both respond to Ping$"):

        class Again(Pinger):
            @Ping.responder
            def other(self, command: Ping) -> None:
                pass


def test_a_method_may_respond_to_several_commands() -> None:
    """Decorated once for each."""
    seen: list[str] = []

    class Multi(Service):
        @Ping.responder
        @SameReply.responder
        def any(self, command: Ping | SameReply) -> None:
            seen.append(type(command).__name__)

    responders = Responders(Multi())
    for command in (Ping(), SameReply()):
        found = responders.find(command.__command__.name)
        assert found is not None
        found.function(command)
    assert seen == ["Ping", "SameReply"]


def test_a_subclass_overrides_without_decorating_again() -> None:
    """The method's name decides; decorating it again is no mistake; super() works."""

    class Louder(Calculator):
        def sum(self, command: Sum) -> Total:
            return Total(total=super().sum(command).total * 10)

        @Ping.responder
        async def ping(self, command: Ping, peer: Any) -> None:
            pass

    found = Responders(Louder()).find(b"Sum")
    assert found is not None
    assert found.function(Sum(a=1, b=2)) == Total(total=30)


def test_bases_are_joined_by_inheritance() -> None:
    """A class with several services as bases responds to all their commands."""

    class Timer(Service):
        @Later.responder
        def later(self, command: Later) -> Reply:
            return Reply(text=repr(command))

    class Both(Timer, Calculator):
        pass

    assert all(Responders(Both()).find(name) for name in (b"Sum", b"Ping", b"Later"))


def wants_nothing() -> None:
    """Cannot even be bound."""


def wants_more(self: Any, command: Any, more: int) -> None:
    """Wants what nobody gives."""


def wants_the_peer_by_place(self: Any, command: Any, peer: Any, /) -> None:
    """The peer is given by its name."""


def calls_the_command_peer(self: Any, peer: Any) -> None:
    """The command is given by its place."""


def calls_the_peer_otherwise(self: Any, command: Any, other_end: Any) -> None:
    """Nobody can know what it means."""


@pytest.mark.parametrize(
    "function",
    [wants_nothing, wants_more, wants_the_peer_by_place, calls_the_command_peer, calls_the_peer_otherwise],
)
def test_a_method_that_cannot_be_called_is_a_type_error(function: Callable[..., Any]) -> None:
    """Of the class statement, and not of the first ask."""
    with pytest.raises(TypeError, match=r"^Wrong\.method must take \(self, command\) or \(self, command, peer\): "):
        type("Wrong", (Service,), {"method": Ping.responder(functools.partial(function))})
    with pytest.raises(TypeError, match=r"^Wrong\.pong must take"):
        type("Wrong", (Pinger,), {"pong": function})


def takes_a_default(self: Any, command: Any, more: int = 1) -> None:
    """What is left out has a default."""


def takes_anything(*args: Any, **options: Any) -> None:
    """Does not care."""


def takes_the_peer_by_keyword(self: Any, command: Any, *, peer: Any, more: Any = None) -> None:
    """Names what it wants."""


@pytest.mark.parametrize(
    ("function", "takes_peer"), [(takes_a_default, False), (takes_anything, False), (takes_the_peer_by_keyword, True)]
)
def test_a_method_that_can_be_called_is_taken(function: Any, takes_peer: bool) -> None:
    """Whatever else it could take."""
    found = Responders(type("Right", (Pinger,), {"pong": function})()).find(b"Ping")
    assert found is not None
    assert found.takes_peer is takes_peer


@pytest.mark.parametrize("make", [staticmethod, classmethod])
def test_methods_without_an_instance_are_refused(make: Any) -> None:
    """A responder belongs to an instance; a decorator that hides it must not make it vanish in silence."""

    def method(command: Any) -> None:
        pass

    decorate: Any = Ping.responder
    with pytest.raises(TypeError, match=r"^Wrong\.method must take"):
        type("Wrong", (Service,), {"method": make(decorate(method))})


def test_a_decorator_of_the_program_s_own_may_stand_above() -> None:
    """If it is a well-behaved one."""

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def inside(self: Any, command: Any) -> Any:
            return function(self, command)

        return inside

    class Logged(Service):
        @logged
        @Ping.responder
        def ping(self, command: Ping) -> None:
            pass

    assert Responders(Logged()).find(b"Ping") is not None


@pytest.mark.parametrize("services", [Calculator, "service", [Calculator], [Calculator(), None], 5])
def test_only_instances_of_services_are_taken(services: Any) -> None:
    """A class in place of an instance is the mistake to expect."""
    with pytest.raises(TypeError, match=r"^expected Service instances, not "):
        Responders(services)


def test_class_keywords_of_a_base_of_the_program_s_own_arrive() -> None:
    """Service passes on what it does not know."""
    seen: list[str] = []

    class Listed:
        def __init_subclass__(cls, *, tag: str) -> None:
            seen.append(tag)

    class Tagged(Service, Listed, tag="x"):
        pass

    assert seen == ["x"]
    assert Tagged.__responders__ == {}


def test_a_service_may_require_tls() -> None:
    """For all its responders, and so do its subclasses unless they say otherwise."""

    class Vault(Calculator, require_tls=True):
        pass

    class Safe(Vault):
        pass

    class Window(Vault, require_tls=False):
        pass

    needed = [Responders(service()).find(b"Sum") for service in (Calculator, Vault, Safe, Window)]
    assert [responder and responder.requires_tls for responder in needed] == [False, True, True, False]


def test_a_command_that_requires_tls_requires_it_of_any_service() -> None:
    """Whatever the service says."""

    class Pay(Command[None], require_tls=True):
        pass

    class Shop(Service, require_tls=False):
        @Pay.responder
        def pay(self, command: Pay) -> None:
            pass

    responder = Responders(Shop()).find(b"Pay")
    assert responder is not None
    assert responder.requires_tls


def test_they_know_whether_descriptors_are_among_them() -> None:
    """In the arguments of a command, or in its response."""

    class Opened(Response):
        file: FileDescriptor

    class Open(Command[Opened]):
        path: str

    class Close(Command[None]):
        file: FileDescriptor

    class Opener(Service):
        @Open.responder
        def open(self, command: Open) -> Opened:
            raise NotImplementedError

    class Closer(Service):
        @Close.responder
        def close(self, command: Close) -> None:
            raise NotImplementedError

    assert [Responders(service).carries for service in (Opener(), Closer(), None)] == [True, True, False]
