"""What all tests share: the same examples for everybody, and a line that says what is tested; knows no test."""

from hypothesis import settings

from ampkit.speed import DESCRIPTION

settings.register_profile("tests", max_examples=60, derandomize=True, database=None, deadline=None)
settings.register_profile("thorough", max_examples=20_000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("tests")


def pytest_report_header() -> str:
    """Say which twin is tested."""
    return f"ampkit: {DESCRIPTION}"
