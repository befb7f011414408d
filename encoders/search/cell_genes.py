"""Cells as vectors of whole numbers, for optimisers that know nothing of graphs."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ...core.errors import DataError
from .space.canonical import canonical
from .space.grammar import Cell, Node, Ref
from .space.graph import components
from .space.operations import Operation, parse_operation
from .space.sampling import Space, sample


class CellGenes:
    """The genes of the cells of a space, and the cell that each vector of them stands for.

    ``sizes`` holds how many values each gene has, in this order: the number of nodes; of each of
    ``space.most`` nodes its operation, its number of inputs and ``space.most_inputs`` plain
    sources; of each of ``space.most // 2`` delays the node that reads, which of its inputs, and the
    node that is read one word later. A delay whose reader is 0, or no node of this cell, is none:
    delays are rare among random vectors, as they are in ``sampling.sample``. Genes of nodes and
    inputs that are not there mean nothing.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._operations: list[Operation] = [
            parse_operation(text, "space") for text in dict.fromkeys(space.operations)
        ]
        self._slots = max(space.most_inputs, *(each.kind.fewest for each in self._operations))
        node = (len(self._operations), space.most_inputs, *[space.most] * self._slots)
        delay = (space.most + 1, self._slots, space.most + 1)
        self.sizes: tuple[int, ...] = (
            space.most - space.fewest + 1,
            *node * space.most,
            *delay * (space.most // 2),
        )

    def decode(self, genes: Sequence[int]) -> Cell:
        """A canonical cell that the space admits. DataError for a vector of another form.

        What cannot stand is set right: a source is taken modulo what may be read, a node that no
        other reads is the first input of the next, an input that repeats another is the next free
        one, a delay that puts a convolution or an attention in a loop reads the present or the
        layer's input instead, dead nodes are dropped. Where that leaves no cell of the space, the
        vector is the seed of a random one.
        """
        self._check(genes)
        nodes = _all_read(self._with_delays(self._nodes(genes), genes))
        nodes = [_without_repeats(number, node, len(nodes)) for number, node in enumerate(nodes, 1)]
        drawn = _without_bad_loops(nodes)
        if drawn is not None:
            cell = canonical(drawn)
            if self._space.admits(cell):
                return cell
        return sample(self._space, random.Random(",".join(map(str, genes))))

    def _check(self, genes: Sequence[int]) -> None:
        if len(genes) != len(self.sizes) or not all(
            0 <= gene < size for gene, size in zip(genes, self.sizes, strict=True)
        ):
            raise DataError(
                f"not a vector of {len(self.sizes)} genes within their sizes",
                where="cell",
                cure="take one value from 0 for each of the genes of the space",
            )

    def _nodes(self, genes: Sequence[int]) -> list[Node]:
        """The nodes without delays, in which an input may repeat another."""
        stride = 2 + self._slots
        nodes = []
        for number in range(1, self._space.fewest + genes[0] + 1):
            kind, count, *sources = genes[1 + (number - 1) * stride : 1 + number * stride]
            operation = self._operations[kind]
            fewest = operation.kind.fewest
            most = max(min(operation.kind.most, self._space.most_inputs), fewest)
            inputs = sources[: fewest + count % (most - fewest + 1)]
            nodes.append(Node(operation, tuple(Ref(source % number) for source in inputs)))
        return nodes

    def _with_delays(self, nodes: list[Node], genes: Sequence[int]) -> list[Node]:
        first = 1 + (2 + self._slots) * self._space.most
        for at in range(first, len(genes), 3):
            reader, place, source = genes[at : at + 3]
            if 1 <= reader <= len(nodes):
                operation, inputs = nodes[reader - 1]
                place %= len(inputs)
                ref = Ref(source % (len(nodes) + 1), delayed=True)
                nodes[reader - 1] = Node(operation, (*inputs[:place], ref, *inputs[place + 1 :]))
        return nodes


def _all_read(nodes: list[Node]) -> list[Node]:
    """A node that no other reads becomes the first input of the next."""
    nodes = list(nodes)
    # From the last to the first: what loses its reader here is most often met later.
    for number in range(len(nodes) - 1, 0, -1):
        others = nodes[: number - 1] + nodes[number:]
        if not any(ref.node == number for node in others for ref in node.inputs):
            operation, refs = nodes[number]
            nodes[number] = Node(operation, (Ref(number), *refs[1:]))
    return nodes


def _without_repeats(number: int, node: Node, nodes: int) -> Node:
    """Each input that repeats an earlier one is the next that may be read and is not."""
    readable = [
        *(Ref(source) for source in range(number)),
        *(Ref(source, delayed=True) for source in range(nodes + 1)),
    ]
    kept: list[Ref] = []
    for ref in node.inputs:
        at = readable.index(ref)
        kept.append(next(r for r in readable[at:] + readable[:at] if r not in kept))
    return Node(node.operation, tuple(kept))


def _without_bad_loops(nodes: list[Node]) -> Cell | None:
    """None where an input finds no other source."""
    cell = Cell(tuple(nodes), len(nodes))
    # Another source may close another loop, but each turn leaves fewer delayed nodes.
    while bad := _bad_loop(cell):
        nodes = list(cell.nodes)
        for number in bad:
            operation, inputs = nodes[number - 1]
            kept: list[Ref] = []
            for ref in inputs:
                if ref.delayed and ref.node in bad:
                    instead = [Ref(0, True), *(Ref(node) for node in range(number))]
                    if ref.node < number:
                        instead.insert(0, Ref(ref.node))
                    free = [each for each in instead if each not in (*kept, *inputs)]
                    if not free:
                        return None
                    ref = free[0]
                kept.append(ref)
            nodes[number - 1] = Node(operation, tuple(kept))
        cell = Cell(tuple(nodes), cell.out)
    return cell


def _bad_loop(cell: Cell) -> tuple[int, ...]:
    """The nodes of a delay loop in which one reads more than the present word, or none."""
    for component in components(cell):
        if component.loop and any(
            cell.nodes[number - 1].operation.kind.reach for number in component.nodes
        ):
            return component.nodes
    return ()
