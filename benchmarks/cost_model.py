"""How well costs are told from descriptions: HAT's tables, a new device, cells of ours.

    python benchmarks/cost_model.py hat
    python benchmarks/cost_model.py transfer
    python benchmarks/cost_model.py measure -o times.jsonl [--cells 200 --seed 0]
    python benchmarks/cost_model.py cells times.jsonl [--cost processor --dim 32 --length 128]

HAT's eight tables lie below the folder that LAYERWISE_DATA names: the cost is the latency of an
encoder and its decoder together, in milliseconds. Every number is of rows that were not fitted to,
by five or ten folds drawn once. The rivals are straight lines through one count, in logarithms.
``measure`` times one layer of cells that are drawn, at widths, lengths and batches that are drawn.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau

from layerwise.core.files import append_line, canonical_json
from layerwise.encoders.cell_execution import CellLayer
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.cost_features import (
    HAT_COLUMNS,
    MULTIPLICATIONS,
    WEIGHTS,
    Features,
    Shape,
    cell_features,
    transformer_features,
)
from layerwise.encoders.search.cost_model import CostModel
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.tables.parquet import read_columns

Doubles = NDArray[np.float64]

CONFIDENCE = 0.9
MOVES = (
    ("wmt14ende_cpu_xeon", "wmt14ende_cpu_raspberrypi"),
    ("wmt14ende_gpu_titanxp", "wmt14ende_cpu_raspberrypi"),
    ("wmt14ende_cpu_raspberrypi", "wmt14ende_cpu_xeon"),
    ("wmt14ende_cpu_xeon", "wmt14ende_gpu_titanxp"),
    ("wmt14enfr_cpu_xeon", "wmt14enfr_cpu_raspberrypi"),
    ("wmt14enfr_gpu_titanxp", "wmt14enfr_cpu_xeon"),
    ("wmt14enfr_cpu_raspberrypi", "wmt14enfr_gpu_titanxp"),
)
"""From the device whose table is known whole to the one with few measurements."""


class Found(NamedTuple):
    """Of rows that were not fitted to."""

    median_error: float  # share of the cost
    mean_error: float
    within_tenth: float
    tau: float
    covered: float

    def __str__(self) -> str:
        return (
            f"{100 * self.median_error:8.2f}{100 * self.mean_error:8.2f}"
            f"{100 * self.within_tenth:8.1f}{self.tau:8.3f}{100 * self.covered:8.1f}"
        )


HEAD = f"{'median':>8}{'mean':>8}{'in 10 %':>8}{'tau':>8}{'covered':>8}"


def judged(said: Doubles, true: Doubles, low: Doubles, high: Doubles) -> Found:
    """Errors relative to the cost, Kendall's tau-b, and how often the interval had it."""
    error = np.abs(said / true - 1)
    return Found(
        float(np.median(error)),
        float(error.mean()),
        float((error <= 0.1).mean()),
        float(kendalltau(said, true).statistic),
        float(((low <= true) & (true <= high)).mean()),
    )


def line(name: str) -> Callable[[list[Features], Doubles, list[Features]], Doubles]:
    """A rival: log cost as a straight line in the logarithm of one count."""

    def fit_and_tell(known: list[Features], costs: Doubles, new: list[Features]) -> Doubles:
        x, z = (np.log1p([each.get(name, 0) for each in every]) for every in (known, new))
        slope, start = np.polyfit(x, np.log(costs), 1)
        told: Doubles = np.exp(start + slope * z)
        return told

    return fit_and_tell


RIVALS = {"multiplications": line(MULTIPLICATIONS), "weights": line(WEIGHTS)}


def cross_validated(features: list[Features], costs: Doubles, folds: int) -> dict[str, Found]:
    """The model and its rivals on the parts that each was not fitted to."""
    part = np.random.default_rng(0).permutation(len(costs)) % folds
    said = {name: np.empty(len(costs)) for name in ("model", *RIVALS)}
    low, high = np.empty(len(costs)), np.empty(len(costs))
    for held_out in (part == at for at in range(folds)):
        known = [each for each, out in zip(features, held_out, strict=True) if not out]
        new = [each for each, out in zip(features, held_out, strict=True) if out]
        model = CostModel(folds=5).fit(known, list(costs[~held_out]))
        said["model"][held_out] = model.predict(new)
        low[held_out], high[held_out] = model.interval(new, CONFIDENCE)
        for name, rival in RIVALS.items():
            said[name][held_out] = rival(known, costs[~held_out], new)
    nothing = np.full(len(costs), np.nan)
    return {
        name: judged(each, costs, *((low, high) if name == "model" else (nothing, nothing)))
        for name, each in said.items()
    }


def hat_sets() -> dict[str, tuple[list[Features], Doubles]]:
    """Descriptions and milliseconds by the name of the set."""
    sums = ("latency_mean_encoder", "latency_mean_decoder")
    columns = read_columns("hat_latency.parquet", ["set", *HAT_COLUMNS, *sums])
    names = np.array(columns["set"])
    costs = np.sum([np.array(columns[name], float) for name in sums], axis=0)
    features = [
        transformer_features(dict(zip(HAT_COLUMNS, row, strict=True)))
        for row in zip(*(columns[name] for name in HAT_COLUMNS), strict=True)
    ]
    return {
        str(name): ([features[at] for at in np.flatnonzero(names == name)], costs[names == name])
        for name in np.unique(names)
    }


