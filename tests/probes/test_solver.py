"""The solver against Newton's method in float64, against scikit-learn, and on bad data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from layerwise.probes import curvature
from layerwise.probes import design as designs
from layerwise.probes.design import EXACT, DenseDesign, Moments
from layerwise.probes.objective import Objective
from layerwise.probes.solver import TOLERANCE, Solution, solve

Array = NDArray[Any]

HALF_DECADES = tuple(10**exponent for exponent in np.arange(4, 0, -0.5))
"""Eight values, from 1e4 to 10**0.5."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["in float32", "in float64"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of the products, for data as small as one likes."""
    monkeypatch.setattr(designs, "EXACT", 0 if request.param == "in float32" else EXACT)
    return str(request.param)


def standard(X: Array) -> Array:
    X = X.astype(np.float64)
    spread = X.std(axis=0)
    constant = spread <= 1e-6 * np.abs(X.mean(axis=0))
    return (X - X.mean(axis=0)) / np.where(constant, np.inf, spread)


class Oracle:
    """One problem's objective in float64, by the textbook, and its minimum by Newton's method.

    Parameters are (vectors, dim + 1), a single vector for 2 classes: that of the rarer one.
    """

    def __init__(
        self, Z: Array, y: Array, l2: float, classes: int, weights: Array | None = None
    ) -> None:
        self.Z, self.y, self.l2, self.classes = Z, y, l2, classes
        self.w = np.ones(len(y)) if weights is None else weights.astype(np.float64)
        self.share = np.bincount(y, self.w, minlength=classes)
        self.penalty = l2 / self.w.sum()
        self.rarer = 1 - int(self.share.argmax()) if classes == 2 else -1

    def logits(self, vectors: Array, Z: Array | None = None) -> Array:
        scores = (self.Z if Z is None else Z) @ vectors[:, :-1].T + vectors[:, -1]
        if self.classes == 2:
            columns = [np.zeros(len(scores)), scores[:, 0]]
            scores = np.stack(columns if self.rarer == 1 else columns[::-1], axis=1)
        return np.where(self.share == 0, -np.inf, scores)

    def probabilities(self, vectors: Array, Z: Array | None = None) -> Array:
        return softmax(self.logits(vectors, Z), axis=1)

    def loss(self, vectors: Array) -> float:
        right = log_softmax(self.logits(vectors), axis=1)[np.arange(len(self.y)), self.y]
        return float(-(self.w[self.w > 0] @ right[self.w > 0]) / self.w.sum())

    def value(self, vectors: Array) -> float:
        return self.loss(vectors) + 0.5 * self.penalty * float((vectors[:, :-1] ** 2).sum())

    def gradient(self, vectors: Array) -> Array:
        residual = self.probabilities(vectors) - np.eye(self.classes)[self.y]
        residual *= (self.w / self.w.sum())[:, None]
        if self.classes == 2:
            residual = residual[:, [self.rarer]]
        slope = np.hstack([residual.T @ self.Z, residual.sum(axis=0)[:, None]])
        slope[:, :-1] += self.penalty * vectors[:, :-1]
        return slope

    def hessian(self, vectors: Array) -> Any:
        """Factorised, in products of float32: it decides how fast Newton's method is, no more."""
        p = self.probabilities(vectors)
        if self.classes == 2:
            p = p[:, [self.rarer]]
        rows = np.hstack([self.Z, np.ones((len(p), 1))]).astype(np.float32)
        count, dim = len(vectors), rows.shape[1]
        full = np.empty((count, dim, count, dim))
        for a in range(count):
            for b in range(a, count):
                bend = self.w / self.w.sum() * p[:, a] * ((a == b) - p[:, b])
                block = rows.T @ (rows * bend[:, None].astype(np.float32))
                full[a, :, b], full[b, :, a] = block, block.T
        ridge = np.full((count, dim), self.penalty + 1e-9)
        # Equal steps of all intercepts change nothing.
        ridge[:, -1] = 1e-5
        return cho_factor(full.reshape(count * dim, -1) + np.diag(ridge.ravel()))

    def optimum(self, near: Array) -> Array:
        """From a point that need not be near, but had better be."""
        vectors, value = near.astype(np.float64), np.inf
        for tries in range(500):
            slope = self.gradient(vectors)
            if tries % 20 == 0:
                factor = self.hessian(vectors)
            step = cho_solve(factor, slope.ravel()).reshape(slope.shape)
            value, decrement = self.value(vectors), float((slope * step).sum())
            if decrement < 1e-11 * value:
                return vectors
            length = 1.0
            while self.value(vectors - length * step) > value - 1e-4 * length * decrement:
                length /= 2
                if length < 1e-6:
                    break
            if length < 1:
                factor = self.hessian(vectors)
            vectors = vectors - length * step
        raise AssertionError("the oracle itself does not converge")

    def gap(self, found: Solution) -> float:
        """The true distance of the objective from its minimum, as a share of its value."""
        vectors = found.vectors.double().numpy()
        lowest = self.value(self.optimum(vectors))
        assert found.l2 == self.l2
        return (self.value(vectors) - lowest) / max(lowest, 1e-300)


