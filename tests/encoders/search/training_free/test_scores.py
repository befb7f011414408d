"""Every score has a number for every kind of cell, and the published ones come back."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.training_free.probe_batch import random_batch
from layerwise.encoders.search.training_free.recording import record
from layerwise.encoders.search.training_free.scores import SCORES, find, value
from layerwise.results.agreement import rho, tau

from .conftest import Record

CELLS = ["lstm", "mingru", "qrnn", "gconv", "attn", "hybrid", "c1/L:0=1", "c1/t:0=1"]


@pytest.mark.parametrize("cell", CELLS)
def test_a_score_is_a_number_or_the_worst_there_is(cell: str, recorded: Record) -> None:
    found = recorded(cell, layers=3)
    for name, score in SCORES.items():
        assert math.isfinite(value(score, found)) or value(score, found) == -math.inf, name


def test_a_cell_that_explodes_has_the_worst_scores(recorded: Record) -> None:
    found = recorded("c1/a:0,@2/m:1,1=2", time=40, layers=3)
    for name in ("rank-and-reach", "hidden-covariance-1", "jacobian-cosine", "memory"):
        assert value(SCORES[name], found) == -math.inf, name


def test_an_unknown_score_is_told_with_those_that_are_near() -> None:
    with pytest.raises(UsageError, match="did you mean synaptic-flow"):
        find("synaptic-flaw", 3)
    with pytest.raises(UsageError, match="hidden-covariance-3 of 2 layers; take 3 or more"):
        find("hidden-covariance-3", 2)


@pytest.fixture(scope="module")
def trained() -> list[dict[str, Any]]:
    """Runs of 40 cells of NAS-Bench-NLP with their published scores; skipped without the data."""
    named = os.environ.get("LAYERWISE_DATA")
    folder = (Path(named) if named else Path(__file__).parents[4].parent / "shared/data") / "nas"
    if not folder.is_dir():
        pytest.skip(f"the real data is not at {folder}; set LAYERWISE_DATA")
    archs = pq.read_table(folder / "archs.parquet", columns=["arch", "cell"]).to_pylist()
    cells = {row["arch"]: row["cell"] for row in archs}
    runs = pq.read_table(folder / "ptb_runs.parquet")
    runs = runs.filter(pc.is_finite(runs["hidden_covariance_l1"]))
    runs = runs.filter(pc.is_finite(runs["ptb_test_loss_final"]))
    by_cell = {cells[row["arch"]]: row for row in runs.to_pylist()}
    chosen = random.Random(0).sample(sorted(by_cell), 40)
    return [{**by_cell[cell], "cell": parse(cell)} for cell in chosen]


def test_scores_follow_those_that_were_published(trained: list[dict[str, Any]]) -> None:
    """Theirs are of 600 channels, other words and another draw of weights."""
    batch = random_batch(20, 30)
    with torch.no_grad():
        found = [record(row["cell"], batch, spread="narrow") for row in trained]
    for name, column, least in (
        ("naswot", "activation_distance_naswot", 0.75),
        ("hidden-covariance-1", "hidden_covariance_l1", 0.75),
        ("hidden-covariance-3", "hidden_covariance_l3", 0.75),
    ):
        ours = [value(SCORES[name], each) for each in found]
        theirs = [row[column] for row in trained]
        assert _rank(ours, theirs) > least, (name, _rank(ours, theirs))


def test_rank_and_reach_ranks_trained_cells(trained: list[dict[str, Any]]) -> None:
    batch = random_batch()
    scores = [value(SCORES["rank-and-reach"], record(row["cell"], batch)) for row in trained]
    losses = [row["ptb_test_loss_final"] for row in trained]
    assert tau(np.array(scores), np.array(losses)) > 0.42


def _rank(ours: list[float], theirs: list[float]) -> float:
    return rho(np.array(ours), -np.array(theirs))
