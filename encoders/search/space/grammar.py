"""Cells as data and as text: ``c1/L:0,@2/t:1=2`` is a plain recurrent network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ....core.errors import DataError
from .operations import Operation, parse_operation

VERSION = "c1"
MOST_NODES = 32
_LONGEST = 2048  # characters; the longest valid cell has fewer
_REFERENCE = re.compile(r"(@?)(0|[1-9][0-9]{0,2})")


class Ref(NamedTuple):
    """A node's value now, or one word earlier (0 before the first word). Node 0 is the input."""

    node: int
    delayed: bool = False

    def __str__(self) -> str:
        return f"@{self.node}" if self.delayed else str(self.node)


class Node(NamedTuple):
    """An operation and what it reads."""

    operation: Operation
    inputs: tuple[Ref, ...]

    def __str__(self) -> str:
        return f"{self.operation}:{','.join(map(str, self.inputs))}"


@dataclass(frozen=True)
class Cell:
    """A graph of operations; ``nodes[0]`` is node 1, and node ``out`` is what the cell gives.

    Every value is a sequence (batch, time, width). ``str`` writes the cell:

        cell := "c1/" node ("/" node)* "=" out
        node := operation ":" ref ("," ref)*
        ref  := number | "@" number

    A plain reference is smaller than the number of its node; a delayed one may be to any node.
    What a cell may be is held by ``validity.check``.
    """

    nodes: tuple[Node, ...]
    out: int

    def __str__(self) -> str:
        return f"{VERSION}/{'/'.join(map(str, self.nodes))}={self.out}"

    def numbered(self) -> Iterator[tuple[int, Node]]:
        """The nodes with their numbers, from 1."""
        return enumerate(self.nodes, start=1)


def parse(text: str) -> Cell:
    """The cell that is written, by the grammar alone: ``validity.check`` holds it to the rules.

    ``str`` gives the text again. DataError names the node that cannot be read.
    """
    if len(text) > _LONGEST:
        raise DataError(
            f"{len(text):,} characters", where="cell", cure=f"at most {_LONGEST:,} are read"
        )
    version, slash, rest = text.partition("/")
    if version != VERSION or not slash:
        raise DataError(
            f"begins with {version[:20]!r}", where="cell", cure=f"write {VERSION}/L:0,@2/t:1=2"
        )
    body, equals, out = rest.rpartition("=")
    if not equals or not (found := _REFERENCE.fullmatch(out)) or found[1]:
        raise DataError("does not end in the number of its output", where="cell", cure="such as =2")
    written = body.split("/")
    if len(written) > MOST_NODES:
        raise DataError(f"{len(written)} nodes", where="cell", cure=f"at most {MOST_NODES}")
    return Cell(tuple(_node(text, number) for number, text in enumerate(written, 1)), int(out))


def _node(text: str, number: int) -> Node:
    where = f"cell, node {number} ({text[:40]})"
    operation, colon, inputs = text.partition(":")
    if not colon:
        raise DataError("has no inputs", where=where, cure="such as t:1")
    references = []
    for written in inputs.split(","):
        found = _REFERENCE.fullmatch(written)
        if found is None:
            raise DataError(
                f"not an input: {written[:20]!r}", where=where, cure="write 3, or @3 for a delay"
            )
        references.append(Ref(int(found[2]), bool(found[1])))
    return Node(parse_operation(operation, where), tuple(references))
