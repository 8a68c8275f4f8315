"""Every seam overridden alone, in a class or on an instance, is called on the way of a call; over a real connection."""

# mypy: allow-untyped-calls, allow-subclassing-any

from typing import Any

import pytest

from tests.twisted.seams.common import calculator as calculator_of
from tests.twisted.seams.common import commands, result
from tests.twisted.seams.conftest import Link

ASKING = ["callRemote", "_sendBoxCommand", "_nextTag", "_answerReceived"]
ANSWERING = ["_commandReceived", "dispatchCommand", "locateResponder", "_wrapWithSerialization", "_safeEmit"]
BOXES = ["ampBoxReceived", "sendBox", "dataReceived", "makeConnection", "startReceivingBoxes"]
STRINGS = ["stringReceived", "proto_init", "proto_key", "proto_value"]
COMMAND = ["_doCommand", "makeArguments", "parseArguments", "makeResponse", "parseResponse"]
ARGUMENT = ["toBox", "fromBox", "retrieve", "toStringProto", "fromStringProto", "toString", "fromString"]


def watched(method: Any, seen: list[Any]) -> Any:
    """The same method, which notes that it was called."""

    def watch(*args: Any, **kw: Any) -> Any:
        seen.append(args)
        return method(*args, **kw)

    return watch


async def both_ways(amp: Any, near: Any, far: Any, link: Link, other: Any) -> None:
    """Let each end call the other."""
    if other.transport is None:
        await link(near, other)
    assert await result(near.callRemote(commands(amp).Sum, a=13, b=81)) == {"total": 94}
    assert await result(other.callRemote(commands(far).Sum, a=1, b=2)) == {"total": 3}


@pytest.mark.parametrize("name", [*ASKING, *ANSWERING, *BOXES, *STRINGS])
async def test_a_method_of_a_class(name: str, calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """The override sees the call and its answer, and changes neither."""
    seen: list[Any] = []
    near = type("Watching", (calculator,), {name: watched(getattr(calculator, name), seen)})()
    await both_ways(amp, near, far, link, calculator_of(far)())
    assert seen


@pytest.mark.parametrize("name", [*ASKING, *ANSWERING, *BOXES[:3], *STRINGS])
async def test_a_method_on_an_instance(name: str, calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """Also if it is assigned when calls have been made already."""
    seen: list[Any] = []
    near, other = calculator(), calculator_of(far)()
    await both_ways(amp, near, far, link, other)
    setattr(near, name, watched(getattr(near, name), seen))
    await both_ways(amp, near, far, link, other)
    assert seen


@pytest.mark.parametrize("name", [*COMMAND, "__init__", "commandType", "responseType"])
async def test_an_attribute_of_a_command(name: str, calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """It is used at the end that has it, when it asks or when it answers."""
    seen: list[Any] = []
    plain = commands(amp).Sum
    if name in {"__init__", "_doCommand", "commandType", "responseType"}:
        attribute: Any = watched(getattr(plain, name), seen)
    else:
        attribute = classmethod(watched(getattr(plain, name).__func__, seen))
    special = type("Sum", (plain,), {name: staticmethod(attribute) if name.endswith("Type") else attribute})
    near, other = calculator(), calculator_of(far)()
    near._commandDispatch = {b"Sum": (special, calculator.sum)}
    await link(near, other)
    assert await result(near.callRemote(special, a=13, b=81)) == {"total": 94}
    assert await result(other.callRemote(commands(far).Sum, a=1, b=2)) == {"total": 3}
    assert seen


@pytest.mark.parametrize("where", ["class", "instance"])
@pytest.mark.parametrize("name", ARGUMENT)
async def test_a_method_of_an_argument(name: str, where: str, calculator: Any, amp: Any, far: Any, link: Link) -> None:
    """It is used at the end that has it, when it asks and when it answers."""
    seen: list[Any] = []
    if where == "class":
        plain = getattr(amp.Integer, name)
        method = watched((lambda _, string: int(string)) if plain is int else plain, seen)
        argument = type("Watching", (amp.Integer,), {name: method})()
    else:
        argument = amp.Integer()
        setattr(argument, name, watched(getattr(argument, name), seen))
    fields = [(b"a", argument), (b"b", argument)]
    special = type("Sum", (amp.Command,), {"arguments": fields, "response": [(b"total", argument)]})
    near, other = calculator(), calculator_of(far)()
    near._commandDispatch = {b"Sum": (special, calculator.sum)}
    await link(near, other)
    assert await result(near.callRemote(special, a=13, b=81)) == {"total": 94}
    asked = len(seen)
    assert await result(other.callRemote(commands(far).Sum, a=1, b=2)) == {"total": 3}
    assert 0 < asked < len(seen)
