"""What tests of predictors share: cells at random."""

from __future__ import annotations

import random

import pytest

from layerwise.encoders.search.space.grammar import Cell
from layerwise.encoders.search.space.sampling import ALL, RECURRENT, Space, sample_distinct


@pytest.fixture(scope="session")
def cells() -> list[Cell]:
    """Recurrent cells of 3 to 9 nodes, all different."""
    space = Space(RECURRENT, fewest=3, most=9)
    return sample_distinct(space, random.Random(0), 120)


@pytest.fixture(scope="session")
def any_cells() -> list[Cell]:
    """Cells of all operations."""
    return sample_distinct(Space(ALL, fewest=2, most=8), random.Random(1), 40)
