"""Small finite sets of cells."""

from __future__ import annotations

import random

import pytest

from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample_distinct
from layerwise.encoders.search.tables.neighbourhood import CellTable


@pytest.fixture(scope="session")
def thirty() -> CellTable:
    """Thirty different cells of up to 5 nodes."""
    cells = sample_distinct(Space(RECURRENT, most=5), random.Random(0), 30)
    return CellTable("thirty", [str(cell) for cell in cells])
