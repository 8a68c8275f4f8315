"""Both twins in one process: classes and peers of the compiled module and of Python side by side; compares nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from importlib.util import find_spec, module_from_spec
from typing import Any, Final
from unittest import mock

import pytest

from ampkit.asyncio import flow
from ampkit.schema import compiler, mapping
from ampkit.speed import compiled
from ampkit.wire.codec import PythonDecoder

needs_both: Final = pytest.mark.skipif(compiled is None, reason="there is no compiled module to compare with")


def _nothing(*_: object) -> Any:
    return None


def _python_channel() -> Any:
    """Return a second class of channels, which is made of what the compiled module stands for."""
    spec = find_spec("ampkit.asyncio.channel")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with mock.patch.object(flow, "Flow", flow.PythonFlow):
        spec.loader.exec_module(module)
    return module.Channel


_PYTHON: Final[dict[str, dict[str, Any]]] = {
    "ampkit.schema.record": {
        "make_encoder": compiler.make_encoder,
        "make_decoder": compiler.make_decoder,
        "make_quickly": _nothing,
    },
    "ampkit.schema.command": {"make_encoder": compiler.make_encoder, "make_plan": _nothing},
    "ampkit.schema.containers": {"_decode_quickly": _nothing, "_encode_quickly": _nothing},
    "ampkit.core.link": {"Decoder": PythonDecoder},
    "ampkit.asyncio.line": {"Decoder": PythonDecoder},
    "ampkit.asyncio.peer": {"Channel": _python_channel()},
    "ampkit.asyncio.quick": {"compiled": None},
}
"""Where the twins are chosen, and what is chosen in pure Python."""


@contextlib.contextmanager
def in_python() -> Generator[None]:
    """Let classes that are defined within, and peers that are made, have nothing of the compiled module but fields."""
    with contextlib.ExitStack() as stack:
        for module, names in _PYTHON.items():
            stack.enter_context(mock.patch.multiple(module, **names))
        yield


def python_twins() -> dict[str, Any]:
    """Return the functions in Python that the compiled module has under the same names."""
    return {
        "make_encoder": compiler.make_encoder,
        "make_decoder": compiler.make_decoder,
        "make_mapping_encoder": mapping.make_mapping_encoder,
        "make_mapping_decoder": mapping.make_mapping_decoder,
        "make_caller": mapping.make_caller,
    }


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a call comes to, so that two can be compared: exceptions are the same if they say the same."""
    try:
        return "returned", shown(function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return "raised", type(error), str(error)


def shown(value: Any) -> Any:
    """Return a value in a form that is equal only if type and content are: 1, 1.0 and True differ, nan is nan."""
    if isinstance(value, dict):
        return "dict", [(shown(key), shown(each)) for key, each in value.items()]
    if isinstance(value, list):
        return "list", [shown(each) for each in value]
    if hasattr(value, "__schema__"):
        return type(value).__name__, sorted((name, shown(each)) for name, each in vars(value).items())
    return type(value).__name__, repr(value)
