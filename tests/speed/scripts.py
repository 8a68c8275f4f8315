"""Scripts of what happens to a peer, each from one seed; plays none."""

from __future__ import annotations

import random
from typing import Any, Final

from ampkit.policy.options import Options
from ampkit.wire.limits import Limits
from tests.speed.office import ERRORS
from tests.speed.stage import Script, Step

_GIVE: Final = (
    "response", "subclass", "mapping", "wrong mapping", "nothing", "other", "wrong value", "wrong size", "too large",
    "large", "number",
)  # fmt: skip
_NUMBERS: Final = (
    b"0", b"1", b"-5", b"13", b"+7", b"007", b"-0", b"-", b"", b"1_0", b" 1", b"1.5", b"12345678901234567890",
    b"999999999999999999", b"-999999999999999999", b"9" * 300
)  # fmt: skip
_FLOATS: Final = (
    b"1.5",
    b"-0.0",
    b"1e5",
    b"1e999",
    b"nan",
    b"inf",
    b"-inf",
    b"1e",
    b"",
    b"1_0.0",
    b" 1.0",
    b"1" * 50,
    b"0x1p3",
)
_TEXTS: Final = (b"", b"text", b"\xc3\xa4", b"\xff", b"a" * 300)
_TIMEOUTS: Final = (b"0", b"1", b"50", b"5000", b"", b"-1", b"x", b"1" * 12, b"1" * 13, b"1.5")
_KEYS: Final = (b"_ask", b"_answer", b"_error", b"_command", b"_error_code", b"_error_description")


def pair(key: bytes, value: bytes) -> bytes:
    """Return a pair's bytes, for whatever lengths fit in two bytes each."""
    return len(key).to_bytes(2, "big") + key + len(value).to_bytes(2, "big") + value


