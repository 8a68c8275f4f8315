"""The base class of arguments, collections and descriptors; single values are in `test_values.py`."""

# mypy: allow-untyped-calls, allow-subclassing-any

import struct
from typing import Any

import pytest

from tests.twisted.rows.common import started


def test_an_argument_is_wanted_unless_it_is_optional(amp: Any) -> None:
    """By position and by name."""
    assert amp.Argument.optional is False
    assert [amp.Argument(*args).optional for args in ((), (True,), (False,))] == [False, True, False]
    assert amp.Integer(optional=True).optional is True


def test_the_base_converts_nothing(amp: Any) -> None:
    """Both directions give None, with and without the protocol."""
    argument = amp.Argument()
    assert argument.fromString(b"x") is argument.toString("x") is None
    assert argument.fromStringProto(b"x", None) is argument.toStringProto("x", None) is None


def test_values_are_taken_out_of_the_objects(amp: Any) -> None:
    """By their name in Python; the string is put in by the name on the wire."""
    strings: dict[bytes, bytes] = {}
    objects = {"from": 1, "From": 2, "a_b": 3}
    amp.Integer().toBox(b"from", strings, objects, None)
    amp.Integer(optional=True).toBox(b"a-b", strings, objects, None)
    assert (strings, objects) == ({b"from": b"2", b"a-b": b"3"}, {"from": 1})


def test_a_missing_value_is_a_key_error(amp: Any) -> None:
    """With the name that is missing: Python's for objects, the wire's for strings."""
    with pytest.raises(KeyError) as missing:
        amp.Integer().toBox(b"a-b", {}, {}, None)
    assert missing.value.args == ("a_b",)
    with pytest.raises(KeyError) as missing:
        amp.Integer().fromBox(b"a-b", {}, {}, None)
    assert missing.value.args == (b"a-b",)


def test_a_missing_optional_value_is_left_out(amp: Any) -> None:
    """None counts as missing, and stays in the objects; from a box it is None."""
    strings: dict[bytes, bytes] = {}
    objects: dict[str, Any] = {"b": None}
    optional = amp.Integer(optional=True)
    optional.toBox(b"a", strings, objects, None)
    optional.toBox(b"b", strings, objects, None)
    assert (strings, objects) == ({}, {"b": None})
    optional.fromBox(b"a-b", {}, objects, None)
    assert objects == {"b": None, "a_b": None}


def test_strings_are_taken_out_of_the_box(amp: Any) -> None:
    """And the value is put in by its name in Python."""
    strings = {b"a-b": b"1", b"c": b"2", b"d": b"3"}
    objects: dict[str, Any] = {}
    amp.Integer().fromBox(b"a-b", strings, objects, None)
    amp.Integer(optional=True).fromBox(b"c", strings, objects, None)
    assert (strings, objects) == ({b"d": b"3"}, {"a_b": 1, "c": 2})


def test_retrieve_takes_an_entry_out(amp: Any) -> None:
    """A wanted one must be there; an optional one goes only if it is not None."""
    entries = {"a": 0, "b": None, "c": 3}
    assert amp.Argument().retrieve(entries, "a", None) == 0
    assert amp.Argument(optional=True).retrieve(entries, "b", None) is None
    assert amp.Argument(optional=True).retrieve(entries, "c", None) == 3
    assert amp.Argument(optional=True).retrieve(entries, "d", None) is None
    assert entries == {"b": None}


LISTS = [
    ([], b""),
    ([3, 4], b"\0\0013\0\0014"),
    ((5,), b"\0\0015"),
    ({7: "key"}, b"\0\0017"),
]


@pytest.mark.parametrize(("value", "data"), LISTS, ids=["empty", "list", "tuple", "dictionary"])
def test_a_list_is_its_elements_with_their_lengths(value: Any, data: bytes, amp: Any) -> None:
    """Anything that can be iterated over; it comes back as a list."""
    list_of = amp.ListOf(amp.Integer())
    assert list_of.toString(value) == list_of.toString(iter(value)) == data
    assert list_of.fromString(data) == [*value]


def test_lists_nest(amp: Any) -> None:
    """Lists of lists of text."""
    nested = amp.ListOf(elementType=amp.ListOf(amp.Unicode()), optional=True)
    value = [["a", "\xe9"], [], [""]]
    assert nested.fromString(nested.toString(value)) == value
    assert nested.optional is True
    assert isinstance(nested.elementType, amp.ListOf)


def test_what_is_no_list_is_refused(amp: Any) -> None:
    """None cannot be iterated over; an element must be of the type."""
    with pytest.raises(TypeError):
        amp.ListOf(amp.Integer()).toString(None)
    with pytest.raises(TypeError):
        amp.ListOf(amp.Integer()).toString(["x"])
    with pytest.raises(ValueError, match="x"):
        amp.ListOf(amp.Integer()).fromString(b"\0\1x")


