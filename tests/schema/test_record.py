"""Records as a program writes them: fields by keyword, defaults, inheritance, and names that come later."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Annotated, Any, ClassVar

import pytest

from ampkit.errors import LocalProtocolError, RemoteProtocolError
from ampkit.schema.record import Record, Response
from ampkit.schema.typed import Wire
from ampkit.wire.box import END, encode_box


class Item(Record):
    """A record of a module."""

    number: int
    remark: str | None = None
    kind: ClassVar[str] = "item"


class Tree(Record):
    """A record that holds itself."""

    label: str
    children: list[Tree]


class Forest(Record):
    """Names a class that is defined below."""

    edges: list[Meadow]


class Meadow(Record):
    """Named above."""

    flowers: int


def keys_of(cls: type[Record]) -> list[bytes]:
    """Return the names on the wire."""
    return [field.key for field in cls.__schema__.fields]


def test_fields_are_given_by_keyword() -> None:
    """Nothing else will do: the order of fields is no part of a protocol."""
    assert Item(number=1).remark is None
    make: Any = Item
    for arguments, named in (((1,), {}), ((), {}), ((), {"number": 1, "colour": "red"})):
        with pytest.raises(TypeError):
            make(*arguments, **named)


def test_a_record_is_a_dataclass() -> None:
    """It prints and compares as one, and can be copied and pickled."""
    item = Item(number=1, remark="x")
    assert repr(item) == "Item(number=1, remark='x')"
    assert item == Item(number=1, remark="x") != Item(number=1)
    assert dataclasses.replace(item, number=2).number == 2
    assert pickle.loads(pickle.dumps(item)) == item


def test_its_schema_names_and_sorts_its_fields() -> None:
    """What the schema says is what the class body says."""
    assert Item.__schema__.name == "Item"
    assert keys_of(Item) == [b"number", b"remark"]
    assert Item.__schema__.decode({b"number": b"1", b"unknown": b""}) == Item(number=1)
    assert Item.__schema__.encode(Item(number=1, remark="x")) == b"\0\6number\0\0011\0\6remark\0\1x"


def test_a_subclass_has_the_fields_of_its_bases() -> None:
    """It may add some, and say others anew."""

    class Named(Item):
        name: str
        number: Annotated[int, Wire("no")]

    assert Named.__schema__.name == "Named"
    assert keys_of(Named) == [b"name", b"no", b"remark"]
    assert Named.__schema__.decode({b"no": b"1", b"name": b"x"}) == Named(number=1, name="x")


def test_bases_mean_what_they_meant_where_they_were_written() -> None:
    """The names in a base's annotations are those around the base, not those around the subclass."""

    def base() -> type[Record]:
        class Thing(Record):
            here: int

        class Base(Record):
            things: list[Thing]

        return Base

    class Thing(Record):
        elsewhere: str

    Base: Any = base()  # noqa: N806 - it is a class

    class Sub(Base):  # type: ignore[misc]
        more: list[Thing]

    assert [repr(field.argument) for field in Sub.__schema__.fields] == ["AmpList(Thing)", "AmpList(Thing)"]
    assert (
        Sub.__schema__.decode({b"things": b"\0\4here\0\0011\0\0", b"more": b"\0\x09elsewhere\0\1x\0\0"}).things[0].here
    )


def test_an_ordinary_dataclass_may_lend_its_fields() -> None:
    """What is shared with the rest of a program need not know of AMP."""

    @dataclasses.dataclass(kw_only=True)
    class Position:
        x: int
        y: Annotated[int, Wire("why")] = 0

    class Marker(Position, Record):
        label: str

    assert keys_of(Marker) == [b"label", b"why", b"x"]
    assert Marker.__schema__.decode({b"label": b"a", b"x": b"1"}) == Marker(label="a", x=1)


def test_other_bases_lend_their_methods_only() -> None:
    """A mix-in is no dataclass, so its annotations are no fields."""

    class Doubling:
        factor: int = 2

        def doubled(self: Any) -> int:
            return int(self.number * self.factor)

    class Double(Doubling, Item):
        pass

    assert keys_of(Double) == [b"number", b"remark"]
    assert Double(number=4).doubled() == 8


