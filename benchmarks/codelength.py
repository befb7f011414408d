"""A full layer with its code lengths: every probe on everything and on ten prefixes.

    OMP_NUM_THREADS=1 python benchmarks/codelength.py [--rows N]

CPU seconds on one thread, each way once. ``README.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from solver import L2, STACKED, fitted
from threadpoolctl import threadpool_limits
from words import Array, Ints, Words, load

from layerwise.probes.codelength import FRACTIONS
from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.solver import TOLERANCE
from layerwise.suite.coding import TOLERANCE as OF_PREFIXES


class Layer:
    """The rows of a layer in an order of their own, and where the prefixes end."""

    def __init__(self, words: Words, rows: int | None) -> None:
        array: Array = words.layers[0][:rows]
        order = np.random.default_rng(0).permutation(len(array))
        self.array = np.ascontiguousarray(array[order])
        self.labels: Ints = words.problems(STACKED, len(array))[:, order]
        self.classes = words.classes
        self.moments = Moments.of_rows(self.array)
        self.ready = self.moments.standardise(self.array).astype(np.float32)
        self.ends = [round(len(array) * share / 100) for share in FRACTIONS]

    def ours(self, end: int) -> None:
        """All problems under all L2 on the first rows, in one stack."""
        whole = end == len(self.array)
        design = DenseDesign(self.array, self.moments)
        if not whole:
            design = design.take(torch.arange(end))
        labels = np.unique(self.labels[:, :end], return_inverse=True)[1].reshape(STACKED, end)
        fitted(design, labels, int(labels.max()) + 1, TOLERANCE if whole else OF_PREFIXES)

    def sklearn(self, problem: int, end: int) -> None:
        """One problem under all L2 on the first rows, a classifier after another."""
        for value in L2:
            model = LogisticRegression(C=1 / value, max_iter=10_000)
            model.fit(self.ready[:end], self.labels[problem, :end])


def seconds(work: Callable[[], None]) -> float:
    """CPU seconds that the work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Measure, and print a line for each prefix and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="gum", help="a corpus, or a folder with one")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--rows", type=int, help="only the first so many words")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        layer = Layer(load(asked.data, [asked.layer]), asked.rows)
        print(f"{STACKED} problems x {len(L2)} values of L2, {layer.array.shape[1]} features")
        print("    rows  ours, all  scikit-learn: task  a control  all   speed-up")
        totals = np.zeros(2)
        for end in layer.ends:
            ours = seconds(partial(layer.ours, end))
            task, control = (seconds(partial(layer.sklearn, problem, end)) for problem in (0, 1))
            everything = task + (STACKED - 1) * control
            totals += ours, everything
            print(
                f"{end:8,}{ours:11.1f}{task:20.1f}{control:11.1f}{everything:8.0f}"
                f"{everything / ours:10.1f}x",
                flush=True,
            )
        print(f"{'all':>8}{totals[0]:11.1f}{'':31}{totals[1]:8.0f}{totals[1] / totals[0]:10.1f}x")


if __name__ == "__main__":
    main()
