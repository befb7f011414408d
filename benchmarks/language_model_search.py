"""Ten queries on NAS-Bench-201: a character language model, its controls and its rivals.

    LAYERWISE_DATA=... OMP_NUM_THREADS=1 python benchmarks/language_model_search.py [--seeds 10]

Test accuracy on CIFAR-10 (per cent) of the candidate that is best on validation data among those
that an arm queried: the mean over seeds and a 95 % interval of the mean by Student's t. The
character model of a seed has read ``--sample`` random candidates with their validation accuracies
and is asked through the OpenAI chat API; so the fair rival is the best of that sample, in its own
row. Evolution has a population of 4 and tournaments of 2, for with its own 20 ten queries are ten
random ones. Four CPU seconds a seed.

GPT-4's published figure with ten queries is 93.79 (GENIUS, Zheng et al. 2023, arXiv 2304.10970).
The character model heeds no numbers and reads no description, so at temperature 0 its controls must
equal it: what it reaches is knowledge, not optimisation.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from scipy import stats

from layerwise.encoders.search.language_model.character_model import train_character_model
from layerwise.encoders.search.language_model.server import NAME, serving
from layerwise.encoders.search.language_model.strategy import LanguageModelSearch
from layerwise.encoders.search.protocols import Estimate, Strategy
from layerwise.encoders.search.strategies.evolution import Evolution
from layerwise.encoders.search.strategies.random_search import RandomSearch
from layerwise.encoders.search.tables.nasbench_201 import NasBench201, nasbench_201

CONTROLS: dict[str, dict[str, Any]] = {
    "language model": {},
    "  shuffled feedback": {"feedback": "shuffled"},
    "  anonymous operations": {"operations": "anonymous"},
    "  temperature 1": {"temperature": 1.0},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Ten queries on NAS-Bench-201.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--queries", type=int, default=10)
    parser.add_argument("--sample", type=int, default=500)
    asked = parser.parse_args()
    torch.set_num_threads(1)

    space = nasbench_201()
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(asked.seeds):
        for arm, accuracy in arms(space, seed, asked.queries, asked.sample).items():
            found[arm].append(accuracy)
    # Cheap arms get more seeds.
    for seed in range(asked.seeds, 500):
        for arm, queried in rivals(space, seed, asked.queries).items():
            found[arm].append(accuracy_of(space, queried))
    print(f"{asked.queries} queries, characters of {asked.sample} scored candidates")
    print(f"{'arm':40} {'seeds':>5} {'test':>6}  95 % interval")
    for arm, accuracies in found.items():
        mean, low, high = interval(accuracies)
        print(f"{arm:40} {len(accuracies):5} {mean:6.2f}  {low:.2f} to {high:.2f}")


def arms(space: NasBench201, seed: int, queries: int, size: int) -> dict[str, float]:
    """The accuracy of each arm for one seed."""
    sample = draw(space, seed, size)
    model = train_character_model(sample, [space.runs(name)[0] for name in sample], seed=seed)
    queried = rivals(space, seed, queries)
    with serving(model) as address, tempfile.TemporaryDirectory() as folder:
        for arm, options in CONTROLS.items():
            search = LanguageModelSearch(
                space,
                seed=seed,
                evaluations=queries,
                base_url=address,
                model=NAME,
                transcript=Path(folder) / f"{len(queried)}.jsonl",
                **options,
            )
            queried[arm] = run(search, space, queries)
    named = [name for name in queried["language model"] if name not in set(sample)]
    queried["  its queries that the sample lacks"] = named or queried["language model"][:1]
    queried[f"best of the {size} it has read"] = sample
    return {arm: accuracy_of(space, names) for arm, names in queried.items()}


def rivals(space: NasBench201, seed: int, queries: int) -> dict[str, list[str]]:
    """What the strategies query that have seen nothing."""
    return {
        f"random {queries}": run(RandomSearch(space, seed, queries), space, queries),
        f"evolution {queries}": run(
            Evolution(space, seed, queries, population=4, tournament=2), space, queries
        ),
    }


def draw(space: NasBench201, seed: int, size: int) -> list[str]:
    """Different candidates at random."""
    generator = random.Random(f"sample {seed}")
    found: dict[str, None] = {}
    while len(found) < size:
        found[space.sample(generator)] = None
    return list(found)


def run(strategy: Strategy, space: NasBench201, queries: int) -> list[str]:
    """The candidates that a strategy queries when it is told their losses on validation data."""
    found: list[str] = []
    while len(found) < queries and (trial := strategy.ask()) is not None:
        found.append(trial.candidate)
        strategy.tell(trial, Estimate(tuple(space.runs(trial.candidate))))
    return found


def accuracy_of(space: NasBench201, queried: Sequence[str]) -> float:
    """Test accuracy in per cent of the best by validation."""
    best = min(queried, key=lambda name: space.runs(name)[0])
    return 100 * (1 - space.test_runs(best)[0])


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and its 95 % interval by Student's t."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    width = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return mean, mean - width, mean + width


if __name__ == "__main__":
    main()
