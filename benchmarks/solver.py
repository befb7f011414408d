"""The solver of the linear probe beside scikit-learn's and a training loop, on real words.

    OMP_NUM_THREADS=1 python benchmarks/solver.py [--comparable] [--adam] [--rows N]

CPU seconds on one thread, medians of repeats that take turns. ``README.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch.nn.functional import cross_entropy
from words import Array, Ints, Words, load

from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.objective import Objective
from layerwise.probes.solver import TOLERANCE, Solution, solve

L2 = tuple(10 ** (k / 2) for k in range(8, 0, -1))
COMPARABLE = (1e2, 1e1)  # the values of L2 at which scikit-learn is asked for more
STACKED = 6
STACKS = (1, 6, 12)  # problems whose pass is timed
EXACT = 1e-5  # its square is the gap of the reference, in float64
SIDE = 2048  # of the matrices whose product is taken for the peak

Floats = NDArray[np.float64]
Weights = dict[float, Floats]  # by L2: (classes, dim + 1), the intercept last


@dataclass
class Way:
    """A way to fit the probes, its times, and what it found for the task."""

    name: str
    fit: Callable[[], tuple[Weights, dict[float, int]]]
    probes: int
    seconds: list[float] = field(default_factory=list)
    weights: Weights = field(default_factory=dict)
    passes: dict[float, int] = field(default_factory=dict)

    def run(self) -> None:
        """Fit once more."""
        started = time.process_time()
        self.weights, self.passes = self.fit()
        self.seconds.append(time.process_time() - started)

    @property
    def each(self) -> float:
        """Seconds a probe."""
        return statistics.median(self.seconds) / self.probes


class Bench:
    """The data in the forms that the ways take."""

    def __init__(self, words: Words, rows: int | None) -> None:
        self.array: Array = words.layers[0][:rows]
        self.labels = words.problems(STACKED, len(self.array))
        self.classes = words.classes
        self.moments = Moments.of_rows(self.array)
        self.ready = self.moments.standardise(self.array).astype(np.float32)
        self.dev: Floats = self.moments.standardise(words.dev_layers[0])
        self.dev_labels = words.dev_labels
        self.stack_passes = 0  # of all problems of the stack

    def ours(self, problems: int) -> tuple[Weights, dict[float, int]]:
        """From the stored vectors: moments and standardising are part of it."""
        design = DenseDesign(self.array, Moments.of_rows(self.array))
        found = fitted(design, self.labels[:problems], self.classes, TOLERANCE)
        self.stack_passes = sum(each.passes for each in found)
        own = [each for each in found if each.problem == 0]
        weights = {each.l2: each.vectors.double().numpy() for each in own}
        return weights, {each.l2: each.passes for each in own}

    def sklearn(self, l2: Sequence[float], tolerance: float) -> tuple[Weights, dict[float, int]]:
        """From rows that are standardised already."""
        weights, passes = {}, {}
        for value in l2:
            model = LogisticRegression(C=1 / value, tol=tolerance, max_iter=10_000)
            model.fit(self.ready, self.labels[0])
            weights[value] = np.hstack([model.coef_, model.intercept_[:, None]]).astype(float)
            passes[value] = int(model.n_iter_[0])
        return weights, passes

    def adam(self) -> tuple[Weights, dict[float, int]]:
        """The loop of NeuroX by default: batches of 32 in order, ten epochs, no L2."""
        torch.manual_seed(0)
        model = torch.nn.Linear(self.ready.shape[1], self.classes)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        x, y = torch.from_numpy(self.ready), torch.from_numpy(self.labels[0])
        epochs = 10
        for _ in range(epochs):
            for start in range(0, len(x), 32):
                loss = cross_entropy(model(x[start : start + 32]), y[start : start + 32])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        weights, intercepts = model.weight.detach().numpy(), model.bias.detach().numpy()
        return {0.0: np.hstack([weights, intercepts[:, None]]).astype(float)}, {0.0: epochs}

    def reference(self) -> Callable[[Weights], dict[float, float]]:
        """Tells the objective's distance from its optimum, as a share, in float64."""
        design = DenseDesign(self.array, self.moments, in_memory=0)
        design.dtype = torch.float64  # rows are formed in it
        objective = Objective(design, torch.from_numpy(self.labels[:1]), self.classes)
        found = fitted(design, self.labels[:1], self.classes, EXACT)
        best = {each.l2: each.value for each in found}

        def gaps(weights: Weights) -> dict[float, float]:
            vectors = torch.from_numpy(np.stack(list(weights.values())))
            values = objective.evaluate(vectors, torch.zeros(len(weights), dtype=torch.int64))[0]
            result = {}
            for (l2, own), loss in zip(weights.items(), values.tolist(), strict=True):
                value = loss + l2 / 2 * float((own[:, :-1] ** 2).sum()) / len(self.array)
                result[l2] = value / best[l2] - 1
            return result

        return gaps

    def accuracy(self, weights: Weights) -> float:
        """On dev, at the L2 with the lowest cross-entropy there."""
        found = []
        for own in weights.values():
            log_p = log_softmax(self.dev @ own[:, :-1].T + own[:, -1], axis=1)
            known = self.dev_labels >= 0
            right = log_p[known, self.dev_labels[known]]
            found.append((-right.mean(), float(np.mean(log_p.argmax(axis=1) == self.dev_labels))))
        return min(found)[1]