Paths = list[list[Solution]]


def walk(
    X: Array,
    y: Array,
    l2: Sequence[float],
    *,
    classes: int | None = None,
    weights: Array | None = None,
    moments: Moments | None = None,
    tolerance: float = TOLERANCE,
    limit: int = 300,
    done: Callable[[Solution], bool] = lambda found: True,
    **options: Any,
) -> Paths:
    """The solutions of every problem, in the order in which they were handed over."""
    labels = np.atleast_2d(y)
    dense = DenseDesign(X, Moments.of([X]) if moments is None else moments, **options)
    objective = Objective(
        dense,
        torch.from_numpy(labels),
        int(y.max()) + 1 if classes is None else classes,
        None if weights is None else torch.from_numpy(np.atleast_2d(weights)),
    )
    paths: Paths = [[] for _ in labels]

    def keep(found: Solution) -> bool:
        paths[found.problem].append(found)
        return done(found)

    solve(objective, l2, keep, tolerance=tolerance, limit=limit)
    return paths


def drawn(
    rows: int = 300, dim: int = 12, classes: int = 4, noise: float = 1.5, seed: int = 0
) -> tuple[Array, Array]:
    """Gaussian features, and labels that depend on them linearly, with noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, dim))
    logits = X @ random.normal(size=(dim, classes)) * (12 / dim) ** 0.5
    y = (logits + noise * random.gumbel(size=logits.shape)).argmax(axis=1)
    y[:classes] = np.arange(classes)
    return X.astype(np.float32), y


def like_an_encoder(rows: int, dim: int, classes: int, seed: int = 0) -> tuple[Array, Array]:
    """A power-law spectrum in all directions at once, a rule that is not linear, a rare class."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(rows, dim))
    rotation = np.linalg.qr(random.normal(size=(dim, dim)))[0]
    X = (hidden * np.arange(1, dim + 1) ** -0.75) @ rotation
    X += 0.01 * random.normal(size=X.shape)
    logits = hidden[:, : dim // 2] @ random.normal(size=(dim // 2, classes)) / dim**0.5
    logits += np.tanh(hidden[:, : dim // 4] @ random.normal(size=(dim // 4, classes)))
    logits = 4 * logits + random.gumbel(size=logits.shape)
    logits[:, -1] -= 6.4
    return X.astype(np.float32), logits.argmax(axis=1)


@pytest.fixture(scope="module", params=["words in context", "static words"])
def encoded(request: pytest.FixtureRequest) -> tuple[Array, Array]:
    X, y = like_an_encoder(12_000, 96, 9)
    if request.param == "static words":  # as in layer 0: frequent words have one row many times
        random = np.random.default_rng(5)
        word = (random.pareto(0.8, size=len(y)) * 8).astype(int) % 1500
        X, y = X[word], np.where(random.random(len(y)) < 0.85, y[word], y)
    assert 0 < (y == 8).sum() < 200
    return X, y


@pytest.fixture(scope="module")
def path(encoded: tuple[Array, Array]) -> list[Solution]:
    torch.set_num_threads(1)
    return walk(*encoded, HALF_DECADES)[0]


class TestOnFeaturesLikeAnEncoders:
    """What the benchmark's run time and its exactness rest on."""

    def test_an_l2_takes_12_passes_at_most(self, path: list[Solution]) -> None:
        assert [found.l2 for found in path] == list(HALF_DECADES)
        assert all(found.converged for found in path)
        assert np.mean([found.passes for found in path]) <= 12

    def test_the_gap_is_small_at_every_l2(
        self, encoded: tuple[Array, Array], path: list[Solution]
    ) -> None:
        X, y = encoded
        Z = standard(X)
        gaps = [Oracle(Z, y, found.l2, 9).gap(found) for found in path]
        assert max(gaps) <= 2e-6, gaps

    def test_weaker_l2_fits_the_training_rows_better(
        self, encoded: tuple[Array, Array], path: list[Solution]
    ) -> None:
        Z = standard(encoded[0])
        losses = [
            Oracle(Z, encoded[1], found.l2, 9).loss(found.vectors.double().numpy())
            for found in path
        ]
        assert all(weak < strong for strong, weak in pairwise(losses))


HOW: dict[str, Callable[[Array], Array]] = {
    "as drawn": lambda X: X,
    "collinear": lambda X: np.hstack([X, X[:, :3], X[:, :2] - X[:, 2:4]]),
    "nearly collinear": lambda X: np.hstack([X, X[:, :5] + 1e-3 * X[:, 5:10]]),
    "rank-deficient": lambda X: X[:, :5] @ np.cos(np.arange(5 * X.shape[1])).reshape(5, -1),
    "constant": lambda X: np.hstack([X, np.full((len(X), 2), [0, 1234.5])]),
    "far from 0": lambda X: X + 100 * np.arange(X.shape[1]),
    "of a huge scale": lambda X: X * 1e30,
    "of many scales": lambda X: X * np.logspace(-6, 6, X.shape[1]),
    "one giant direction": lambda X: X + 50 * X[:, -1:],
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("rows, dim, dtype", [(8200, 64, "float32"), (300, 12, "float64")])
def test_the_objective_is_that_of_the_optimum(how: str, rows: int, dim: int, dtype: str) -> None:
    X, y = drawn(rows, dim, classes=3)
    X = HOW[how](X).astype(np.float32)
    assert (X.size > EXACT) == (dtype == "float32")
    grid = [1000.0, 30.0, 1.0]
    Z = standard(X)
    for found in walk(X, y, grid)[0]:
        assert found.vectors.dtype == getattr(torch, dtype)
        assert found.converged
        oracle = Oracle(Z, y, found.l2, 3)
        assert abs(oracle.gap(found)) <= 1e-6
        exact = oracle.value(found.vectors.double().numpy())
        assert found.value == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_it_finds_the_optimum_that_scikit_learn_finds(
    classes: int, l2: float, precision: str
) -> None:
    X, y = drawn(classes=classes)
    Z = standard(X)
    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=100_000).fit(Z, y)
    expected = model.predict_proba(Z)
    (found,) = walk(X, y, [l2])[0]
    got = Oracle(Z, y, l2, classes).probabilities(found.vectors.double().numpy())
    rows = np.arange(len(y))
    losses = [-np.log(p[rows, y]).mean() for p in (got, expected)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    best, second = np.sort(expected, axis=1)[:, :-3:-1].T
    clear = best - second > 1e-3
    np.testing.assert_array_equal(got.argmax(axis=1)[clear], expected.argmax(axis=1)[clear])


def compare(found: Paths, expected: Paths, X: Array, y: Array, precision: str, **same: Any) -> None:
    """Two ways to solve the same problems; objectives and probabilities as good as equal."""
    Z, labels = standard(X), np.atleast_2d(y)
    classes = int(y.max()) + 1
    atol = 3e-3 if precision == "in float32" else 2e-5
    assert len(found) == len(expected)
    for one, other, own in zip(found, expected, labels, strict=True):
        assert [s.l2 for s in one] == [s.l2 for s in other]
        for a, b in zip(one, other, strict=True):
            assert a.converged and b.converged
            oracle = Oracle(Z, own, a.l2, classes, **same)
            ours, theirs = (s.vectors.double().numpy() for s in (a, b))
            assert oracle.value(ours) == pytest.approx(oracle.value(theirs), rel=1e-6)
            np.testing.assert_allclose(
                oracle.probabilities(ours), oracle.probabilities(theirs), atol=atol
            )


GRID = [300.0, 30.0, 3.0]


class TestWhateverTheWay:
    """The same solutions come out, whichever way the rows go in."""

    @pytest.fixture
    def data(self) -> tuple[Array, Array]:
        X, y = drawn(rows=400)
        return X.astype(np.float16).astype(np.float32), y

    @pytest.fixture
    def expected(self, data: tuple[Array, Array], precision: str) -> Paths:
        return walk(*data, GRID)

    @pytest.mark.parametrize("part", [30, 256, 10_000])
    @pytest.mark.parametrize("in_memory", [0, 2**30])
    def test_in_parts_of_any_size_in_memory_or_streamed(
        self,
        part: int,
        in_memory: int,
        data: tuple[Array, Array],
        expected: Paths,
        precision: str,
    ) -> None:
        found = walk(*data, GRID, part=part, in_memory=in_memory)
        compare(found, expected, *data, precision)

    @pytest.mark.parametrize("in_memory", [0, 2**30])
    def test_from_a_file_of_float16(
        self,
        in_memory: int,
        data: tuple[Array, Array],
        expected: Paths,
        precision: str,
        tmp_path: Path,
    ) -> None:
        X, y = data
        np.save(tmp_path / "layer.npy", X.astype(np.float16))
        mapped = np.load(tmp_path / "layer.npy", mmap_mode="r")
        found = walk(mapped, y, GRID, in_memory=in_memory)
        compare(found, expected, X, y, precision)

    def test_in_any_order_of_rows(
        self, data: tuple[Array, Array], expected: Paths, precision: str
    ) -> None:
        X, y = data
        order = np.random.default_rng(1).permutation(len(y))
        compare(walk(X[order], y[order], GRID), expected, X, y, precision)

    def test_by_two_threads(
        self, data: tuple[Array, Array], expected: Paths, precision: str
    ) -> None:
        torch.set_num_threads(2)
        compare(walk(*data, GRID[:1]), [expected[0][:1]], *data, precision)

    def test_in_any_order_of_the_grid(self, data: tuple[Array, Array], expected: Paths) -> None:
        (path,) = walk(*data, [GRID[1], GRID[2], GRID[0], GRID[1]])
        assert [found.l2 for found in path] == GRID
        for found, other in zip(path, expected[0], strict=True):
            assert torch.equal(found.vectors, other.vectors)

    def test_one_by_one_or_as_a_batch(self, data: tuple[Array, Array], precision: str) -> None:
        X, y = data
        random = np.random.default_rng(2)
        labels = np.stack(
            [np.where(random.random(len(y)) < n / 6, (y + n) % 4, y) for n in range(6)]
        )
        alone = [walk(X, own, GRID, classes=4)[0] for own in labels]
        compare(walk(X, labels, GRID), alone, X, labels, precision)

    def test_along_a_path_or_each_l2_for_itself(
        self, data: tuple[Array, Array], expected: Paths, precision: str
    ) -> None:
        alone = [walk(*data, [l2])[0][0] for l2 in GRID]
        compare([alone], expected, *data, precision)


def test_a_coarse_grid_hands_over_only_what_was_asked(precision: str) -> None:
    X, y = drawn()
    (path,) = walk(X, y, [1e4, 1.0])
    assert [found.l2 for found in path] == [1e4, 1.0]
    compare([path], [[walk(X, y, [l2])[0][0] for l2 in (1e4, 1.0)]], X, y, precision)


def test_a_problem_stops_when_it_is_told_to_and_the_others_go_on(precision: str) -> None:
    X, y = drawn()
    labels = np.stack([y, (y + 1) % 4, y[::-1]])
    paths = walk(X, labels, GRID, done=lambda found: found.problem != 1 or found.l2 > 100)
    assert [[found.l2 for found in path] for path in paths] == [GRID, GRID[:2], GRID]
    whole = walk(X, labels, GRID)
    compare(paths, [whole[0], whole[1][:2], whole[2]], X, labels, precision)


def test_the_training_loss_falls_along_the_path(precision: str) -> None:
    X, y = drawn()
    Z = standard(X)
    losses = [
        Oracle(Z, y, found.l2, 4).loss(found.vectors.double().numpy())
        for found in walk(X, y, HALF_DECADES)[0]
    ]
    assert losses[0] > losses[-1] + 0.1
    assert all(weak <= strong + 1e-6 for strong, weak in pairwise(losses))


class TestWeights:
    @pytest.mark.parametrize("classes", [2, 4])
    def test_whole_ones_are_repeated_rows(self, classes: int, precision: str) -> None:
        X, y = drawn(classes=classes)
        weights = np.random.default_rng(3).integers(1, 4, size=len(y))
        moments = Moments.of([X])
        found = walk(X, y, GRID, weights=weights.astype(float), moments=moments)
        index = np.repeat(np.arange(len(y)), weights)
        repeated = walk(X, y[index], GRID, index=index, moments=moments)
        compare(found, repeated, X, y, precision, weights=weights)

    @pytest.mark.parametrize("classes", [2, 4])
    def test_rows_without_any_are_as_good_as_removed(self, classes: int, precision: str) -> None:
        X, y = drawn(classes=classes)
        weights = np.random.default_rng(4).integers(0, 2, size=len(y)).astype(float)
        (index,) = weights.nonzero()
        moments = Moments.of([X])
        found = walk(X, y, GRID, weights=weights, moments=moments)
        removed = walk(X, y[index], GRID, index=index, moments=moments)
        compare(found, removed, X, y, precision, weights=weights)

    def test_each_problem_has_its_own(self, precision: str) -> None:
        X, y = drawn()
        weights = np.random.default_rng(5).exponential(size=(3, len(y)))
        weights[1] *= 1e4
        weights[2] *= 1e-4
        paths = walk(X, np.stack([y] * 3), GRID, weights=weights)
        Z = standard(X)
        for path, own in zip(paths, weights, strict=True):
            for found in path:
                assert found.converged
                assert abs(Oracle(Z, y, found.l2, 4, own).gap(found)) <= 1e-6


def probe(X: Array, y: Array, grid: Sequence[float], classes: int) -> list[Solution]:
    """One problem's solutions, all of them converged and optimal."""
    Z = standard(X)
    (path,) = walk(X, y, grid, classes=classes)
    assert [found.l2 for found in path] == list(grid)
    for found in path:
        assert torch.isfinite(found.vectors).all()
        assert found.converged
        assert Oracle(Z, y, found.l2, classes).gap(found) <= 1e-6
    return path


class TestOnBadData:
    def test_a_class_with_a_single_row(self, precision: str) -> None:
        X, y = drawn(classes=3)
        y[y == 2] = 0
        y[17] = 2
        probe(X, y, GRID, classes=3)

    def test_a_binary_problem_with_a_single_row_of_one_class(self, precision: str) -> None:
        X, y = drawn(classes=2)
        y[:] = 1
        y[17] = 0
        probe(X, y, GRID, classes=2)

    @pytest.mark.parametrize("absent", range(4))
    def test_a_class_without_rows(self, absent: int, precision: str) -> None:
        X, y = drawn()
        y[y == absent] = (absent + 1) % 4
        path = probe(X, y, GRID, classes=4)
        if precision == "in float64":
            own = np.unique(y, return_inverse=True)[1]
            for found, other in zip(path, probe(X, own, GRID, classes=3), strict=True):
                assert found.value == pytest.approx(other.value, rel=1e-8)
                assert found.vectors[absent, :-1].abs().max() < 1e-5

    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("only", [0, 1])
    def test_one_class_only(self, only: int, classes: int, precision: str) -> None:
        X = drawn()[0]
        y = np.full(len(X), only)
        (path,) = walk(X, y, GRID, classes=classes)
        assert [found.l2 for found in path] == GRID
        for found in path:
            assert found.converged and found.gap == 0 and found.value == 0
            p = Oracle(X, y, found.l2, classes).probabilities(found.vectors.double().numpy())
            assert (p[:, only] == 1).all()

    def test_one_class_only_in_one_of_many_problems(self, precision: str) -> None:
        X, y = drawn(classes=2)
        paths = walk(X, np.stack([y, np.ones_like(y), np.zeros_like(y)]), GRID)
        compare(paths[:1], walk(X, y, GRID), X, y, precision)
        assert [[found.value for found in path] for path in paths[1:]] == [[0] * 3] * 2

    @pytest.mark.parametrize("classes", [2, 4])
    def test_features_without_information(self, classes: int, precision: str) -> None:
        y = drawn(classes=classes)[1]
        X = np.tile(np.float32([0, 5, -1e6]), (len(y), 1))
        share = np.bincount(y) / len(y)
        for found in probe(X, y, GRID, classes):
            assert not found.vectors[:, :-1].any()
            assert found.value == pytest.approx(-share @ np.log(share), rel=1e-6)

    @pytest.mark.parametrize("rows", [5, 9, 20])
    def test_fewer_rows_than_features(self, rows: int, precision: str) -> None:
        X, y = drawn(rows, 40, classes=4)
        probe(X, y, [100.0, 1.0], classes=4)

    def test_fewer_rows_than_classes(self, precision: str) -> None:
        X = drawn(rows=12)[0]
        probe(X, np.arange(12) * 2, [100.0, 1.0], classes=30)

    def test_a_single_row(self, precision: str) -> None:
        (path,) = walk(np.ones((1, 3), np.float32), np.array([1]), GRID, classes=3)
        assert [found.value for found in path] == [0, 0, 0]

    @pytest.mark.parametrize("classes", [2, 3])
    def test_classes_that_can_be_told_apart_without_error(
        self, classes: int, precision: str
    ) -> None:
        X = drawn()[0]
        y = X[:, :classes].argmax(axis=1)
        path = probe(X, y, [1.0, 1e-2, 1e-4], classes)
        assert path[-1].value < 0.05


def test_a_limit_that_is_too_small_is_reported(precision: str) -> None:
    X, y = drawn(classes=3)
    X = HOW["nearly collinear"](X)
    (path,) = walk(X, y, [1.0, 0.1], limit=1, tolerance=1e-9)
    assert [found.l2 for found in path] == [1.0, 0.1]
    assert not any(found.converged for found in path)
    assert all(found.gap > 1e-9 for found in path)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_reported_gap_is_the_true_one_by_and_large(classes: int, precision: str) -> None:
    X, y = like_an_encoder(2000, 30, classes + 1)
    y %= classes
    Z = standard(X)
    for found in walk(X, y, HALF_DECADES, tolerance=1e-3)[0]:
        assert found.converged and found.gap <= 1e-3
        true = Oracle(Z, y, found.l2, classes).gap(found)
        # Where a step lands far below the tolerance there is nothing to estimate.
        assert max(found.gap, 1e-8) / 10 <= max(true, 1e-8) <= 10 * max(found.gap, 1e-8)


def test_problems_beyond_the_room_for_blocks_find_the_same_optimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = like_an_encoder(12_000, 96, 9)
    with_blocks = walk(X, y, HALF_DECADES[4:])[0]
    asked: list[int] = []
    estimate = curvature.class_blocks
    monkeypatch.setattr(curvature, "class_blocks", lambda *a: asked.append(1) or estimate(*a))
    monkeypatch.setattr(curvature, "IN_MEMORY", 1)
    without = walk(X, y, HALF_DECADES[4:])[0]
    assert not asked and all(found.converged for found in without)
    for one, other in zip(with_blocks, without, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-6)


def test_a_width_beyond_the_principal_axes_finds_the_same_optimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = like_an_encoder(12_000, 96, 9)
    turned = walk(X, y, HALF_DECADES[:5])[0]
    monkeypatch.setattr(curvature, "_WIDEST", 95)
    straight = walk(X, y, HALF_DECADES[:5])[0]
    # Without the axes the gap is estimated less well.
    assert all(found.converged for found in straight)
    for one, other in zip(turned, straight, strict=True):
        assert one.value == pytest.approx(other.value, rel=5e-6)
