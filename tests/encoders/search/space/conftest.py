"""What tests of the space share: the published recipes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest


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
