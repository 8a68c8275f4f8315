"""The generated functions: as the reference in everything, good and bad, and no surprise at any length."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import field, replace
from datetime import UTC, datetime
from decimal import Decimal as Dec
from pathlib import Path as PurePath
from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ampkit.errors import AmpError, LocalProtocolError, RemoteProtocolError
from ampkit.schema import compiler
from ampkit.schema.argument import Argument
from ampkit.schema.compiler import make_decoder, make_encoder
from ampkit.schema.plain import decode_plainly, encode_plainly
from ampkit.schema.record import Record
from ampkit.schema.scalars import Integer
from ampkit.schema.typed import Wire
from ampkit.testing.strategies import records
from ampkit.wire.box import END
from ampkit.wire.codec import parse_string


class Colour(enum.Enum):
    """Texts."""

    RED = "red"
    GREEN = "green"


class Item(Record):
    """Something for a list."""

    number: int
    text: str | None = None


class AnyBytes(Argument[Any]):
    """Sends whatever it is given, and reads what has an even length."""

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, data: bytes) -> Any:
        if len(data) % 2:
            raise ValueError("odd")
        return data


class Doubled(Integer):
    """A subclass of a type that the compiler knows by heart, and must not take for it."""

    def encode(self, value: int) -> bytes:
        return super().encode(value * 2)

    def decode(self, data: bytes) -> int:
        return super().decode(data) // 2


class Everything(Record):
    """Each type, required, optional and with a default."""

    a: int
    b: int | None
    c: int = 7
    d: bytes
    e: bytes | None = None
    f: str
    g: str | None = None
    h: float
    i: bool
    j: Dec | None = None
    k: datetime | None = None
    m: PurePath | None = None
    n: list[str]
    o: list[Item] | None = None
    p: Colour = Colour.RED
    q: Annotated[Any, AnyBytes()] = b"ab"
    r: Annotated[int, Doubled()] = 1
    s: Annotated[str, Wire(b"%s{0}'\"\\\xff")] = "percent"


class Checked(Record):
    """Has an opinion of its own."""

    a: int
    b: int | None = None
    c: list[Item] | None = None

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("negative")


class Order(Record):
    """Has lists of records."""

    a: int
    items: list[Item]
    more: list[Item] | None


class CheckedOrder(Order):
    """Has an opinion of its own."""

    def __post_init__(self) -> None:
        if not self.a:
            raise ValueError("nothing")


class Defaults(Record):
    """All of it may be absent."""

    a: int = 1
    b: str = "b"
    c: list[int] = field(default_factory=list)
    d: float | None = None


class Odd(Record):
    """Field names that the generated code uses itself."""

    record: int
    box: str
    cls: bytes
    self: int
    v0: int | None = None
    n0: int = 3
    plainly: str = ""
    new: bool = True


class Nothing(Record):
    """Has no fields."""


RECORDS: list[type[Record]] = [Item, Everything, Checked, Odd, Nothing]
HEAD = b"\0\1A\0\1x"
ENCODERS = {cls: make_encoder(cls.__name__, cls.__schema__.fields) for cls in RECORDS}
HEADED = {cls: make_encoder(cls.__name__, cls.__schema__.fields, HEAD) for cls in RECORDS}
DECODERS = {cls: make_decoder(cls, cls.__schema__.fields) for cls in RECORDS}


def good(cls: Any) -> st.SearchStrategy[Any]:
    """Return records that can be sent."""
    if cls is Everything:
        own = {"q": st.binary().filter(lambda b: len(b) % 2 == 0), "j": st.none() | st.decimals(allow_nan=False)}
        return records(cls, **own, r=st.integers(), h=st.floats(allow_nan=False))
    return records(cls, a=st.integers(0)) if cls is Checked else records(cls)


@pytest.mark.parametrize("cls", RECORDS)
@given(data=st.data())
def test_every_record_comes_back(cls: Any, data: st.DataObject) -> None:
    """decode(encode(x)) == x, with whatever stands before the pairs, and keys are sorted."""
    record = data.draw(good(cls))
    (box,) = parse_string(HEADED[cls](record) + END)
    assert list(box) == [b"A", *sorted(box.keys() - {b"A"})]
    assert box.pop(b"A") == b"x"
    assert DECODERS[cls](box) == record


def outcome(function: Callable[[Any], Any], value: Any) -> Any:
    """Return what a function returns, or the kind and text of what it raises."""
    try:
        return function(value)
    except AmpError as error:
        return type(error), str(error), type(error.__cause__), str(error.__cause__)


class Truthful(str):
    """A text that is not of the class str."""

    __slots__ = ()


class Short(bytes):
    """Bytes that are not of the class bytes."""

    __slots__ = ()


class Imposter:
    """Has a method of texts, and is none."""

    def encode(self) -> bytes:
        return b"imposter"


class Level(enum.IntEnum):
    """A number that is not of the class int."""

    HIGH = 300


BAD: Any = {"number": "1"}
JUNK: list[Any] = [
    None,
    *(True, -1, 0, 256, 257, 10**254, 10**255, -(10**300), 10**4_299, 10**4_300, Level.HIGH),
    *("", "ü", "x" * 127, "ü" * 128, "x" * 255, "x" * 256, "x" * 65_535, "x" * 65_536, "ü" * 32_768, "\ud800"),
    *(b"", b"x" * 255, b"x" * 256, b"x" * 65_535, b"x" * 65_536, bytearray(b"x"), memoryview(b"ab").cast("H")),
    *(
        Truthful("t"),
        Short(b"s"),
        Imposter(),
        1.5,
        300.0,
        -1.0,
        Dec(300),
        float("inf"),
        Dec("1.50"),
        Dec("sNaN"),
        datetime(2012, 1, 23, tzinfo=UTC),
    ),
    *(PurePath("/a"), PurePath("/\udcff"), Colour.GREEN, object, ["a"], [1], ["x" * 65_534], ["x"] * 30_000),
    *([Item(number=1)], [Item(**BAD)], [{"number": 2}], [None], [[]], {"a": 1}, iter(["a"]), ("a", "b")),
]


BASE = Everything(a=1, b=2, d=b"d", f="f", h=1.0, i=True, n=["n"], m=PurePath("m"), o=[Item(number=1)])


@pytest.mark.parametrize("name", [each.name for each in Everything.__schema__.fields])
def test_each_value_in_each_field_is_as_the_reference_has_it(name: str) -> None:
    """The same bytes or the same error."""
    fields = Everything.__schema__.fields
    for value in JUNK:
        record = replace(BASE, **{name: value})
        expected = outcome(lambda record: encode_plainly("Everything", fields, record), record)
        assert outcome(ENCODERS[Everything], record) == expected
        assert outcome(HEADED[Everything], record) == (HEAD + expected if isinstance(expected, bytes) else expected)


@pytest.mark.parametrize("cls", RECORDS)
@given(data=st.data())
def test_encoding_is_the_reference_s_in_good_and_bad(cls: Any, data: st.DataObject) -> None:
    """The same bytes or the same error, whatever stands in whichever fields."""
    record = data.draw(good(cls))
    fields = cls.__schema__.fields
    for each in data.draw(st.lists(st.sampled_from(fields), max_size=3)) if fields else ():
        setattr(record, each.name, JUNK[data.draw(st.integers(0, len(JUNK) - 1))])
    expected = outcome(lambda record: encode_plainly(cls.__name__, fields, record), record)
    assert outcome(ENCODERS[cls], record) == expected
    assert outcome(HEADED[cls], record) == (HEAD + expected if isinstance(expected, bytes) else expected)


BYTES = st.binary(max_size=4) | st.sampled_from(
    [
        *(b"0", b"-0", b"+1", b"13", b"256", b"257", b"-5", b"007", b" 1", b"1_0", b"1.0", b"\xff", "\u0661".encode()),
        *(b"1" * 4_300, b"1" * 4_301, b"x" * 65_535, b"True", b"true", b"inf", b"sNaN", b"1E+99999999999999999999"),
        *(b"2012-01-23T12:34:56.054321-01:23", b"red", b"blue", b"\0\1x", b"\0\2x", b"\0\0", b"\0\6number\0\0011\0\0"),
    ]
)


@pytest.mark.parametrize("cls", RECORDS)
@given(data=st.data())
def test_decoding_is_the_reference_s_in_good_and_bad(cls: Any, data: st.DataObject) -> None:
    """The same record or the same error, whatever stands in whichever keys, and whichever are missing."""
    fields = cls.__schema__.fields
    (box,) = parse_string(ENCODERS[cls](data.draw(good(cls))) + END, empty_boxes=True)
    keys = [b"_unknown", *(each.key for each in fields)]
    box |= data.draw(st.dictionaries(st.sampled_from(keys), BYTES, max_size=3))
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=2)):
        box.pop(key, None)
    expected = outcome(lambda box: decode_plainly(cls, fields, box), box)
    decoded = outcome(DECODERS[cls], box)
    assert repr(decoded) == repr(expected)  # a repr tells nan, True and 1 apart
    assert type(decoded) is type(expected)


@given(st.integers() | st.integers(-2, 260))
@example(255)
@example(256)
@example(257)
def test_integers_are_the_same_on_both_sides_of_those_kept_ready(number: int) -> None:
    """The wire form does not depend on the way it was made."""
    cls = Item
    encoded = cls.__schema__.encode(Item(number=number))
    digits = str(number).encode()
    assert encoded == b"\0\6number\0%c%b" % (len(digits), digits)
    assert cls.__schema__.decode({b"number": digits}).number == number


def test_good_values_take_the_straight_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference is for what is wrong."""

    def fail(*_: object) -> Any:
        raise AssertionError("the reference was asked")

    monkeypatch.setattr(compiler, "encode_plainly", fail)
    monkeypatch.setattr(compiler, "decode_plainly", fail)
    schema = Item.__schema__
    for number in [*range(-3, 1_003), 10**254, -(10**253)]:
        item = Item(number=number)
        assert schema.decode(parse_string(schema.encode(item) + END)[0]) == item
    for size in (0, 255, 256, 257, 65_535):
        item = Item(number=1, text="x" * size)
        assert schema.decode(parse_string(schema.encode(item) + END)[0]) == item
    assert Defaults.__schema__.decode({}) == Defaults()
    with pytest.raises(AssertionError, match="the reference was asked"):
        schema.encode(Item(number="1"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(AssertionError, match="the reference was asked"):
        schema.decode({})


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 257, 65_534, 65_535])
@pytest.mark.parametrize("kind", [str, bytes])
def test_lengths_at_which_a_length_byte_changes(kind: Any, size: int) -> None:
    """Text and bytes of every such length have the right two bytes before them."""
    cls: Any = type("Long", (Record,), {"__annotations__": {"value": kind}})
    value = "x" * size if kind is str else b"x" * size
    encoded = cls.__schema__.encode(cls(value=value))
    assert encoded == b"\0\5value" + size.to_bytes(2, "big") + b"x" * size
    assert cls.__schema__.decode({b"value": b"x" * size}).value == value


