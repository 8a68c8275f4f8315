"""Seams of arguments: the four levels that a type may override, and the helpers; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="import-untyped"

import json
from typing import Any

import pytest
from zope.interface import implementer

from tests.twisted.seams.common import result
from tests.twisted.seams.conftest import Link

Make = Any
"""A function from a module to an argument type of that module."""


def json_value(amp: Any) -> Any:
    """The lowest level: strings."""

    class Json(amp.Argument):
        def toString(self, value: Any) -> bytes:
            return json.dumps(value).encode()

        def fromString(self, string: bytes) -> Any:
            return json.loads(string)

    return Json()


def shifted(amp: Any) -> Any:
    """Strings that depend on the protocol."""

    class Shifted(amp.Integer):
        def toStringProto(self, value: int, proto: Any) -> Any:
            return self.toString(value + proto.shift)

        def fromStringProto(self, string: bytes, proto: Any) -> Any:
            return self.fromString(string) - proto.shift

    return Shifted()


def whole(amp: Any) -> Any:
    """The highest level: one value in as many entries of the box as it needs."""

    class Big(amp.Argument):
        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            value = self.retrieve(objects, amp._wireNameToPythonIdentifier(name), proto)
            for number, start in enumerate(range(0, len(value), 65_535)):
                strings[b"%b.%d" % (name, number)] = value[start : start + 65_535]

        def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            chunks: list[bytes] = []
            while (key := b"%b.%d" % (name, len(chunks))) in strings:
                chunks.append(strings.pop(key))
            objects[amp._wireNameToPythonIdentifier(name)] = b"".join(chunks)

    return Big()


def bare(amp: Any) -> Any:
    """A type that inherits from nothing and only provides the interface."""

    @implementer(amp.IArgumentType)
    class Reversed:
        optional = False

        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            strings[name] = objects.pop(name.decode())[::-1]

        def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            objects[name.decode()] = strings.pop(name)[::-1]

    return Reversed()


def rows(amp: Any) -> Any:
    """A type that is built of the module's own helpers."""

    class Point(amp.Argument):
        fields = [(b"x", amp.Integer()), (b"from", amp.Unicode())]

        def toStringProto(self, value: Any, proto: Any) -> Any:
            return amp._objectsToStrings(value, self.fields, amp.Box(), proto).serialize()

        def fromStringProto(self, string: bytes, proto: Any) -> Any:
            (box,) = amp._ParserHelper.parseString(string)
            return amp._stringsToObjects(box, self.fields, proto)

    return Point()


def echo(amp: Any, argument: Any) -> Any:
    """A command with that argument both ways."""
    fields = [(b"value", argument)]
    return type("Echo", (amp.Command,), {"arguments": fields, "response": fields})


def echoing(amp: Any, command: Any) -> Any:
    """A class that answers it; with a shift for those who want one."""

    class Echoing(amp.AMP):
        shift = 1_000
        seen: Any = ()

        @command.responder
        def echo(self, value: Any) -> dict[str, Any]:
            self.seen = [*self.seen, value]
            return {"value": value}

    return Echoing


@pytest.mark.parametrize(
    ("make", "value"),
    [
        pytest.param(json_value, {"a": [1, None]}, id="strings"),
        pytest.param(shifted, 7, id="strings that depend on the protocol"),
        pytest.param(whole, b"x" * 200_000, id="the whole box"),
        pytest.param(whole, b"", id="nothing in the box"),
        pytest.param(bare, b"abc", id="a bare provider"),
        pytest.param(rows, {"x": 3, "From": "\u00e9"}, id="the helpers"),
    ],
)
async def test_a_type_of_its_own_goes_there_and_back(make: Make, value: Any, amp: Any, far: Any, link: Link) -> None:
    """Each level can be overridden, and is used in both directions at both ends."""
    near, other = echo(amp, make(amp)), echo(far, make(far))
    server, client = echoing(amp, near)(), echoing(far, other)()
    await link(server, client)
    assert await result(client.callRemote(other, value=value)) == {"value": value}
    assert await result(server.callRemote(near, value=value)) == {"value": value}


async def test_the_wire_form_is_the_type_s_own(amp: Any, far: Any, link: Link) -> None:
    """The other end sees what the protocol made of a value, and the responder sees the value."""
    command = echo(amp, shifted(amp))
    server, client = echoing(amp, command)(), far.AMP()
    await link(server, client)
    assert (await result(client.callRemoteString(b"Echo", value=b"1007")))[b"value"] == b"1007"
    assert server.seen == [7]


async def test_a_value_may_come_from_elsewhere_than_the_box(amp: Any, far: Any, link: Link) -> None:
    """`retrieve` gives a responder what the wire does not carry: here, who asks."""

    class Caller(amp.Argument):
        def retrieve(self, _: Any, __: Any, proto: Any) -> Any:
            return proto

        def fromStringProto(self, notString: Any, proto: Any) -> Any:
            return notString

        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            """Send nothing."""

    class WhoAmI(amp.Command):
        arguments = [(b"caller", Caller())]
        response = [(b"known", amp.Boolean())]

    class Knowing(amp.AMP):
        @WhoAmI.responder
        def who(self, caller: Any) -> dict[str, bool]:
            return {"known": caller is self}

    server, client = Knowing(), far.AMP()
    await link(server, client)
    assert (await result(client.callRemoteString(b"WhoAmI")))[b"known"] == b"True"


async def test_one_argument_may_take_the_objects_of_another(amp: Any, link: Link) -> None:
    """Both dictionaries are given as they are: one type packs two values, and unpacks them again."""

    class Pair(amp.Argument):
        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            strings[name] = b"%d %d" % (objects.pop("left"), objects.pop("right"))

        def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            objects["left"], objects["right"] = map(int, strings.pop(name).split())

    class Packed(amp.Argument):
        def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            assert name.decode() not in objects

        def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
            assert name.decode() in objects

    class Swap(amp.Command):
        arguments = response = [(b"pair", Pair(optional=True)), (b"left", Packed()), (b"right", Packed())]

    class Swapping(amp.AMP):
        @Swap.responder
        def swap(self, left: int, right: int) -> dict[str, int]:
            return {"left": right, "right": left}

    server, client = Swapping(), amp.AMP()
    await link(server, client)
    assert await result(client.callRemote(Swap, left=1, right=2)) == {"left": 2, "right": 1}
