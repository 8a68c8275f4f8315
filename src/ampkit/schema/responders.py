"""Which function responds to which command; runs none of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias, cast

from ampkit.schema.command import RESPONDS_TO, Command, CommandSchema
from ampkit.wire.text import printable

_PEER: Final = "peer"


class Service:
    """Base of classes whose methods respond to commands, each decorated with `@SomeCommand.responder`.

    One instance serves all connections. A subclass may override a responder without decorating it again.
    Two responders for one command, or a responder with parameters it will not be given, raise TypeError when
    the class is defined. With `class Vault(Service, require_tls=True)` it answers only over TLS; inherited.
    """

    __requires_tls__: ClassVar[bool] = False
    __responders__: ClassVar[Mapping[type[Command[Any]], str]] = {}
    """Command to the name of the method that responds to it."""

    def __init_subclass__(cls, *, require_tls: bool | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if require_tls is not None:
            cls.__requires_tls__ = require_tls
        table: dict[type[Command[Any]], str] = {}
        for name, command in _decorated(cls):
            if table.setdefault(command, name) != name:
                both = f"{table[command]} and {name}"
                raise TypeError(f"{cls.__name__}: {both} both respond to {command.__name__}")
        for command, name in table.items():
            _check_signature(f"{cls.__name__}.{name}", getattr(cls, name), command)
        cls.__responders__ = table


@dataclass(frozen=True, slots=True)
class Responder:
    """One command's responder, bound to the service instance it belongs to."""

    command: CommandSchema
    function: Callable[..., Any]
    takes_peer: bool
    requires_tls: bool = False
    """Whether the command or the service says so."""


Services: TypeAlias = Service | Iterable[Service] | None
"""One service, several that are joined, or none."""


class Responders:
    """The responders of one or several services, by the command's name on the wire.

    Raises TypeError when two of them respond to the same name.
    """

    def __init__(self, services: Services) -> None:
        self._table: dict[bytes, Responder] = {}
        self.routes: dict[bytes, Any] | None = {}
        """What the compiled module knows of the responders that were asked; None keeps it from knowing any."""
        for service in _each(services):
            for command, method in service.__responders__.items():
                self._add(command.__command__, getattr(service, method), service.__requires_tls__)

    def find(self, name: bytes) -> Responder | None:
        """Return the responder to the command of this name, or None."""
        return self._table.get(name)

    @property
    def carries(self) -> bool:
        """Whether any of the commands has descriptors among its arguments or in its response."""
        return any(each.command.carries or each.command.response_carries for each in self._table.values())

    def _add(self, command: CommandSchema, function: Callable[..., Any], requires_tls: bool) -> None:
        if command.name in self._table:
            both = f"{_shown(self._table[command.name].function)} and {_shown(function)}"
            raise TypeError(f"two responders for the command {printable(command.name)}: {both}")
        takes_peer = _PEER in inspect.signature(function).parameters
        self._table[command.name] = Responder(command, function, takes_peer, requires_tls or command.requires_tls)


def _decorated(cls: type) -> Iterator[tuple[str, type[Command[Any]]]]:
    """Find the methods of a class and its bases that say to which commands they respond."""
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            function = getattr(member, "__func__", member)  # what @staticmethod or @classmethod stands above
            for command in getattr(function, RESPONDS_TO, ()):
                yield name, command


def _each(services: object) -> list[Service]:
    members: Iterable[object] = [services]
    if services is None:
        members = []
    elif isinstance(services, Iterable) and not isinstance(services, Service):
        members = cast("Iterable[object]", services)
    return [_checked(member) for member in members]


def _checked(member: object) -> Service:
    if not isinstance(member, Service):
        raise TypeError(f"expected Service instances, not {member!r}")
    return member


def _shown(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


def _check_signature(where: str, function: Callable[..., Any], command: type[Command[Any]]) -> None:
    """Raise TypeError unless the method can be called with (self, command) or (self, command, peer=peer)."""
    parameters = inspect.signature(function).parameters
    extra = {_PEER: None} if _PEER in parameters else {}
    try:
        inspect.signature(function).bind(None, command, **extra)
    except TypeError as error:
        raise TypeError(f"{where} must take (self, command) or (self, command, peer): {error}") from None
