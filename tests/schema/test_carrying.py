"""Which commands have descriptors in them."""

from __future__ import annotations

from typing import Any

import pytest

from ampkit.schema.carrying import carries, descriptor_keys
from ampkit.schema.command import Command
from ampkit.schema.descriptor import FileDescriptor
from ampkit.schema.record import Record, Response


class Leaf(Record):
    """Has one."""

    file: FileDescriptor


class Tree(Record):
    """Has lists of its own kind, and nothing else."""

    trees: list[Tree]


class Forest(Record):
    """The same, and a descriptor far inside."""

    trees: list[Tree]
    forests: list[Forest]
    leaves: list[list[FileDescriptor]]


class Plain(Record):
    """Has none."""

    numbers: list[int]


class Opened(Response):
    """Has an optional one."""

    log: FileDescriptor | None = None


class Open(Command[Opened]):
    """Gets one, and gives none."""

    path: str


class Give(Command[None]):
    """Gives two."""

    first: FileDescriptor
    second: FileDescriptor | None = None
    leaves: list[Leaf]


@pytest.mark.parametrize(
    ("record", "expected"), [(Leaf, True), (Tree, False), (Forest, True), (Plain, False), (Opened, True), (Give, True)]
)
def test_a_record_carries_what_its_lists_carry(record: type[Record], expected: bool) -> None:
    """However deep; a record that has lists of its own kind comes to an end."""
    assert carries(record) is expected


@pytest.mark.parametrize(
    ("command", "expected"), [(Open, (False, True, ())), (Give, (True, False, (b"first", b"second")))]
)
def test_a_command_knows_both_directions(command: type[Command[Any]], expected: object) -> None:
    """Its arguments and its response are told apart."""
    schema = command.__command__
    assert (schema.carries, schema.response_carries, schema.descriptor_keys) == expected
    assert descriptor_keys(command) == schema.descriptor_keys