def test_an_element_is_at_most_65535_bytes(amp: Any) -> None:
    """A longer one is a `struct.error`, before the next one is looked at."""
    list_of = amp.ListOf(amp.String())
    assert len(list_of.toString([b"x" * 65_535])) == 65_537
    assert list_of.fromString(b"\xff\xff" + b"x" * 65_535) == [b"x" * 65_535]
    with pytest.raises(struct.error):
        list_of.toString([b"x" * 65_536, 3])


@pytest.mark.parametrize("data", [b"\0\1a\0", b"\0\1a\0\1", b"\0\1a\0\2b"])
def test_a_last_element_that_is_not_whole_is_left_out(data: bytes, amp: Any) -> None:
    """Wherever it ends."""
    assert amp.ListOf(amp.String()).fromString(data) == [b"a"]


def test_a_list_of_what_needs_the_protocol_gets_none(amp: Any) -> None:
    """Descriptors go as their numbers, and lists of boxes cannot go."""
    assert amp.ListOf(amp.Descriptor()).toString([3]) == b"\0\0013"
    with pytest.raises(TypeError):
        amp.ListOf(amp.AmpList([(b"a", amp.Integer())])).toString([[{"a": 1}]])


def test_a_list_of_boxes_is_boxes(amp: Any) -> None:
    """One behind the other; what is not declared is left out, and what is optional may be missing."""
    boxes = amp.AmpList([(b"b-c", amp.Integer()), (b"a", amp.Unicode(optional=True))])
    data = boxes.toStringProto([{"b_c": 1, "a": "x", "more": "?"}, {"b_c": 2}], None)
    assert data == b"\0\1a\0\1x\0\3b-c\0\0011\0\0" + b"\0\3b-c\0\0012\0\0"
    assert boxes.fromStringProto(data, None) == [{"b_c": 1, "a": "x"}, {"b_c": 2, "a": None}]
    assert boxes.fromStringProto(data[:-1], None) == [{"b_c": 1, "a": "x"}]
    assert boxes.toStringProto([], None) == b""
    assert boxes.fromStringProto(b"", None) == []
    assert boxes.fromString(data) is boxes.toString([]) is None


def test_the_names_of_a_list_of_boxes_are_bytes(amp: Any) -> None:
    """Text is refused, and the declaration is shown."""
    with pytest.raises(AssertionError, match=r"`name' is a byte string, got: \[\('a', 1\)\]"):
        amp.AmpList([("a", 1)])
    declared = amp.AmpList(subargs=[(b"a", amp.Integer())], optional=True)
    assert (declared.subargs[0][0], declared.optional) == (b"a", True)


def test_a_list_of_boxes_without_what_it_wants(amp: Any) -> None:
    """A missing name is a KeyError both ways."""
    boxes = amp.AmpList([(b"a", amp.Integer())])
    with pytest.raises(KeyError, match="a"):
        boxes.toStringProto([{}], None)
    with pytest.raises(KeyError, match="a"):
        boxes.fromStringProto(b"\0\0", None)


def test_a_list_of_boxes_passes_the_protocol_on(amp: Any) -> None:
    """Descriptors inside of it are sent and taken."""
    boxes = amp.AmpList([(b"fd", amp.Descriptor())])
    end = amp.AMP()
    wire = started(end)
    assert boxes.toStringProto([{"fd": 7}, {"fd": 8}], end) == b"\0\2fd\0\0010\0\0" + b"\0\2fd\0\0011\0\0"
    assert wire.descriptors == [7, 8]
    end.fileDescriptorReceived(70)
    end.fileDescriptorReceived(80)
    assert boxes.fromStringProto(b"\0\2fd\0\0011\0\0" + b"\0\2fd\0\0010\0\0", end) == [{"fd": 80}, {"fd": 70}]


def test_a_descriptor_goes_before_its_box(amp: Any) -> None:
    """Its string is the number of descriptors that went before it on the connection."""
    end, argument = amp.AMP(), amp.Descriptor()
    wire = started(end)
    assert [argument.toStringProto(each, end) for each in (30, 31)] == [b"0", b"1"]
    assert (wire.descriptors, wire.writes) == ([30, 31], [])
    for each in (40, 41):
        end.fileDescriptorReceived(each)
    assert [argument.fromStringProto(each, end) for each in (b"1", b"0")] == [41, 40]
    with pytest.raises(KeyError):
        argument.fromStringProto(b"0", end)


def test_a_transport_without_descriptors_sends_none(amp: Any) -> None:
    """The call raises; nothing was sent."""
    write = type("Write", (amp.Command,), {"arguments": [(b"fd", amp.Descriptor())]})
    end = amp.AMP()
    end.makeConnection(without := amp._ParserHelper())
    with pytest.raises(AttributeError):
        end.callRemote(write, fd=3)
    assert not without.boxes


def test_a_local_argument_does_not_leave_the_process(amp: Any) -> None:
    """It is read from no box."""
    objects: dict[str, Any] = {}
    amp._LocalArgument().fromBox(b"a", {b"a": b"1"}, objects, None)
    assert objects == {}
    assert isinstance(amp._LocalArgument(), amp.String)