def fitted(design: DenseDesign, labels: Ints, classes: int, tolerance: float) -> list[Solution]:
    """Every problem's solution under every L2."""
    found: list[Solution] = []

    def done(solution: Solution) -> bool:
        found.append(solution)
        return True

    solve(Objective(design, torch.from_numpy(labels), classes), L2, done, tolerance=tolerance)
    return found


class Kernel:
    """The product of two matrices, and the pass, both in operations a second."""

    def __init__(self, bench: Bench) -> None:
        self.a, self.b = torch.randn(2, SIDE, SIDE)
        self.design = DenseDesign(bench.array, bench.moments)
        self.passes = []
        for problems in STACKS:
            labels = torch.from_numpy(np.resize(bench.labels, (problems, self.design.rows)))
            objective = Objective(self.design, labels, bench.classes)
            point = objective.start()
            point += 0.01 * torch.randn(point.shape)
            self.passes.append((objective, point, torch.arange(problems)))
        self.peaks: list[float] = []
        self.speeds: list[list[float]] = [[] for _ in STACKS]

    def run(self) -> None:
        """Measure once more."""
        self.peaks += [_speed(2 * SIDE**3, lambda: self.a @ self.b) for _ in range(5)]
        for speeds, (objective, point, which) in zip(self.speeds, self.passes, strict=True):
            work = 4 * self.design.rows * self.design.dim * len(which) * objective.columns
            speeds.append(_speed(work, partial(objective.evaluate, point, which)))

    @property
    def peak(self) -> float:
        """Of a product of square matrices."""
        return statistics.median(self.peaks)


def _speed(operations: float, work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return operations / (time.process_time() - started)


def main() -> None:
    """Measure, and print three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="gum", help="a corpus, or a folder with one")
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--rows", type=int, help="only the first so many words")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--comparable", action="store_true", help="scikit-learn at tol 1e-6, once")
    parser.add_argument("--adam", action="store_true", help="a training loop with Adam, once")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        bench = Bench(load(asked.data, [asked.layer]), asked.rows)
        measure(bench, asked)


def measure(bench: Bench, asked: argparse.Namespace) -> None:
    """All ways in turn, as often as asked."""
    one = Way("ours, 1 problem", lambda: bench.ours(1), len(L2))
    stack = Way(f"ours, {STACKED} problems", lambda: bench.ours(STACKED), STACKED * len(L2))
    plain = Way("scikit-learn, tol 1e-4", lambda: bench.sklearn(L2, 1e-4), len(L2))
    ways, once = [one, stack, plain], []
    if asked.comparable:
        for l2 in COMPARABLE:
            name = f"scikit-learn, tol 1e-6, C {1 / l2:g}"
            once.append(Way(name, partial(bench.sklearn, (l2,), 1e-6), 1))
    if asked.adam:
        once.append(Way("Adam, 10 epochs", bench.adam, 1))
    kernel = Kernel(bench)
    work: dict[str, float] = {}  # of all passes of all problems
    rows, dim = bench.array.shape
    for _ in range(asked.repeats):
        kernel.run()
        for way in ways:
            way.run()
            work[way.name] = 4.0 * rows * dim * (bench.classes - 1) * bench.stack_passes
    for way in once:
        way.run()

    print(f"{rows:,} words x {dim}, {bench.classes} classes, layer {asked.layer} of minilm,")
    print(f"{len(L2)} values of L2, C = {1 / L2[0]:g} ... {1 / L2[-1]:.3g}; one thread\n")
    gaps = bench.reference()
    found = {way.name: gaps(way.weights) for way in [*ways, *once] if 0.0 not in way.weights}
    print(
        f"{'':32}probes   CPU s  a probe  speed-up       gaps to the optimum     passes  accuracy"
    )
    for way in [*ways, *once]:
        own = found.get(way.name, {}).values()
        span = f"{min(own):.0e} ... {max(own):.0e}" if own else "another objective"
        print(
            f"{way.name:32}{way.probes:6}{way.each * way.probes:8.1f}{way.each:9.2f}"
            f"{plain.each / way.each:9.1f}x  {span:>24}"
            f"{statistics.mean(way.passes.values()):11.1f}{bench.accuracy(way.weights):10.4f}"
        )
    print("\n       C   passes                     gap")
    print("           ours  of 6  scikit-learn   ours     of 6     scikit-learn")
    for l2 in L2:
        counts = f"{one.passes[l2]:5}{stack.passes[l2]:6}{plain.passes[l2]:14}"
        shares = "  ".join(f"{found[way.name][l2]:7.0e}" for way in ways)
        print(f"{1 / l2:8.2g}  {counts}   {shares}")
    print(f"\nGF/s: a product of {SIDE} x {SIDE} matrices {kernel.peak / 1e9:.0f}")
    for problems, speeds in zip(STACKS, kernel.speeds, strict=True):
        _print_speed(
            f"the pass, {problems * (bench.classes - 1)} columns", statistics.median(speeds), kernel
        )
    for way in (one, stack):
        speed = work[way.name] / statistics.median(way.seconds)
        _print_speed(f"the whole of {way.name}", speed, kernel)


def _print_speed(name: str, speed: float, kernel: Kernel) -> None:
    print(f"  {name:32}{speed / 1e9:6.0f}   {speed / kernel.peak:4.0%} of that")


if __name__ == "__main__":
    main()
