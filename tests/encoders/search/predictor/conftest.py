"""What tests of predictors share: cells at random, and other writings of them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from layerwise.encoders.search.space.grammar import Cell, Node, Ref
from layerwise.encoders.search.space.sampling import ALL, RECURRENT, Space, sample_distinct

Rewrite = Callable[[Cell, int], Cell]


@pytest.fixture(scope="session")
def cells() -> list[Cell]:
    """Recurrent cells of 3 to 9 nodes, all different."""
    space = Space(RECURRENT, fewest=3, most=9)
    return sample_distinct(space, random.Random(0), 120)


@pytest.fixture(scope="session")
def any_cells() -> list[Cell]:
    """Cells of all operations."""
    return sample_distinct(Space(ALL, fewest=2, most=8), random.Random(1), 40)


@pytest.fixture(scope="session")
def rewrite() -> Rewrite:
    """Writes a cell with other numbers, and with a dead node at the end."""

    def other(cell: Cell, seed: int) -> Cell:
        generator = random.Random(seed)
        order: list[int] = []
        while len(order) < len(cell.nodes):
            ready = [
                number
                for number, node in cell.numbered()
                if number not in order
                and all(r.delayed or r.node == 0 or r.node in order for r in node.inputs)
            ]
            order.append(generator.choice(ready))
        new = {0: 0} | {old: at for at, old in enumerate(order, 1)}
        nodes = [
            Node(operation, tuple(Ref(new[r.node], r.delayed) for r in inputs))
            for operation, inputs in (cell.nodes[old - 1] for old in order)
        ]
        nodes.append(Node(nodes[0].operation, nodes[0].inputs))
        return Cell(tuple(nodes), new[cell.out])

    return other