@pytest.mark.parametrize("digits", [254, 255, 256, 257, 4_299, 4_300])
def test_long_integers(digits: int) -> None:
    """Also those whose length does not fit in one byte, up to Python's own limit; above it is refused."""
    number = 10 ** (digits - 1)
    encoded = Item.__schema__.encode(Item(number=number))
    assert encoded == b"\0\6number" + digits.to_bytes(2, "big") + b"%d" % number
    assert Item.__schema__.decode({b"number": b"%d" % number}).number == number


def test_integers_above_python_s_own_limit() -> None:
    """4,300 digits both ways: the conversion costs quadratic time, so nobody may ask for more."""
    with pytest.raises(LocalProtocolError, match=r"^Item\.number: Exceeds the limit \(4300 digits\)"):
        Item.__schema__.encode(Item(number=10**4_300))
    with pytest.raises(RemoteProtocolError, match=r"^argument number of Item: Exceeds the limit \(4300 digits\)"):
        Item.__schema__.decode({b"number": b"1" * 4_301})


def test_a_value_that_is_too_long_says_so() -> None:
    """With class, field, size and limit, and none of the value."""
    with pytest.raises(LocalProtocolError, match=r"^Item\.text: value of key text is 65536 bytes long; .* 65535") as e:
        Item.__schema__.encode(Item(number=1, text="x" * 65_536))
    assert "xxx" not in str(e.value)


