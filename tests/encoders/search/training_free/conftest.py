"""What tests of scores share: recordings of small untrained cells."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.training_free.probe_batch import random_batch
from layerwise.encoders.search.training_free.recording import Recording, record

Record = Callable[..., Recording]


@pytest.fixture(scope="session")
def recorded() -> Record:
    """A recording of a cell that is named or written, of random words."""

    def make(
        cell: str, *, dim: int = 8, layers: int = 2, batch: int = 6, time: int = 5, seed: int = 0
    ) -> Recording:
        words = random_batch(batch, time, seed=seed)
        return record(read_cell(cell), words, dim=dim, layers=layers, seed=seed)

    return make
