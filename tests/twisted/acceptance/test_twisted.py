"""Twisted's own tests of its module, unedited, on ours: the same result to the last count, and faults do not pass."""

from pathlib import Path

import pytest

from tests.twisted.acceptance.faults import AMP_SUITE, FAULTS, TRIAL_SUITE
from tests.twisted.acceptance.suites import Report, trial

WORKER = "workertrial.py"
LEAST = {AMP_SUITE: 139, TRIAL_SUITE: 99}


@pytest.mark.parametrize("suite", LEAST)
def test_the_suite_passes_as_with_the_genuine_module(suite: str, tmp_path: Path) -> None:
    """Nothing is skipped, TLS included, and all classes of the tests are subclasses of ours."""
    stock, ours = trial(tmp_path / "stock", suite, ours=False), trial(tmp_path / "ours", suite)
    assert ours.verdict == "PASSED", ours
    assert ours.counts == stock.counts == {"successes": ours.counts["successes"]}
    assert ours.counts["successes"] >= LEAST[suite]
    assert uses_ours_only(ours)


def uses_ours_only(ours: Report) -> bool:
    """Whether each process that made an AMP class made it of ours."""
    return any(each["ours"] for each in ours.evidence) and not any(each["stock"] for each in ours.evidence)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_module_fails(fault: str, tmp_path: Path) -> None:
    """With one thing broken the same suite fails."""
    assert trial(tmp_path / "broken", "--exitfirst", FAULTS[fault].suite, AMPKIT_FAULT=fault).verdict == "FAILED"


def test_a_suite_that_does_not_run_is_no_pass(tmp_path: Path) -> None:
    """A run without a verdict is an error."""
    with pytest.raises(ValueError, match="no verdict"):
        trial(tmp_path / "none", "--no-such-option")


def test_workers_run_on_ours_too(tmp_path: Path) -> None:
    """A thousand of Twisted's tests in two workers: they and the parent speak AMP with our module."""
    suites = ["twisted.names", "twisted.words", "twisted.protocols"]
    ours = trial(tmp_path / "ours", "-j2", *suites)
    assert ours.verdict == "PASSED", ours
    assert ours.counts["successes"] >= 1_000
    assert workers_on_ours(ours) == [True, True]
    assert uses_ours_only(ours)


def workers_on_ours(report: Report) -> list[bool]:
    """Of each worker, whether its end of the connection to the parent is ours."""
    workers = [each for each in report.evidence if each["program"] == WORKER]
    return ["WorkerProtocol" in each["ours"] for each in workers]


def test_workers_that_do_not_run_on_ours_are_noticed(tmp_path: Path) -> None:
    """The run passes, for both modules speak the same; what the workers leave as evidence does not."""
    mixed = trial(tmp_path / "mixed", "-j2", "twisted.names.test.test_hosts", AMPKIT_SPARED=WORKER)
    assert mixed.verdict == "PASSED", mixed
    assert workers_on_ours(mixed) == [False, False]
    assert not uses_ours_only(mixed)