def test_a_record_s_own_check_is_made_of_what_comes() -> None:
    """__post_init__ runs, and what it raises is the other end's mistake."""
    assert Checked.__schema__.decode({b"a": b"1"}) == Checked(a=1, b=None, c=None)
    with pytest.raises(RemoteProtocolError, match=r"^Checked: negative$"):
        Checked.__schema__.decode({b"a": b"-1"})


def test_a_fault_in_a_list_of_records_names_the_whole_way() -> None:
    """From the outermost field to the innermost, whether the record checks itself or not."""
    broken: Any = [Item(number=1), Item(**BAD)]
    record = Order(a=1, items=broken, more=[])
    with pytest.raises(LocalProtocolError, match=r"^Order\.items: element 1: Item\.number: expected int, not str$"):
        Order.__schema__.encode(record)
    box = {b"a": b"1", b"items": b"\0\0", b"more": b""}
    reason = "^argument items of {}: element 0: Item lacks the argument number$"
    with pytest.raises(RemoteProtocolError, match=reason.format("Order")):
        Order.__schema__.decode(box)
    with pytest.raises(RemoteProtocolError, match=reason.format("CheckedOrder")):
        CheckedOrder.__schema__.decode(box)


class Counted(Argument[int]):
    """Takes no odd numbers, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def encode(self, value: int) -> bytes:
        self.times += 1
        if value % 2:
            raise ValueError("odd")
        return b"%d" % value

    def decode(self, data: bytes) -> int:
        self.encode(int(data))
        return int(data)


COUNTED = Counted()


class Leaf(Record):
    """Innermost."""

    number: Annotated[int, COUNTED]


class Twig(Record):
    """Around it."""

    leaves: list[Leaf]


class Branch(Record):
    """Outermost."""

    twigs: list[list[Twig]]


def test_a_fault_is_looked_at_twice_however_deep_it_lies() -> None:
    """Once on the straight way and once by the reference, and not twice as often at each level."""
    COUNTED.times = 0
    with pytest.raises(LocalProtocolError, match=r"^Branch\.twigs: element 0: element 0: Twig\.leaves: .*: odd$"):
        Branch.__schema__.encode(Branch(twigs=[[Twig(leaves=[Leaf(number=1)])]]))
    assert COUNTED.times == 2
    encoded = Branch.__schema__.encode(Branch(twigs=[[Twig(leaves=[Leaf(number=2)])]]))
    COUNTED.times = 0
    (box,) = parse_string(encoded.replace(b"\0\0012", b"\0\0013") + END)
    with pytest.raises(RemoteProtocolError, match=r"^argument twigs of Branch: .* argument number of Leaf: odd$"):
        Branch.__schema__.decode(box)
    assert COUNTED.times == 2


def test_defaults_are_made_anew_for_each_record() -> None:
    """A default_factory is called for every absent key, and not for a present one."""
    cls: Any = type("Bag", (Record,), {"__annotations__": {"items": list[int]}, "items": field(default_factory=list)})
    one, two = (cls.__schema__.decode({}) for _ in range(2))
    assert one.items == two.items == []
    assert one.items is not two.items
    assert cls.__schema__.decode({b"items": b"\0\0011"}).items == [1]


def test_a_decoded_record_is_as_good_as_any() -> None:
    """It can be changed, compared and printed, though no __init__ has run."""
    record = Item.__schema__.decode({b"number": b"1"})
    assert type(record) is Item
    assert repr(record).endswith("Item(number=1, text=None)")
    record.text = "x"
    assert record == Item(number=1, text="x")
