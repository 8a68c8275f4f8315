"""The document of the differences is complete and true: its rows are those that tests are about."""

from importlib import import_module

from tests.twisted.rows.differences import documented, tested


def test_every_difference_is_documented_and_tested() -> None:
    """No row without a test, no test without a row."""
    for name in ("calls", "tls", "bytes"):
        import_module(f"tests.twisted.rows.test_differences_{name}")
    assert sorted(documented()) == sorted(tested)
