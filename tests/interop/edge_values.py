"""Values at the edges of each argument type, by the name of the echo command for them; knows no AMP library."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

LONGEST = 65_535


def moment(year: int, hours: int = 0, minutes: int = 0, microsecond: int = 0) -> datetime:
    """Some time in `year`, at an offset from UTC."""
    offset = timezone(timedelta(hours=hours, minutes=minutes))
    return datetime(year, 6, 15, 12, 30, 59, microsecond, tzinfo=offset)


ELEMENTARY: dict[str, list[Any]] = {
    "Integer": [0, 1, -1, 2**31, 2**63, -(2**63) - 1, 10**4_000, -(10**4_000)],
    "Bytes": [b"", b"\0", b"\0\0", bytes(range(256)), b"\xff" * LONGEST],
    "Text": ["", "\0", "naïve", "𝄞 \U0010ffff", "e\u0301", " 12 ", "𝄞" * 16_383 + "abc", "x" * LONGEST],
    "Float": [0.0, -0.0, 0.1, 1e308, 5e-324, -1.5, 1e22, float("inf"), float("-inf"), float("nan")],
    "Boolean": [True, False],
    "Decimal": [
        *map(Decimal, ["0", "-0", "1.50", "1E+5", "1E-400", "0E+3", "-1.5E-7", "3." + "14159" * 100]),
        *map(Decimal, ["Infinity", "-Infinity", "NaN", "-NaN", "NaN123", "sNaN", "-sNaN"]),
    ],
    "DateTime": [
        moment(2012, -1, -23, 54_321),
        moment(2012, 5, 30),
        moment(2012, 0, 0, 1),
        moment(2012, 0, -30, 999_999),
        moment(1, 23, 59),
        moment(9999, -23, -59),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
    "Path": [Path("/"), Path("/a/b.c"), Path("/with space/ünï/𝄞")],
}
ORDERS: list[dict[str, Any]] = [
    {"title": "", "sizes": [], "parts": []},
    {
        "title": "ünï",
        "sizes": [1, -2, 10**30],
        "parts": [{"number": 1, "remark": None}, {"number": -2, "remark": ""}, {"number": 0, "remark": "𝄞"}],
    },
]
CONTAINERS: dict[str, list[Any]] = {
    "Grid": [[], [[]], [[], [1], [], [2, -3]]],
    "Cube": [[], [[[]]], [[["", "a"], []], [["𝄞"]]]],
    "Orders": [[], ORDERS, ORDERS * 50],
    "OptionalGrid": [None, [], [[1], []]],
    "OptionalOrders": [None, [], ORDERS],
    "ListOfBytes": [[b"x" * (LONGEST - 2)], [b""] * 1_000],
}


def short(values: list[Any]) -> list[Any]:
    """Those values that fit together into one list of 65,535 bytes."""
    return [value for value in values if len(str(value)) < 5_000]


def all_values() -> list[tuple[str, Any]]:
    """Every pair of an echo command's name, without `Echo`, and a value for it."""
    pairs = [(name, value) for name, values in [*ELEMENTARY.items(), *CONTAINERS.items()] for value in values]
    lists = [(f"ListOf{name}", content) for name, values in ELEMENTARY.items() for content in ([], short(values))]
    optional = [(f"Optional{name}", content) for name, values in ELEMENTARY.items() for content in (None, values[0])]
    return pairs + lists + optional
