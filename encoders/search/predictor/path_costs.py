"""What the cheapest way through a cell costs, from a word to the output, now and some words later.

A gradient flows back where some path passes few operations that squash or bend it: a highway. Which
paths a cell has is told by shortest paths (in the algebra of minimum and plus), one for each thing
that a way through an operation can cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..space.canonical import canonical
from ..space.grammar import Cell
from .structure import Edge, edges

Doubles = NDArray[np.float64]

COSTS: dict[str, dict[str, float]] = {
    # The gate of a blend is written b1: a way through it is another than through what it weighs.
    "bends": {
        **dict.fromkeys(("t", "s", "m", "b1", "A", "E", "Y"), 1.0),
        **dict.fromkeys(("u", "b", "r", "g", "q", "n"), 0.3),
    },
    "squashes": dict.fromkeys(("t", "s", "b1", "E"), 1.0),
    "sigmoids": {"s": 1.0},
    "maps": dict.fromkeys(("L", "K", "A", "G"), 1.0),
    "edges": {},  # 1 for each
    "products": dict.fromkeys(("m", "b1", "E"), 1.0),
}
"""What going into an operation costs, by its letter, in each of the counts; 0 if none is named."""

_LAGS = (0, 1, 2, 4)  # words between a word and the output
_STEADY = (3, 6)  # the lags between which the cost of one more word is measured
_FAR = 30.0  # stands for no way at all; more than any way costs within these lags


NAMES = (
    *(
        f"{cost} {what}"
        for cost in COSTS
        for what in (*(f"lag {lag}" for lag in _LAGS), "per word", "longest")
    ),
    "paths",
    "nodes",
    "edges",
    "delayed edges",
    "delayed nodes",
    "reads of the output before",
    "reads of the input",
)


def path_costs(cell: Cell) -> Doubles:
    """The numbers of ``NAMES`` for a cell, whatever its numbering.

    For each of ``COSTS``: of the cheapest way from a word to the output 0, 1, 2 and 4 words later;
    what each word more adds in the long run; and of the dearest way within a word (-1 for none).
    ``paths`` is log(1 + number of ways within a word), the rest are counts.
    """
    cell = canonical(cell)
    every = list(edges(cell))
    found: list[float] = []
    for cost in COSTS:
        by_lag = _cheapest(cell, every, cost)
        first, last = _STEADY
        found += [by_lag[lag] for lag in _LAGS]
        found += [(by_lag[last] - by_lag[first]) / (last - first), _dearest(cell, every, cost)]
    found += [
        np.log1p(_ways(cell, every)),
        len(cell.nodes),
        len(every),
        sum(edge.delayed for edge in every),
        len({edge.read for edge in every if edge.delayed}),
        sum(edge.delayed and edge.read == cell.out for edge in every),
        sum(edge.read == 0 for edge in every),
    ]
    return np.array(found)


def _price(cell: Cell, edge: Edge, cost: str) -> float:
    if cost == "edges":
        return 1.0
    letter = cell.nodes[edge.reader - 1].operation.letter
    gate = f"{letter}1" if letter == "b" and edge.place == 1 else letter
    return COSTS[cost].get(gate, 0.0)


def _cheapest(cell: Cell, every: list[Edge], cost: str) -> list[float]:
    """From the input to the output, by the number of words between them, 0 to the last lag."""
    count = len(cell.nodes) + 1
    now = np.full((count, count), np.inf)  # (from, to) within a word
    np.fill_diagonal(now, 0)
    for edge in every:
        if not edge.delayed:
            price = _price(cell, edge, cost)
            now[edge.read, edge.reader] = min(now[edge.read, edge.reader], price)
    for middle in range(count):  # Floyd 1962
        now = np.minimum(now, now[:, middle, None] + now[middle])
    later = np.full((count, count), np.inf)  # (from, to) over one delay, then within the word
    for edge in every:
        if edge.delayed:
            way = _price(cell, edge, cost) + now[edge.reader]
            later[edge.read] = np.minimum(later[edge.read], way)
    reached = now[0]  # (nodes,)
    found = [reached[cell.out]]
    for _ in range(_STEADY[1]):
        reached = (reached[:, None] + later).min(axis=0)
        found.append(reached[cell.out])
    return [min(float(each), _FAR) for each in found]


def _dearest(cell: Cell, every: list[Edge], cost: str) -> float:
    dearest = [0.0] + [-np.inf] * len(cell.nodes)
    for edge in every:  # by reader, so that what is read is known
        if not edge.delayed:
            way = dearest[edge.read] + _price(cell, edge, cost)
            dearest[edge.reader] = max(dearest[edge.reader], way)
    return max(dearest[cell.out], -1.0)


def _ways(cell: Cell, every: list[Edge]) -> float:
    ways = [1.0] + [0.0] * len(cell.nodes)
    for edge in every:
        if not edge.delayed:
            ways[edge.reader] += ways[edge.read]
    return ways[cell.out]