class Author:
    """Writes scripts."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._asked = 0
        self._called = 0
        self._is_calm = self.rng.random() < 0.6  # or most would end a connection before much has happened

    def script(self) -> Script:
        """Write one."""
        rng = self.rng
        usual = Limits(max_running_asks=rng.choice([1024, 1024, 1024, 1]))
        narrow = Limits(
            max_box_keys=rng.choice([1024, 1024, 1024, 4, 3]),
            max_box_bytes=rng.choice([1_048_576, 1_048_576, 1_048_576, 100, 60]),
            max_running_asks=rng.choice([1024, 1024, 2, 1]),
            max_waiting_bytes=rng.choice([524_288, 524_288, 300, 1]),
            max_buffered_bytes=rng.choice([65_536, 65_536, 100, 1]),
        )
        options = Options(
            ping_interval=None,
            timeout=rng.choice([None, None, 10, 0.05]),
            extensions=rng.random() < 0.8,
            strict=rng.random() < 0.2,
        )
        steps = [step for _ in range(rng.randint(1, 14)) for step in self._steps()]
        return usual if self._is_calm else narrow, options, steps

    def _steps(self) -> list[Step]:
        rng = self.rng
        kind = rng.random()
        if kind < 0.55:
            return self._received()
        if kind < 0.75:
            return [self._call(), *rng.choice([[], [("turn",)], [("turns",)]])]
        if kind < 0.80:
            return [("cancel", rng.randrange(9))]
        if kind < 0.90:
            return [rng.choice([("turn",), ("turns",), ("time", 0.02), ("time", 0.2)])]
        if kind < 0.99 or self._is_calm:
            return [rng.choice([("stick",), ("take",), ("take",), ("turn",)])]
        return [rng.choice([("eof",), ("break",), ("close", 0), ("close", 1)])]

    # What is received

    def _received(self) -> list[Step]:
        """Some boxes, cut into pieces."""
        rng = self.rng
        data = b"".join(self.box() for _ in range(rng.choice([1, 1, 2, 3, 5, 80 if rng.random() < 0.1 else 1])))
        if not self._is_calm and rng.random() < 0.1:
            data = self.mutated(data)
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice([0, 0, 0, 1, 2, 6])))
        steps: list[Step] = []
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            steps.append(("data", data[begin:end]))
            if rng.random() < 0.3:
                steps.append(rng.choice([("turn",), ("turns",), ("look_at_box",)]))
        return steps

    def mutated(self, data: bytes) -> bytes:
        rng = self.rng
        mutated = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(mutated) + 1)
            change = rng.random()
            if change < 0.4 and at < len(mutated):
                mutated[at] = rng.choice([0, 1, 255, rng.randrange(256)])
            elif change < 0.7:
                del mutated[at : at + rng.randint(1, 4)]
            else:
                mutated[at:at] = rng.randbytes(rng.randint(1, 4))
        return bytes(mutated)

    def box(self) -> bytes:
        rng = self.rng
        kind = rng.random()
        if kind < 0.55:
            pairs = self._ask()
        elif kind < 0.92:
            pairs = self._answer()
        else:
            pairs = [
                (rng.choice([*_KEYS, b"x", b"_x"]), rng.choice([b"1", b"a", b"Sum", b""]))
                for _ in range(rng.randint(1, 3))
            ]
        return b"".join(pair(*each) for each in self._disturbed(pairs)) + b"\0\0"

    def _disturbed(self, pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Add what is unusual now and then: other orders, repeated and unknown keys, those that say what a box is."""
        rng = self.rng
        if rng.random() < (0.8 if self._is_calm else 0.5):
            return pairs
        for _ in range(rng.randint(1, 2)):
            change = rng.random()
            if change < 0.3:
                rng.shuffle(pairs)
            elif change < 0.5 and pairs:
                pairs.insert(rng.randrange(len(pairs) + 1), rng.choice(pairs))
            elif change < 0.7:
                pairs.append((rng.choice([b"_timeout", b"_trace", b"_t", b"zz", b"Z"]), rng.choice(_TIMEOUTS)))
            elif change < 0.85:
                pairs.insert(
                    rng.randrange(len(pairs) + 1), (rng.choice(_KEYS), rng.choice([b"1", b"2", b"a1", b"Sum"]))
                )
            elif pairs:
                pairs.pop(rng.randrange(len(pairs)))
        return pairs

    def _ask(self) -> list[tuple[bytes, bytes]]:
        rng = self.rng
        self._asked += 1
        name, values = self.arguments()
        tag = rng.choice([b"a%d" % self._asked, b"a%d" % self._asked, b"a1", b"", b"t" * 300])
        pairs = [(b"_command", name), *sorted(values.items())]
        if rng.random() < 0.85:
            pairs.insert(0, (b"_ask", tag))
        if rng.random() < 0.2:
            pairs.append((b"_timeout", rng.choice(_TIMEOUTS)))
        return pairs

    def arguments(self) -> tuple[bytes, dict[bytes, bytes]]:
        rng = self.rng
        flag = rng.choice([b"True", b"False", b"False", b"true"])
        number = rng.choice(_NUMBERS) if rng.random() < 0.3 else b"%d" % rng.randint(-20, 300)
        tags = [b"a%d" % rng.randint(1, 1 + self._asked)]
        kinds: list[tuple[bytes, dict[bytes, bytes]]] = [
            (b"Sum", {b"a": number, b"b": b"2"}),
            (b"Sum", {b"a": number, b"b": rng.choice(_NUMBERS)}),
            (b"Many", self._many_values()),
            (b"Check", {b"number": number}),
            (b"Wait", {b"number": b"%d" % rng.randint(0, 12)}),
            (b"Wait", {b"number": b"%d" % rng.randint(0, 12)}),
            (b"Raise", {b"name": rng.choice(list(ERRORS)).encode(), b"later": flag}),
            (b"Give", {b"name": rng.choice(_GIVE).encode(), b"later": flag}),
            (b"Note", {b"text": rng.choice(_TEXTS)}),
            (b"Back", {b"depth": b"%d" % rng.randint(0, 2)}),
            (b"Inside", {b"name": rng.choice([b"feed", b"pull", b"flush", b"pause", b"half", b"x"])}),
            (b"Nobody", {b"a": b"1"}),
            (b"_ping", {}),
            (b"_cancel", {b"tag": rng.choice(tags)}),
        ]
        if rng.random() < 0.02:
            kinds = [
                (b"HangUp", {b"grace": rng.choice([b"0.0", b"1.0"]), b"later": flag}),
                (b"_drain", {}),
                (b"StartTLS", {}),
            ]
        return rng.choice(kinds)

    def _many_values(self) -> dict[bytes, bytes]:
        rng = self.rng
        item = (
            pair(b"name", rng.choice(_TEXTS))
            + pair(b"number", rng.choice(_NUMBERS))
            + pair(b"parts", b"\0\0011")
            + b"\0\0"
        )
        flat = (
            pair(b"isNew", b"True") + pair(b"name", rng.choice(_TEXTS)) + pair(b"size", rng.choice(_FLOATS)) + b"\0\0"
        )
        values = {
            b"aBytes": rng.choice(_TEXTS),
            b"bFloat": rng.choice(_FLOATS),
            b"cBool": rng.choice([b"True", b"False", b"1"]),
            b"dText": rng.choice(_TEXTS),
            b"eOdd": rng.choice([b"11", b"8", b"", b"7"]),
            b"fItems": rng.choice([b"", item, item * 2, item + b"\0", b"\0\0"]),
            b"gFlat": rng.choice([b"", flat, flat * 2, flat + b"\0", flat[:-1], b"\0\0"]),
            b"hNone": rng.choice(_NUMBERS),
        }
        names = [key for key in values if rng.random() < 0.4]
        return {key: values[key] for key in names}

    def _answer(self) -> list[tuple[bytes, bytes]]:
        rng = self.rng
        tag = b"%x" % rng.randint(1, 1 + self._called) if rng.random() < 0.95 else rng.choice([b"", b"ff", b"01", b"x"])
        if rng.random() < 0.25:
            code = rng.choice([b"UNKNOWN", b"UNHANDLED", b"KEY", b"END", b"DEADLINE_EXCEEDED", b"BUSY", b"\xff"])
            return [(b"_error", tag), (b"_error_code", code), (b"_error_description", rng.choice(_TEXTS))]
        values = rng.choice([
            {b"total": b"%d" % rng.randint(0, 99)},
            {b"total": b"%d" % rng.randint(0, 99)},
            {b"total": rng.choice(_NUMBERS)},
            {b"data": rng.choice(_TEXTS), b"text": rng.choice(_TEXTS)},
            {b"data": b"1", b"size": rng.choice(_NUMBERS)},
            {b"number": rng.choice([b"5", b"-5"])},
            {},
        ])  # fmt: skip
        if rng.random() < 0.5:  # what any of the commands takes for an answer
            values = {b"data": b"d", b"number": b"5", b"size": b"6", b"total": b"%d" % rng.randint(0, 99)}
        return [(b"_answer", tag), *values.items()]

    # What is asked

    def _call(self) -> Step:
        rng = self.rng
        kind = rng.random()
        self._called += 1
        timeout: dict[str, Any] = {}
        if rng.random() < 0.7:
            timeout["timeout"] = rng.choice([None, 0.05, 0, 3, -1, 1e12, True])
        if kind < 0.7:
            return "call", *self._command(), timeout
        if kind < 0.9:
            return "many", [self._command() for _ in range(rng.choice([0, 1, 2, 3, 20]))], timeout, rng.random() < 0.7
        return "tell", *self._command()

    def _command(self) -> tuple[str, dict[str, Any]]:
        rng = self.rng
        good: list[tuple[str, dict[str, Any]]] = [
            ("Sum", {"a": 1, "b": 2}),
            ("Check", {"number": 1}),
            ("Raise", {"name": "x"}),
            ("Many", {}),
        ]
        if rng.random() < 0.5:
            return rng.choice(good)
        commands: list[tuple[str, dict[str, Any]]] = [
            ("Sum", {"a": rng.choice([1, -1, 10**30, 2**63, True]), "b": 2}),
            ("Sum", {"a": 1, "b": 2}),
            ("Sum", {"a": 1, "b": rng.choice([None, "2", 10**5000])}),
            ("Many", {"a_bytes": bytes(rng.choice([0, 10, 300, 65_535, 65_536]))}),
            ("Many", {"d_text": rng.choice(["", "\xe4", "\ud800", "t" * 70_000]), "e_odd": rng.choice([1, 2])}),
            (
                "Many",
                {"f_items": [{"name": "a"}, {"name": rng.choice(["b", 5])}], "h_none": 5, "b_float": float("nan")},
            ),
            ("Check", {"number": 1}),
            ("Give", {"name": "x"}),
            ("Raise", {"name": "x", "later": rng.choice([True, 1])}),
            ("Note", {"text": "n"}),
            ("StartTLS", {}),
        ]
        return rng.choice(commands)


def write(seed: int) -> Script:
    """Return the script of a seed."""
    return Author(seed).script()
