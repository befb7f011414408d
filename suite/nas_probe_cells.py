"""The cells of NAS-Probe: a stratified draw of the open space, and the named ones as landmarks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ..encoders.search.space.aliases import ALIASES, read_cell
from ..encoders.search.space.canonical import canonical, short_id
from ..encoders.search.space.sampling import Space, sample

FEWEST, MOST = 2, 12


class NamedCell(NamedTuple):
    """A canonical cell, its short id, and its name where it has one, else ``""``."""

    id: str
    cell: str
    name: str = ""


def draw_cells(count: int, seed: int) -> list[NamedCell]:
    """``count`` distinct cells. More of them begin with the same ones: a table can grow.

    They come in rounds: in each, one cell of each size from ``FEWEST`` to ``MOST`` nodes (all
    operations, ``sampling.sample``) and one named cell while there are any, in a drawn order. So
    any first part of the draw is a fair one.
    """
    return list(islice(_rounds(random.Random(seed)), count))


def _rounds(generator: random.Random) -> Iterator[NamedCell]:
    named = []
    for name, text in ALIASES.items():
        cell = canonical(read_cell(text))
        named.append(NamedCell(short_id(cell), str(cell), name))
    generator.shuffle(named)
    met = {each.id for each in named}
    while True:
        drawn = [_unmet(nodes, generator, met) for nodes in range(FEWEST, MOST + 1)]
        together = [*drawn, *([named.pop()] if named else [])]
        generator.shuffle(together)
        yield from together


def _unmet(nodes: int, generator: random.Random, met: set[str]) -> NamedCell:
    space = Space(fewest=nodes, most=nodes)
    while True:
        cell = sample(space, generator)
        name = short_id(cell)
        if name not in met:
            met.add(name)
            return NamedCell(name, str(cell))