def test_class_keywords_of_a_base_of_the_program_s_own_arrive() -> None:
    """Record passes on what it does not know."""
    seen: list[str] = []

    class Listed:
        def __init_subclass__(cls, *, tag: str, **options: Any) -> None:
            super().__init_subclass__(**options)
            seen.append(tag)

    class Tagged(Record, Listed, tag="x"):
        a: int

    assert seen == ["x"]
    with pytest.raises(TypeError):
        type("Unknown", (Record,), {}, colour="red")
    assert Tagged(a=1).a == 1


def grown(depth: int, leaf: str) -> Tree:
    """Return a tree of one branch."""
    tree = Tree(label=leaf, children=[])
    for _ in range(depth):
        tree = Tree(label="", children=[tree])
    return tree


def hostile(depth: int, leaf: bytes) -> dict[bytes, bytes]:
    """Return the box of such a tree, with any bytes for the innermost label."""
    box = {b"label": leaf, b"children": b""}
    for _ in range(depth):
        box = {b"label": b"", b"children": encode_box(box)}
    return box


def test_a_record_may_hold_itself() -> None:
    """To any depth that fits in a value."""
    assert Tree.__schema__.decode(hostile(50, b"leaf")) == grown(50, "leaf")
    assert Tree.__schema__.encode(grown(50, "leaf")) + END == encode_box(hostile(50, b"leaf"))


def test_a_fault_deep_inside_is_found_once() -> None:
    """Looking again at every level would take 2 ** 100 steps; the message begins at the outermost field."""
    with pytest.raises(
        RemoteProtocolError, match=r"^argument children of Tree: element 0: argument children of Tree: "
    ):
        Tree.__schema__.decode(hostile(100, b"\xff"))
    with pytest.raises(
        LocalProtocolError, match=r"^Tree\.children: element 0: .*Tree\.label: .*surrogates not allowed$"
    ):
        Tree.__schema__.encode(grown(100, "\ud800"))


def test_bottomless_records_are_an_error() -> None:
    """As deep as fits in a value, or a record that is inside of itself: the error is an AmpError, and soon there."""
    with pytest.raises(RemoteProtocolError, match=r"^argument children of Tree: element 0: "):
        Tree.__schema__.decode(hostile(2_500, b""))
    tree = Tree(label="", children=[])
    tree.children.append(tree)
    with pytest.raises(LocalProtocolError, match=r"^Tree\.children: element 0: "):
        Tree.__schema__.encode(tree)


def test_a_record_may_name_what_comes_later() -> None:
    """In its module, or in the function around it."""
    assert Forest.__schema__.decode({b"edges": b"\0\7flowers\0\0013\0\0"}) == Forest(edges=[Meadow(flowers=3)])

    class Cage(Record):
        animals: list[Animal]

    with pytest.raises(NameError, match="Animal"):
        _ = Cage.__schema__

    class Animal(Record):
        legs: int

    assert Cage.__schema__.decode({b"animals": b"\0\4legs\0\0014\0\0"}) == Cage(animals=[Animal(legs=4)])


def test_a_record_checks_itself() -> None:
    """__post_init__ runs for what the program makes and for what comes."""

    class Even(Record):
        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError(f"{self.number} is odd")

    with pytest.raises(ValueError, match=r"^1 is odd$"):
        Even(number=1)
    with pytest.raises(RemoteProtocolError, match=r"^Even: 1 is odd$"):
        Even.__schema__.decode({b"number": b"1"})
    assert Even.__schema__.decode({b"number": b"2"}).number == 2


def test_an_init_of_its_own_is_a_type_error() -> None:
    """It would not be called for what comes."""
    with pytest.raises(
        TypeError, match=r"^Own: the fields are the parameters of __init__; check them in __post_init__$"
    ):

        class Own(Record):
            a: int

            def __init__(self) -> None:
                pass


def test_a_field_without_a_wire_form_is_a_type_error_of_the_class_statement() -> None:
    """The mistake shows where it is made, not when a connection is up."""
    with pytest.raises(TypeError, match=r"^Wrong\.a: no wire form is known for object"):

        class Wrong(Record):
            a: object


def test_a_response_is_a_record() -> None:
    """Nothing more: a class of its own, so that a type checker can tell them apart."""

    class Total(Response):
        total: int

    assert issubclass(Response, Record)
    assert keys_of(Response) == []
    assert keys_of(Total) == [b"total"]
