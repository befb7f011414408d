"""What tests of the space share: the published recipes, and other writings of a cell."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from layerwise.encoders.search.space.grammar import Cell, Node, Ref

Rewrite = Callable[[Cell, int], Cell]


@pytest.fixture(scope="session")
def published() -> list[dict[str, Any]]:
    """The rows of the recovered table of NAS-Bench-NLP; skipped where it is not."""
    named = os.environ.get("LAYERWISE_DATA")
    folder = Path(named) if named else Path(__file__).parents[4].parent / "shared" / "data"
    table = folder / "nas" / "archs.parquet"
    if not table.is_file():
        pytest.skip(f"the real data is not at {folder}; set LAYERWISE_DATA")
    rows: list[dict[str, Any]] = pq.read_table(table).to_pylist()
    return rows


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
