"""Command classes of a program's module, looked up and filled from the command line; sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ampkit.cli.exits import Failure
from ampkit.cli.loading import load_module
from ampkit.cli.values import read_value
from ampkit.schema.command import Command
from ampkit.schema.typed import Field
from ampkit.wire.text import printable


def find_command(module_name: str, name: str) -> type[Command[Any]]:
    """Return the command class of a module by its class name, else by its name on the wire.

    Raises Failure, with the names that there are, if no class or more than one has it.
    """
    classes = _command_classes(module_name)
    found = [each for each in classes if each.__name__ == name] or [
        each for each in classes if each.__command__.name == name.encode()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise Failure(f"several commands are {name!r} on the wire: {', '.join(each.__name__ for each in found)}")
    names = ", ".join(sorted(each.__name__ for each in classes)) or "none"
    raise Failure(f"module {module_name!r} has no command {name!r}; its commands: {names}")


def fill_command(command: type[Command[Any]], arguments: Mapping[bytes, bytes]) -> Command[Any]:
    """Return an instance whose fields, by their Python names or those on the wire, have the given values.

    Raises Failure for a value that is none of its field's type, and for a missing or unknown one.
    """
    fields = command.__schema__.fields
    missing = dict(arguments)
    values = {field.name: _take(command, field, missing) for field in fields}
    if missing:
        has = ", ".join(field.name for field in fields) or "none"
        raise Failure(f"{command.__name__} has no argument {printable(next(iter(missing)))}; its arguments: {has}")
    try:
        return command(**values)
    except Exception as error:  # a check of the program's own, in __post_init__
        raise Failure(f"{command.__name__}: {error}") from error


def _take(command: type[Command[Any]], field: Field, arguments: dict[bytes, bytes]) -> Any:
    """Take the value of one field out of the arguments."""
    given = [arguments.pop(key) for key in {field.name.encode(), field.key} if key in arguments]
    if len(given) > 1:
        raise Failure(f"the argument {field.name} is given twice")
    if not given:
        if field.absent is None:
            raise Failure(f"{command.__name__} lacks the argument {field.name}")
        return field.absent()
    try:
        return read_value(field.argument, given[0])
    except Exception as error:
        raise Failure(f"{command.__name__}.{field.name}: {error}") from error


def _command_classes(module_name: str) -> list[type[Command[Any]]]:
    names = vars(load_module(module_name)).values()
    return list({each: None for each in names if _is_command(each)})


def _is_command(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Command) and value is not Command
