"""Scores of NAS-Probe's cells that take no training: a second pass, resumable as the first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core import files, progress
from ..encoders.search.space.grammar import parse
from ..encoders.search.training_free.probe_batch import ProbeBatch, text_batch
from ..encoders.search.training_free.recording import record
from ..encoders.search.training_free.scores import SCORES, value
from ..results.nas_probe_table import SCORE_LINES, read_lines
from .nas_probe_cells import NamedCell

SEEDS = 3
NARROW = ("naswot", "naswot-preactivation")
"""The scores that read narrow word vectors, as the estimator ``naswot`` does; the others read
those of unit variance, as ``training-free`` does."""


def evaluate(
    cells: Sequence[NamedCell], text: Sequence[Path], folder: Path
) -> Iterator[dict[str, Any]]:
    """Score the cells that have no line with all scores yet; give each line when it is written.

    A score is the mean over ``SEEDS`` draws of the weights, at the sizes of the estimator
    ``training-free``; None where a draw has none.
    """
    path = folder / SCORE_LINES
    known = {line["id"] for line in read_lines(path) if SCORES.keys() <= line["scores"].keys()}
    missing = [each for each in cells if each.id not in known]
    if not missing:
        return
    batch = text_batch(text)
    for each in progress.track(missing, "scores", len(missing)):
        line = {"id": each.id, "seeds": SEEDS, "scores": scores_of(each.cell, batch)}
        files.append_line(path, files.canonical_json(line))
        yield line


def scores_of(cell: str, batch: ProbeBatch) -> dict[str, float | None]:
    """All scores of a cell, the higher the better."""
    found: dict[str, list[float]] = {name: [] for name in SCORES}
    for seed in range(SEEDS):
        unit = record(parse(cell), batch, seed=seed)
        narrow = record(parse(cell), batch, seed=seed, spread="narrow")
        for name, score in SCORES.items():
            found[name].append(value(score, narrow if name in NARROW else unit))
    return {name: _mean(values) for name, values in found.items()}


def _mean(values: Sequence[float]) -> float | None:
    mean = float(np.mean(values))
    return float(f"{mean:.9g}") if math.isfinite(mean) else None
