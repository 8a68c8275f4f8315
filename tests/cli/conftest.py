"""Fixtures of the tests of the command line: a server in a child process, and modules that can be imported."""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.running import next_line, running


@pytest.fixture(scope="session")
def address() -> Generator[str]:
    """The address of the sample service, which `ampkit serve` serves."""
    with running("serve", "tests.cli.sample:Sample", "tcp://127.0.0.1:0") as process:
        yield next_line(process)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """An empty current directory, whose modules are forgotten behind the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
