"""What a gradient pass over pairs costs: rows kept in memory, formed in each pass, or factored.

    python benchmarks/pairs.py

CPU seconds on one thread, medians of repeats that take turns; about two minutes. The rules in
``probes.pairs`` are read off this table.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from layerwise.probes.base import Features
from layerwise.probes.design import DenseDesign, DenseSweep, Design, Moments, Sweep
from layerwise.probes.pairs import FactoredSweep, PairDesign, PairSweep, pair_moments
from layerwise.probes.spans import pair_features

SPANS, DIM = 24_000, 384
PAIRS = (25_000, 100_000, 200_000)
COLUMNS = (1, 16, 50, 300)
REPEATS = 3

T = TypeVar("T")
Start = Callable[[torch.Tensor, torch.Tensor], Sweep]


def main() -> None:
    """Print one line a number of pairs and columns."""
    torch.set_num_threads(1)
    generator = np.random.default_rng(0)
    spans = generator.normal(size=(SPANS, DIM)).astype(np.float32)
    print(
        f"{SPANS:,} spans, {DIM} dimensions; CPU seconds, MB beside the spans' {_mb(spans.nbytes)}"
    )
    print("  pairs  columns    kept  formed  factored   MB kept  MB factored")
    for count in PAIRS:
        pairs = generator.integers(0, SPANS, size=(count, 2))
        moments, finding = _timed(lambda pairs=pairs: pair_moments(spans, pairs))
        formed, forming = _timed(lambda p=pairs, m=moments: PairDesign(spans, p, m, in_memory=0))
        kept, keeping = _timed(lambda p=pairs, m=moments: _written_out(spans, p, m))
        for columns in COLUMNS:
            ways: list[tuple[Design, Start]] = [
                (kept, lambda w, b, d=kept: DenseSweep(d, w, b)),
                (formed, lambda w, b, d=formed: PairSweep(d, w, b)),
                (formed, lambda w, b, d=formed: FactoredSweep(d, w, b)),
            ]
            seconds = _passes(ways, columns)
            size = 4 * formed.dtype.itemsize * SPANS * columns
            print(
                f"{count:7,} {columns:8}" + "".join(f"{each:8.3f}" for each in seconds[:2]),
                f"{seconds[2]:9.3f} {_mb(4 * count * 4 * DIM):>9} {_mb(size):>12}",
                flush=True,
            )
        print(
            f"{count:7,} pairs: moments {finding:.2f} s; building {keeping:.2f} s, rows kept;",
            f"{forming:.2f} s, rows formed",
        )


def _written_out(spans: Features, pairs: NDArray[np.int64], moments: Moments) -> DenseDesign:
    rows = pair_features(spans[pairs[:, 0]], spans[pairs[:, 1]])
    return DenseDesign(rows, moments, in_memory=2**40)


def _passes(ways: list[tuple[Design, Start]], columns: int) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(columns, 4 * DIM, generator=generator) / DIM
    intercepts = torch.zeros(columns)
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(REPEATS):
        for found, (design, start) in zip(seconds, ways, strict=True):
            found.append(_timed(lambda d=design, s=start: _pass(d, s(weights, intercepts)))[1])
    return [statistics.median(found) for found in seconds]


def _pass(design: Design, sweep: Sweep) -> torch.Tensor:
    for rows in design.parts():
        sweep.add(rows, sweep.logits(rows))
    return sweep.gradient()


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    return work(), time.process_time() - started


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}"


if __name__ == "__main__":
    main()
