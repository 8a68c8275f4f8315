"""The keys that AMP reserves: a single wrong byte in one would cut us off from every other implementation."""

from ampkit.wire import keys


def test_the_reserved_keys_are_those_of_the_specification() -> None:
    """AMP: these six, byte for byte."""
    assert keys.ASK == b"_ask"
    assert keys.COMMAND == b"_command"
    assert keys.ANSWER == b"_answer"
    assert keys.ERROR == b"_error"
    assert keys.ERROR_CODE == b"_error_code"
    assert keys.ERROR_DESCRIPTION == b"_error_description"
    named = [keys.ASK, keys.COMMAND, keys.ANSWER, keys.ERROR, keys.ERROR_CODE, keys.ERROR_DESCRIPTION]
    assert sorted(keys.RESERVED) == sorted(named)
