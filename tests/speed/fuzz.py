"""Feeds bytes that are nearly right to both twins for some seconds, and ends with 1 where they differ.

    python -m tests.speed.fuzz SECONDS [SEED]

What is found is found again with the same seed. Crashes and what a sanitizer says end the process by themselves.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ampkit.schema import compiler, mapping
from ampkit.schema.containers import AmpList
from ampkit.speed import compiled
from ampkit.wire.box import encode_box
from ampkit.wire.codec import PythonDecoder
from ampkit.wire.limits import Limits
from tests.speed.office import COMPILED, PYTHON
from tests.speed.scripts import Author
from tests.speed.test_peers import difference, smallest
from tests.speed.twins import outcome

_PEERS: Final = 25
"""One case in so many is a whole peer: it takes as long as all the others."""

_KINDS: Final = ("Sum", "Many", "Check", "Content", "Checked", "Item", "Flat")


def stream(author: Author) -> tuple[Any, Any]:
    """Pull boxes out of a stream that is cut anywhere."""
    rng = author.rng
    data = b"".join(author.box() for _ in range(rng.randint(1, 6)))
    for _ in range(rng.choice([0, 1, 1, 3])):
        data = author.mutated(data)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice([0, 1, 3, 20])))
    pieces = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    limits = Limits(max_box_keys=rng.choice([1024, 4]), max_box_bytes=rng.choice([1_048_576, 500, 60]))
    looks = [rng.random() < 0.2 for _ in pieces]

    def told(decoder: Any) -> list[Any]:
        seen: list[Any] = []
        for piece, look in zip(pieces, looks, strict=True):
            decoder.feed(piece)
            while (box := outcome(decoder.next_box)) != ("returned", ("NoneType", "None")):
                seen.append(box)
                if box[0] == "raised":
                    return seen
            if look:
                partial = decoder.partial
                seen.append((decoder.unread, partial and (partial.position, partial.box)))
        return [*seen, outcome(decoder.end), outcome(decoder.take_rest)]

    return told(PythonDecoder(limits)), told(compiled.Decoder(limits))


def _box(author: Author) -> tuple[str, dict[bytes, bytes]]:
    rng = author.rng
    box: dict[bytes, bytes] = {}
    for _ in range(rng.randint(1, 3)):
        box |= author.arguments()[1]
    if box and rng.random() < 0.7:
        key = rng.choice(sorted(box))
        box[key] = author.mutated(box[key])
    return rng.choice(_KINDS), box


def records(author: Author) -> tuple[Any, Any]:
    """Decode a box of values, some of which are not, and encode it again."""
    name, box = _box(author)

    def told(kind: Any) -> Any:
        decoded = outcome(kind.__schema__.decode, box)
        if decoded[0] == "returned":
            return decoded, outcome(kind.__schema__.encode, kind.__schema__.decode(box))
        return decoded

    return told(getattr(PYTHON, name)), told(getattr(COMPILED, name))


def lists(author: Author) -> tuple[Any, Any]:
    """Decode a list of records."""
    rng = author.rng
    name = rng.choice(["Item", "Flat"])
    parts = [rng.choice([b"a", b"", b"\xff", b"12", b"True", b"1.5"]) for _ in range(3)]
    keys = [b"name", *([b"number", b"parts"] if name == "Item" else [b"isNew", b"size"])]
    data = b"".join(encode_box(dict(zip(keys, rng.sample(parts, 3), strict=True))) for _ in range(rng.randint(1, 4)))
    for _ in range(rng.choice([0, 1, 2])):
        data = author.mutated(data)
    return outcome(AmpList(getattr(PYTHON, name)).decode, data), outcome(AmpList(getattr(COMPILED, name)).decode, data)


_FIELDS: Final = COMPILED.Many.__schema__.fields
_ASKS: Final = (
    [make("Many", _FIELDS, b"head") for make in (compiler.make_encoder, compiled.make_encoder)] if compiled else []
)
_DECODERS: Final = (
    [make(_FIELDS) for make in (mapping.make_mapping_decoder, compiled.make_mapping_decoder)] if compiled else []
)
_CALLERS: Final = [make(_FIELDS) for make in (mapping.make_caller, compiled.make_caller)] if compiled else []


def mappings(author: Author) -> tuple[Any, Any]:
    """Decode a box to a mapping, and call with it."""
    _, box = _box(author)
    decoded = [outcome(decode, box) for decode in _DECODERS]
    if decoded[0][1] == ("NoneType", "None"):
        return decoded[0], decoded[1]
    called = [outcome(call, box, lambda owner, **values: (owner, sorted(values)), 5) for call in _CALLERS]
    return (decoded[0], called[0]), (decoded[1], called[1])


def peers(author: Author) -> tuple[Any, Any]:
    """Play a script with a peer."""
    script = author.script()
    found = difference(script)
    if found is None:
        return None, None
    print(*smallest(script), sep="\n")
    _, python, quick = found
    return python, quick


_SMALL: Final[tuple[Callable[[Author], tuple[Any, Any]], ...]] = (stream, records, lists, mappings)


def case(seed: int) -> tuple[str, Any, Any]:
    """Return what each twin made of one case, and of which kind it is."""
    author = Author(seed)
    kind = peers if seed % _PEERS == 0 else _SMALL[author.rng.randrange(len(_SMALL))]
    return kind.__name__, *kind(author)


def main() -> int:
    """Fuzz, and say how much."""
    parser = argparse.ArgumentParser(description="Feed bytes that are nearly right to both twins.")
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    if compiled is None:
        print("There is no compiled module: nothing is compared.", file=sys.stderr)
        return 2
    logging.getLogger("ampkit").propagate = False
    print(f"fuzzing for {options.seconds:g} s; seed {options.seed}", flush=True)
    done: Counter[str] = Counter()
    seed, end = options.seed, time.monotonic() + options.seconds
    while time.monotonic() < end:
        name, python, quick = case(seed)
        if python != quick:
            print(f"the twins differ in {name}, seed {seed}:\npython:   {python!r}\ncompiled: {quick!r}")
            return 1
        done[name] += 1
        seed += 1
    print(
        f"{done.total():,} cases, no difference:", ", ".join(f"{count:,} {name}" for name, count in done.most_common())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
