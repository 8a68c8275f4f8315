"""What a program's module has under a name, as something that can be served; serves nothing."""

from __future__ import annotations

import logging
from typing import Any

from ampkit.cli.exits import Failure
from ampkit.cli.loading import load_attribute
from ampkit.schema.responders import Service


def load_service(spec: str) -> Any:
    """Return what `ampkit.serve` takes for `module:attribute`. Raises Failure if there is no such thing."""
    return service_from(load_attribute(spec), spec)


def load_service_in_worker(spec: str) -> Any:
    """Do the same in a worker process, and log as `ampkit serve` does."""
    configure_log(processes=True)
    return load_service(spec)


def configure_log(*, processes: bool) -> None:
    """Log to standard error; with the number of the process where there are several."""
    who = " %(process)d" if processes else ""
    logging.basicConfig(format=f"%(asctime)s{who} %(levelname)s %(message)s", level=logging.INFO)


def service_from(value: Any, spec: str) -> Any:
    """Return what `ampkit.serve` takes for what a module has; a service class becomes one instance for all.

    Raises Failure if it is nothing that can be served.
    """
    if type(value) in {list, tuple}:
        return [service_from(item, spec) for item in value]
    if isinstance(value, type):
        return _instance_of(value, spec)
    if isinstance(value, Service) or callable(value):
        return value
    raise _no_service(spec)


def _instance_of(kind: type[Any], spec: str) -> Service:
    if not issubclass(kind, Service):
        raise _no_service(spec)
    try:
        return kind()
    except TypeError as error:
        raise Failure(f"cannot make a service of the class {spec!r} without arguments: {error}") from error


def _no_service(spec: str) -> Failure:
    return Failure(f"{spec!r} is neither a Service nor a function that returns one")
