"""What tests of searches share: other writings of a cell."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from layerwise.encoders.search.space.grammar import Cell, Node, Ref

Rewrite = Callable[[Cell, int], Cell]


@pytest.fixture(scope="session")
def rewrite() -> Rewrite:
    """Writes a cell otherwise: other numbers, commutative inputs in another order, a dead node."""

    def other(cell: Cell, seed: int) -> Cell:
        rng = random.Random(seed)
        order: list[int] = []
        while len(order) < len(cell.nodes):
            ready = [
                number
                for number, node in cell.numbered()
                if number not in order
                and all(r.delayed or r.node == 0 or r.node in order for r in node.inputs)
            ]
            order.append(rng.choice(ready))
        dead = rng.randint(1, len(order) + 1)  # its number
        new = {0: 0} | {old: at + (at >= dead) for at, old in enumerate(order, 1)}
        nodes = []
        for old in order:
            operation, inputs = cell.nodes[old - 1]
            moved = [Ref(new[r.node], r.delayed) for r in inputs]
            if operation.letter != "b":
                rng.shuffle(moved)
            nodes.append(Node(operation, tuple(moved)))
        reads = Ref(rng.randrange(dead)) if rng.random() < 0.5 else Ref(dead, delayed=True)
        nodes.insert(
            dead - 1,
            Node(cell.nodes[0].operation._replace(letter="t", number=0, second=0), (reads,)),
        )
        return Cell(tuple(nodes), new[cell.out])

    return other
