"""The load generator in C, against servers of ours; where there is no compiler there is none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from shutil import which
from typing import Any

import pytest

import ampkit
from ampkit import Service
from bench.ends.ampkit_commands import Sum, Total
from bench.ends.ampkit_sum import Calculator, CoroutineCalculator
from bench.questions.capacity import generator

pytestmark = pytest.mark.skipif(which("cc") is None, reason="no C compiler")


class Wrong(Service):
    """What a generator must not count."""

    @Sum.responder
    def sum(self, command: Sum) -> Total:
        """Get it wrong."""
        return Total(total=command.a - command.b)


async def load(service: Service, address: str) -> tuple[int | None, dict[str, Any]]:
    """The status of the generator, and what it says of 1,000 calls."""
    async with ampkit.serve(service, address) as server:
        place = server.addresses[0].removeprefix("tcp://").removeprefix("unix://")
        program = await asyncio.create_subprocess_exec(
            generator(), place, "2", "16", "1000", stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await program.communicate()
    return program.returncode, json.loads(printed)


@pytest.mark.parametrize("service", [Calculator(), CoroutineCalculator()])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_every_call_is_answered(service: Service, kind: str, tmp_path: Path) -> None:
    """By plain responders and coroutines, over unix sockets and TCP."""
    address = f"unix://{tmp_path}/s" if kind == "unix" else "tcp://127.0.0.1:0"
    status, report = await load(service, address)
    assert (status, report["calls"], report["errors"]) == (0, 1_000, 0)
    assert report["seconds"] > 0


async def test_a_wrong_answer_is_an_error(tmp_path: Path) -> None:
    """It ends the load."""
    status, report = await load(Wrong(), f"unix://{tmp_path}/s")
    assert status == 1
    assert report["errors"] > 0
