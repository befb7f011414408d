"""What can be counted in a cell: operations, pairs of them, and the ways into its output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ..space.grammar import Cell

Counts = Counter[str]

_DEPTH = 3  # edges of a way into the output


class Edge(NamedTuple):
    """Node ``reader`` reads ``read``; ``place`` is from 1 where the order matters, else 0."""

    read: int
    reader: int
    delayed: bool
    place: int


def edges(cell: Cell) -> Iterator[Edge]:
    """All edges of a cell, by reader."""
    for number, node in cell.numbered():
        for place, ref in enumerate(node.inputs, 1):
            ordered = node.operation.kind.ordered
            yield Edge(ref.node, number, ref.delayed, place if ordered else 0)


def label(cell: Cell, number: int) -> str:
    """The operation of a node, ``x`` for the input."""
    return str(cell.nodes[number - 1].operation) if number else "x"


def paths(cell: Cell) -> Counts:
    """Operations, the output's, edges by the operations at both ends, and paths of two edges."""
    found: Counts = Counter()
    for number, _ in cell.numbered():
        found[label(cell, number)] += 1
    found[f"{label(cell, cell.out)}=out"] += 1
    every = list(edges(cell))
    for edge in every:
        found[_step(cell, edge)] += 1
        for behind in every:
            if behind.read == edge.reader:
                found[f"{_step(cell, edge)}{_step(cell, behind, start='')}"] += 1
    return found


def _step(cell: Cell, edge: Edge, start: str | None = None) -> str:
    arrow = "@>" if edge.delayed else ">"
    begin = label(cell, edge.read) if start is None else start
    return f"{begin}{arrow}{label(cell, edge.reader)}"


def ends(cell: Cell) -> Counts:
    """The ways into the output, told backwards over at most three edges, to a delay or the input.

    An input whose place matters is told with it: ``b1s`` is a sigmoid that gates a blend.
    """
    found: Counts = Counter()

    def walk(number: int, way: str, depth: int) -> None:
        found[way] += 1
        if depth == 0 or number == 0:
            return
        node = cell.nodes[number - 1]
        for place, ref in enumerate(node.inputs, 1):
            position = str(place) if node.operation.kind.ordered else ""
            longer = f"{way}<{position}{'@' if ref.delayed else ''}{label(cell, ref.node)}"
            if ref.delayed:
                found[longer] += 1
            else:
                walk(ref.node, longer, depth - 1)

    walk(cell.out, f"out<{label(cell, cell.out)}", _DEPTH)
    return found
