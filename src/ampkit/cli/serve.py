"""`ampkit serve`: a program's service on addresses, until it is told to stop; knows no command."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import Any

import ampkit
from ampkit import Tls
from ampkit.cli.exits import Failure
from ampkit.cli.flags import FileFlag
from ampkit.cli.loading import load_attribute
from ampkit.cli.signals import on_stop_signal
from ampkit.errors import ConnectionFailed
from ampkit.schema.responders import Service


def serve(service: str, address: str, /, *more: str, certificate: FileFlag = None, authority: FileFlag = None) -> int:
    """Serve what a Python module defines, until Ctrl-C or SIGTERM.

    For example:

        ampkit serve calculator:Calculator tcp://127.0.0.1:1234
        ampkit serve calculator:Calculator tcp://:1234 unix:///run/calculator
        ampkit call 'exec:ampkit serve calculator:Calculator stdio:' Sum a=1 b=2

    Prints its addresses, one a line, when it is ready. Told to stop, it lets
    calls that run come to their end, for some seconds; told twice, it does not.
    On stdio: it prints nothing, and ends when its standard input does.

    Exit codes: 0 served and stopped, 2 could not begin.

    Parameters
    ----------
    service
        module:attribute, a Service class, instance, list of them, or a function that is called for each
        connection and returns one. The module is searched in the current directory first.
    address
        tcp://host:port or unix:///path, or stdio: alone, for whoever starts this command with two pipes.
        Port 0 is any free port, no host every interface.
    more
        Further addresses.
    certificate
        For tls://host:port, the file of the certificate and key.
    authority
        For tls://host:port, the file of whom to trust to vouch for clients, which then have to show a certificate.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if (address, *more) == ("stdio:",):
        with contextlib.redirect_stdout(sys.stderr):  # what the module prints is not for whoever reads boxes
            served = service_from(load_attribute(service), service)
        ampkit.run(_serve_stdio(served))
    else:
        served = service_from(load_attribute(service), service)
        ampkit.run(_serve(served, (address, *more), service, _tls(certificate, authority)))
    return 0


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


async def _serve_stdio(service: Any) -> None:
    try:
        await ampkit.serve_stdio(service)
    except (TypeError, ConnectionFailed) as error:
        raise Failure(str(error)) from error


def _tls(certificate: str | None, authority: str | None) -> Tls | None:
    if authority is None:
        return None if certificate is None else Tls(certificate=certificate)
    return Tls(certificate=certificate, authority=authority, client_certificate="required")


async def _serve(service: Any, addresses: tuple[str, ...], name: str, tls: Tls | None) -> None:
    stop = asyncio.Event()
    try:
        opening = ampkit.serve(service, *addresses, tls=tls)
        server = await opening
    except (TypeError, ConnectionFailed) as error:
        raise Failure(str(error)) from error
    async with server:
        with on_stop_signal(stop.set):
            print(*server.addresses, sep="\n", flush=True)
            print(f"{name} is served here. Ctrl-C stops it.", file=sys.stderr)
            await stop.wait()