def hat() -> None:
    """Each set by itself, by five folds."""
    print(f"{'set':28}{'by':18}{HEAD}")
    for name, (features, costs) in hat_sets().items():
        for by, found in cross_validated(features, costs, 5).items():
            print(f"{name:28}{by:18}{found}", flush=True)


def transfer(draws: int = 5) -> None:
    """From one device to another with few measurements, the rest of its table to be told."""
    sets = hat_sets()
    print(f"{'from':28}{'to':28}{'rows':>5} {'by':12}{HEAD}")
    for known, new in MOVES:
        source = CostModel(folds=2).fit(sets[known][0], list(sets[known][1]))
        features, costs = sets[new]
        for count in (10, 50):
            found: dict[str, list[Found]] = {"source": [], "alone": []}
            for draw in range(draws):
                few = np.zeros(len(costs), bool)
                few[np.random.default_rng(draw).permutation(len(costs))[:count]] = True
                few_of = [features[at] for at in np.flatnonzero(few)]
                rest = [features[at] for at in np.flatnonzero(~few)]
                for by in found:
                    model = CostModel(source=source if by == "source" else None)
                    model.fit(few_of, list(costs[few]))
                    bounds = model.interval(rest, CONFIDENCE)
                    found[by].append(judged(model.predict(rest), costs[~few], *bounds))
            for by, each in found.items():
                mean = Found(*np.mean(each, axis=0))
                print(f"{known:28}{new:28}{count:5} {by:12}{mean}", flush=True)


def cells(paths: Sequence[Path], cost: str, shape: Shape) -> None:
    """Lines of ``measure`` or of `probe nas-probe`, whose cells have ``shape``; ten folds."""
    rows = [json.loads(text) for path in paths for text in path.read_text().splitlines()]
    timed = [row for row in rows if "latency" in row]
    features = [
        cell_features(parse(row["cell"]), Shape(**row.get("shape", shape._asdict())))
        for row in timed
    ]
    costs = np.array(
        [
            row["train_seconds"]["processor"] if cost == "training" else row["latency"][cost]
            for row in timed
        ]
    )
    print(f"{len(costs)} cells, {cost}\n{'by':18}{HEAD}")
    for by, found in cross_validated(features, costs, 10).items():
        print(f"{by:18}{found}")


def measure(path: Path, count: int, seed: int, passes: int = 9) -> None:
    """One layer of each cell in one thread: milliseconds of the clock and of the processor.

    The passes are in three rounds, so that one disturbance does not hit all of a cell's.
    """
    torch.set_num_threads(1)
    rng, space = random.Random(seed), cell_space()
    drawn = []
    while len(drawn) < count:
        cell = parse(space.sample(rng))
        dim, length, batch = (rng.choice(of) for of in ((32, 64, 128), (32, 64, 128), (1, 4)))
        drawn.append((cell, Shape(dim=dim, layers=1, length=length, batch=batch, directions=1)))
    clock: list[list[float]] = [[] for _ in drawn]
    processor: list[list[float]] = [[] for _ in drawn]
    for _ in range(3):
        for at, (cell, shape) in enumerate(drawn):
            layer = CellLayer(cell, shape.dim).eval()
            words = torch.randn(shape.batch, shape.length, shape.dim)  # (batch, time, dim)
            with torch.inference_mode():
                layer(words)
                for _ in range(passes):
                    begun, worked = time.perf_counter(), time.thread_time()
                    layer(words)
                    processor[at].append(1e3 * (time.thread_time() - worked))
                    clock[at].append(1e3 * (time.perf_counter() - begun))
    for (cell, shape), times, works in zip(drawn, clock, processor, strict=True):
        row: dict[str, Any] = {
            "cell": str(cell),
            "shape": shape._asdict(),
            "latency": {
                "median": median(times),
                "least": min(times),
                "processor": median(works),
                "least processor": min(works),
            },
        }
        append_line(path, canonical_json(row))


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("hat")
    parts.add_parser("transfer")
    timing = parts.add_parser("measure")
    timing.add_argument("-o", "--output", type=Path, required=True)
    timing.add_argument("--cells", type=int, default=200)
    timing.add_argument("--seed", type=int, default=0)
    ours = parts.add_parser("cells")
    ours.add_argument("files", type=Path, nargs="+")
    ours.add_argument("--cost", default="processor")
    ours.add_argument("--dim", type=int, default=32)
    ours.add_argument("--layers", type=int, default=2)
    ours.add_argument("--length", type=int, default=128)
    given = parser.parse_args()
    if given.part == "hat":
        hat()
    elif given.part == "transfer":
        transfer()
    elif given.part == "measure":
        measure(given.output, given.cells, given.seed)
    else:
        cells(given.files, given.cost, Shape(given.dim, given.layers, given.length))


if __name__ == "__main__":
    main()
