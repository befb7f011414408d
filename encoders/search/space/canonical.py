"""One writing for each cell, whatever its numbering, the order of its inputs and its dead nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from .grammar import Cell, Node, Ref
from .graph import sources

_Colours = tuple[int, ...]  # of the input and each node; equal ones cannot be told apart yet
_Edges = list[list[tuple[bool, int, int]]]  # for each node: delayed, place (0 unordered), other end


def canonical(cell: Cell) -> Cell:
    """The cell without dead nodes, in the writing that all its renumberings share.

    Nodes that reach the output are told apart by their operations and neighbours (Weisfeiler and
    Leman's refinement), ties by trying their members one by one: of the numberings left, the
    smallest description wins. Two cells have one canonical form if and only if they are the same
    graph; equal values that are computed twice stay two nodes.
    """
    live = _without_dead_nodes(cell)
    _, rank = _smallest(live, _refined(live, _first_colours(live)))
    return _written(live, rank)


def short_id(cell: Cell) -> str:
    """Ten hexadecimal digits that stand for the canonical form (of its SHA-256)."""
    return hashlib.sha256(str(canonical(cell)).encode()).hexdigest()[:10]


def renumbered(cell: Cell, order: Sequence[int], out: int) -> Cell:
    """The nodes of ``order`` alone, numbered from 1 as they stand there; ``out`` is an old number.

    ``order`` holds whatever its nodes read; the order of inputs stays.
    """
    number = {0: 0} | {old: new for new, old in enumerate(order, 1)}
    nodes = (cell.nodes[old - 1] for old in order)
    return Cell(
        tuple(
            Node(node.operation, tuple(Ref(number[r.node], r.delayed) for r in node.inputs))
            for node in nodes
        ),
        number[out],
    )


def _without_dead_nodes(cell: Cell) -> Cell:
    live = [number for number in sources(cell, cell.out) if number]
    return renumbered(cell, live, cell.out)


def _first_colours(cell: Cell) -> _Colours:
    kinds = [(str(node.operation), number == cell.out) for number, node in cell.numbered()]
    ranks = {kind: rank for rank, kind in enumerate(sorted(set(kinds)), 1)}
    return (0, *(ranks[kind] for kind in kinds))


def _edges(cell: Cell) -> tuple[_Edges, _Edges]:
    """What each node reads, and what reads it."""
    reads: _Edges = [[] for _ in range(len(cell.nodes) + 1)]
    readers: _Edges = [[] for _ in range(len(cell.nodes) + 1)]
    for number, node in cell.numbered():
        for place, ref in enumerate(node.inputs, 1):
            place = place if node.operation.kind.ordered else 0
            reads[number].append((ref.delayed, place, ref.node))
            readers[ref.node].append((ref.delayed, place, number))
    return reads, readers


def _refined(cell: Cell, colours: _Colours) -> _Colours:
    """Split colours by those of what is read and what reads, until nothing splits any more."""
    reads, readers = _edges(cell)
    count = len(set(colours))
    while True:
        described = [
            (
                colour,
                sorted((delayed, place, colours[end]) for delayed, place, end in reads[node]),
                sorted((delayed, place, colours[end]) for delayed, place, end in readers[node]),
            )
            for node, colour in enumerate(colours)
        ]
        ordered = sorted(range(len(colours)), key=described.__getitem__)
        rank, new = 0, [0] * len(colours)
        for before, node in pairwise(ordered):
            rank += described[before] != described[node]
            new[node] = rank
        colours = tuple(new)
        if rank + 1 == count:
            return colours
        count = rank + 1


def _tie(colours: _Colours) -> list[int]:
    """The nodes of the first colour that several share."""
    ordered = sorted(colours)
    for colour, following in pairwise(ordered):
        if colour == following:
            return [node for node, other in enumerate(colours) if other == colour]
    return []


def _singled_out(cell: Cell, colours: _Colours, node: int) -> _Colours:
    """Set one node before the others of its colour."""
    return _refined(
        cell,
        tuple(2 * colour - (other == node) + 1 for other, colour in enumerate(colours)),
    )


def _smallest(cell: Cell, colours: _Colours) -> tuple[str, _Colours]:
    """The smallest description below a colouring, and the ranks of the nodes that give it."""
    tie = _tie(colours)
    if not tie:
        return _description(cell, colours), colours
    best: tuple[str, _Colours] | None = None
    seen: set[str] = set()
    for node in tie:
        first = _singled_out(cell, colours, node)
        leaf = first
        while below := _tie(leaf):
            leaf = _singled_out(cell, leaf, below[0])
        # The same description again is a symmetry of the cell: nothing new lies below this node.
        described = _description(cell, leaf)
        if described in seen:
            continue
        seen.add(described)
        found = _smallest(cell, first)
        seen.add(found[0])
        best = min(best, found) if best else found
    assert best is not None
    return best


def _description(cell: Cell, rank: _Colours) -> str:
    """The whole cell in the order of the ranks."""
    lines = []
    for number in sorted(range(1, len(rank)), key=rank.__getitem__):
        node = cell.nodes[number - 1]
        inputs = [f"{'@' * ref.delayed}{rank[ref.node]}" for ref in node.inputs]
        if not node.operation.kind.ordered:
            inputs.sort()
        lines.append(f"{node.operation}:{','.join(inputs)}")
    return f"{'/'.join(lines)}={rank[cell.out]}"


def _written(cell: Cell, rank: _Colours) -> Cell:
    """Numbers as the output's inputs are met, depth first, then those of delayed nodes."""
    arranged = Cell(
        tuple(
            node
            if node.operation.kind.ordered
            else Node(
                node.operation,
                tuple(sorted(node.inputs, key=lambda ref: (ref.delayed, rank[ref.node]))),
            )
            for node in cell.nodes
        ),
        cell.out,
    )
    order: list[int] = []
    later: list[int] = [cell.out]
    met: set[int] = {0}

    def visit(number: int) -> None:
        met.add(number)
        inputs = arranged.nodes[number - 1].inputs
        for ref in inputs:
            if ref.delayed:
                later.append(ref.node)
            elif ref.node not in met:
                visit(ref.node)
        order.append(number)

    for number in later:  # grows as nodes are met
        if number not in met:
            visit(number)
    return renumbered(arranged, order, cell.out)
