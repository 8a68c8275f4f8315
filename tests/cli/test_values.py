"""Values typed on the command line, read by the type of their field."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ampkit.cli.values import read_value
from ampkit.schema.typed import argument_for
from tests.cli.sample import Colour, Part


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (int, "-42", -42),
        (str, "naïve", "naïve"),
        (str, "true", "true"),
        (bytes, "x", b"x"),
        (float, "1.5", 1.5),
        (Decimal, "1.50", Decimal("1.50")),
        (bool, "true", True),
        (bool, "False", False),
        (Path, "a/b", Path("a/b")),
        (Colour, "red", Colour.RED),
        (
            datetime,
            "2012-01-23T12:34:56.054321-01:23",
            datetime(2012, 1, 23, 12, 34, 56, 54321, timezone(-timedelta(hours=1, minutes=23))),
        ),
        (list[int], "", []),
        (list[int], "1,2,3", [1, 2, 3]),
        (list[int], " [1, 2]", [1, 2]),
        (list[str], "a,true", ["a", "true"]),
        (list[bool], "[true,false]", [True, False]),
        (list[bool], "true,false", [True, False]),
        (list[Decimal], "[1.50, 1e400]", [Decimal("1.50"), Decimal("1e400")]),
        (list[list[str]], '[["a,b"],[]]', [["a,b"], []]),
        (list[Part], "[]", []),
        (
            list[Part],
            '[{"number": 1}, {"number": 2, "remark": "x", "sizes": [0.5]}, {"number": 3, "remark": null}]',
            [Part(number=1), Part(number=2, remark="x", sizes=[0.5]), Part(number=3)],
        ),
    ],
)
def test_what_can_be_typed(kind: Any, typed: str, value: Any) -> None:
    """Each type has a form that a person can write."""
    read = read_value(argument_for(kind), typed.encode())
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "typed", "reason"),
    [
        (int, "x", "not an integer: x"),
        (bool, "yes", "not True or False: Yes"),
        (list[int], "1,x", "not an integer: x"),
        (list[int], "[1", "Expecting ',' delimiter"),
        (list[int], "[null]", "a text, a number, true or false should stand in place of null"),
        (list[int], "[[1]]", 'a text, a number, true or false should stand in place of \\["1"\\]'),
        (list[list[int]], "[1]", 'a list should stand in place of "1"'),
        (list[Part], '{"number": 1}', 'a list should stand in place of {"number": "1"}'),
        (list[Part], "[1]", 'an object should stand in place of "1"'),
        (list[Part], '[{"nummer": 1}]', "Part has no field 'nummer'; its fields: number, remark, sizes"),
    ],
)
def test_what_cannot(kind: Any, typed: str, reason: str) -> None:
    """The error says what should have stood there."""
    with pytest.raises(ValueError, match=reason):
        read_value(argument_for(kind), typed.encode())
