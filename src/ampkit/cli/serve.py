"""`ampkit serve`: a program's service on addresses, until it is told to stop; knows no command."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import partial
from typing import Any

import ampkit
from ampkit import ProcessServer, Server, Tls
from ampkit.asyncio.job import Work
from ampkit.asyncio.opening import Opening
from ampkit.asyncio.processes import process_count
from ampkit.asyncio.server import responders_maker, serve_with_processes
from ampkit.cli.exits import Failure
from ampkit.cli.flags import FileFlag
from ampkit.cli.services import configure_log, load_service, load_service_in_worker
from ampkit.cli.signals import on_stop_signal
from ampkit.errors import ConnectionFailed
from ampkit.policy.options import DEFAULT_OPTIONS
from ampkit.wire.limits import DEFAULT_LIMITS


def serve(
    service: str,
    address: str,
    /,
    *more: str,
    processes: int = 1,
    certificate: FileFlag = None,
    authority: FileFlag = None,
) -> int:
    """Serve what a Python module defines, until Ctrl-C or SIGTERM.

    For example:

        ampkit serve calculator:Calculator tcp://127.0.0.1:1234
        ampkit serve calculator:Calculator tcp://:1234 unix:///run/calculator
        ampkit serve calculator:Calculator tcp://:1234 --processes 0
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
    processes
        How many processes serve, each with a service of its own; 0 is one for each core.
    certificate
        For tls://host:port, the file of the certificate and key.
    authority
        For tls://host:port, the file of whom to trust to vouch for clients, which then have to show a certificate.
    """
    _run(service, (address, *more), _tls(certificate, authority), processes)
    return 0


def _run(service: str, addresses: tuple[str, ...], tls: Tls | None, processes: int) -> None:
    _check_processes(processes, addresses)
    configure_log(processes=processes != 1)
    if addresses == ("stdio:",):
        with contextlib.redirect_stdout(sys.stderr):  # what the module prints is not for whoever reads boxes
            served = load_service(service)
        ampkit.run(_serve_stdio(served))
    else:
        served = load_service(service)
        ampkit.run(_serve(service, served, addresses, tls, processes))


def _check_processes(processes: int, addresses: tuple[str, ...]) -> None:
    if processes < 0:
        raise Failure(f"--processes is how many processes serve, or 0 for one a core, not {processes}")
    if processes != 1 and addresses == ("stdio:",):
        raise Failure("on stdio: there is one connection, so one process serves it")


async def _serve_stdio(service: Any) -> None:
    try:
        await ampkit.serve_stdio(service)
    except (TypeError, ConnectionFailed) as error:
        raise Failure(str(error)) from error


def _tls(certificate: str | None, authority: str | None) -> Tls | None:
    if authority is None:
        return None if certificate is None else Tls(certificate=certificate)
    return Tls(certificate=certificate, authority=authority, client_certificate="required")


async def _serve(spec: str, served: Any, addresses: tuple[str, ...], tls: Tls | None, processes: int) -> None:
    stop = asyncio.Event()
    try:
        opening = _opening(spec, served, addresses, tls, processes)
        server = await opening
    except (TypeError, ConnectionFailed) as error:
        raise Failure(str(error)) from error
    async with server:
        with on_stop_signal(stop.set):
            print(*server.addresses, sep="\n", flush=True)
            print(f"{spec} is served here. Ctrl-C stops it.", file=sys.stderr)
            await stop.wait()


def _opening(
    spec: str, served: Any, addresses: tuple[str, ...], tls: Tls | None, processes: int
) -> Opening[Server | ProcessServer]:
    """Serve here, or let workers serve what each of them loads for itself: not every service can be pickled."""
    if process_count(processes) == 1:
        return ampkit.serve(served, *addresses, tls=tls)
    responders_maker(served)  # whoever has made a mistake is told so in one line
    work = Work(partial(load_service_in_worker, spec), tls, DEFAULT_LIMITS, DEFAULT_OPTIONS)
    return serve_with_processes(work, served, addresses, processes)
