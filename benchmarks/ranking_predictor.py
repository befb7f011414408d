"""How well predictors rank the cells of NAS-Bench-NLP, and what a search gains by them.

    python benchmarks/ranking_predictor.py rank -o ranks.jsonl [--rows trees,forest --cells 50,100]
    python benchmarks/ranking_predictor.py regret -o regrets.jsonl [--seeds 0,1 --noise mean]
    python benchmarks/ranking_predictor.py show -o ranks.jsonl

The table lies below the folder that LAYERWISE_DATA names. A cell's loss is the mean of its finite
final test losses on PTB, over all runs of all writings of its canonical form; of 3,358 trained
cells, 735 diverged in every run and have none, 2,623 are ranked. One half of them, drawn once, was
there to choose features and settings by; every number is of the other half, where a seed draws the
cells to fit to and the rest are ranked. A search goes over all 2,623. Each line of results is kept
as it is had, and what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau

from layerwise.core.files import append_line, canonical_json
from layerwise.encoders.search.predictor.fit import RankingPredictor
from layerwise.encoders.search.predictor.forest import ForestPredictor
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import Cell, parse

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

HALVES = 12345  # the seed that parts the cells to choose by from those to report on


class Predictor(Protocol):
    """What is compared."""

    def fit(self, cells: Sequence[Cell], losses: Sequence[float]) -> object:
        """Fit to cells and losses."""
        ...

    def predict(self, cells: Sequence[Cell]) -> Doubles:
        """The lower the better."""
        ...


PREDICTORS: dict[str, Callable[[int], Predictor]] = {
    "forest": lambda seed: ForestPredictor(seed=seed),
    "forest+costs": lambda seed: ForestPredictor("structure", seed=seed),
    "trees": lambda seed: RankingPredictor(seed=seed),
    "trees-squared": lambda seed: RankingPredictor(loss="squared", seed=seed),
    "trees-counts": lambda seed: RankingPredictor(features="counts", seed=seed),
    "trees+propagation": lambda seed: RankingPredictor(features="propagation", seed=seed),
    "graph": lambda seed: RankingPredictor("graph", members=1, seed=seed),
    "graph-squared": lambda seed: RankingPredictor("graph", "squared", members=1, seed=seed),
    "convolution": lambda seed: RankingPredictor("convolution", members=1, seed=seed),
    "convolution-squared": lambda seed: RankingPredictor(
        "convolution", "squared", members=1, seed=seed
    ),
}
"""Boosted trees are of five members; networks, which take longer, of one that sees 80 %."""


def load() -> tuple[list[Cell], Doubles, list[Doubles]]:
    """The cells in the order of their writings, their mean losses and all their finite losses."""
    folder = Path(os.environ["LAYERWISE_DATA"]) / "nas"
    architectures = pd.read_parquet(folder / "archs.parquet", columns=["arch", "cell"])
    runs = pd.read_parquet(folder / "ptb_runs.parquet", columns=["arch", "ptb_test_loss_final"])
    texts = [str(canonical(parse(text))) for text in architectures["cell"]]
    named = dict(zip(architectures["arch"], texts, strict=True))
    losses: dict[str, list[float]] = defaultdict(list)
    for name, loss in zip(runs["arch"], runs["ptb_test_loss_final"], strict=True):
        if np.isfinite(loss):
            losses[named[name]].append(loss)
    order = sorted(losses)
    every = [np.array(losses[text]) for text in order]
    return [parse(text) for text in order], np.array([each.mean() for each in every]), every


def rank(asked: argparse.Namespace) -> None:
    """Fit and rank, for each predictor, number of cells and seed that is not there yet."""
    cells, losses, _ = load()
    halves = np.random.default_rng(HALVES).permutation(len(cells))
    reported = halves[len(cells) // 2 :]
    done = {(line["predictor"], line["cells"], line["seed"]) for line in _lines(asked.output)}
    for seed in asked.seeds:
        drawn = np.random.default_rng(seed).permutation(reported)
        for name in asked.rows:
            for count in asked.cells:
                if (name, count, seed) in done:
                    continue
                started = time.process_time()
                predictor = PREDICTORS[name](seed)
                known, rest = drawn[:count], drawn[count:]
                predictor.fit([cells[i] for i in known], losses[known].tolist())
                scores = predictor.predict([cells[i] for i in rest])
                best = np.argsort(losses[rest])[: len(rest) // 10]
                line = {
                    "predictor": name,
                    "cells": count,
                    "seed": seed,
                    "tau": _tau(scores, losses[rest]),
                    "tau_best_tenth": _tau(scores[best], losses[rest][best]),
                    "seconds": round(time.process_time() - started, 2),
                }
                append_line(asked.output, canonical_json(line))


def _tau(scores: Doubles, losses: Doubles) -> float:
    return float(kendalltau(scores, losses)[0])


PLANS = {110: (40, 10), 434: (44, 30)}  # evaluations: how many at random first, then by round


def regret(asked: argparse.Namespace) -> None:
    """Searches over all cells; random ones go the same way, evaluations and noise alike.

    An evaluation is the mean of the cell's runs, or one run drawn of them. The cell of the lowest
    loss seen is chosen; the regret is its mean loss over that of the best cell, in nats.
    """
    cells, losses, every = load()
    done = {
        (line["way"], line["evaluations"], line["noise"], line["seed"])
        for line in _lines(asked.output)
    }
    for seed in asked.seeds:
        for evaluations, (first, by_round) in PLANS.items():
            for noise in asked.noise:
                generator = np.random.default_rng(seed)
                seen = losses if noise == "mean" else _one_run(every, generator)
                order = generator.permutation(len(cells))
                for way in ("random", "iterated"):
                    if (way, evaluations, noise, seed) in done:
                        continue
                    known = order[: first if way == "iterated" else evaluations]
                    while len(known) < evaluations:
                        known = _more(cells, seen, known, min(by_round, evaluations - len(known)))
                    chosen = known[np.argmin(seen[known])]
                    line = {
                        "way": way,
                        "evaluations": evaluations,
                        "noise": noise,
                        "seed": seed,
                        "regret": float(losses[chosen] - losses.min()),
                    }
                    append_line(asked.output, canonical_json(line))


def _one_run(every: list[Doubles], generator: np.random.Generator) -> Doubles:
    return np.array([generator.choice(each) for each in every])


def _more(cells: list[Cell], seen: Doubles, known: Ints, count: int) -> Ints:
    """What is known, and the cells that are predicted best among the rest."""
    predictor = RankingPredictor(members=2, seed=len(known))
    predictor.fit([cells[i] for i in known], seen[known].tolist())
    rest = np.setdiff1d(np.arange(len(cells)), known)
    scores = predictor.predict([cells[i] for i in rest])
    return np.concatenate([known, rest[np.argsort(scores, kind="stable")[:count]]])


def expected_regret(losses: Doubles, draws: int) -> float:
    """The mean regret of the best of ``draws`` different cells at random, exactly."""
    ordered = np.sort(losses)
    total, left = 0.0, 1.0  # the chance that none of the better ones is drawn
    for index, loss in enumerate(ordered[: len(ordered) - draws + 1]):
        share = draws / (len(ordered) - index)  # that this one is, then
        total += left * share * (loss - ordered[0])
        left *= 1 - share
    return total


def show(asked: argparse.Namespace) -> None:
    """The tables of a file of results."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in _lines(asked.output):
        keys = ("predictor", "cells") if "predictor" in line else ("way", "noise", "evaluations")
        groups[tuple(line[key] for key in keys)].append(line)
    for key, lines in sorted(groups.items(), key=str):
        name = " ".join(map(str, key))
        told = [
            f"{measure} {np.mean(values):.3f} +- {np.std(values, ddof=min(1, len(values) - 1)):.3f}"
            for measure in ("tau", "tau_best_tenth", "regret")
            if (values := [line[measure] for line in lines if measure in line])
        ]
        print(f"{name:30} {len(lines):3} seeds  {'  '.join(told)}")
    if any("regret" in line for lines in groups.values() for line in lines):
        losses = load()[1]
        for draws in (10, *PLANS):
            print(f"random {draws}, mean, exactly: regret {expected_regret(losses, draws):.3f}")


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Read what is asked for, and do it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rank", "regret", "show"])
    parser.add_argument("-o", "--output", type=Path, required=True, help="results, a line each")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[*PREDICTORS])
    parser.add_argument(
        "--cells", type=lambda text: [int(n) for n in text.split(",")], default=[50, 100, 424, 1000]
    )
    parser.add_argument(
        "--seeds", type=lambda text: [int(n) for n in text.split(",")], default=[*range(10)]
    )
    parser.add_argument("--noise", type=lambda text: text.split(","), default=["mean", "run"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    {"rank": rank, "regret": regret, "show": show}[asked.what](asked)


if __name__ == "__main__":
    main()
