"""The linear probe against scikit-learn, against a refit of its grid, and on bad data."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import parametrize_with_checks

from layerwise.probes import linear
from layerwise.probes.cross_validation import fold_of
from layerwise.probes.linear import LinearProbe
from layerwise.probes.solver import TOLERANCE

Array = NDArray[Any]


class Data(NamedTuple):
    X: Array
    y: Array
    X_dev: Array
    y_dev: Array


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw(
    rows: int = 300, dim: int = 12, classes: int = 4, noise: float = 1.5, seed: int = 0
) -> Data:
    """Gaussian features, and labels that depend on them linearly, with noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(2 * rows, dim))
    logits = X @ random.normal(size=(dim, classes)) + noise * random.gumbel(
        size=(2 * rows, classes)
    )
    y = logits.argmax(axis=1)
    y[:classes] = np.arange(classes)
    return Data(X[:rows].astype(np.float32), y[:rows], X[rows:].astype(np.float32), y[rows:])


def spoilt(data: Data, how: str) -> Data:
    """The data with features that make a solver's life hard."""
    random = np.random.default_rng(9)
    dim = data.X.shape[1]
    change = {
        "as drawn": lambda X: X,
        "scales from 1e-6 to 1e6": lambda X: X * np.logspace(-6, 6, dim),
        "far from 0": lambda X: X + 100 * np.arange(dim),
        "collinear": lambda X: np.hstack([X, X, X[:, :2] - X[:, 2:4]]),
        "nearly collinear": lambda X: np.hstack([X, X + 1e-3 * random.normal(size=X.shape)]),
        "constant": lambda X: np.hstack([X, np.full((len(X), 2), [0, 1234.5])]),
        "one giant direction": lambda X: X @ np.diag([1] * (dim - 1) + [0]) + 50 * X[:, -1:],
    }[how]
    return data._replace(
        X=change(data.X).astype(np.float32), X_dev=change(data.X_dev).astype(np.float32)
    )


HOW = [
    "as drawn",
    "scales from 1e-6 to 1e6",
    "far from 0",
    "collinear",
    "nearly collinear",
    "constant",
    "one giant direction",
]


def fit(data: Data, classes: int | None = None, **options: Any) -> LinearProbe:
    classes = int(data.y.max()) + 1 if classes is None else classes
    return LinearProbe(**options).fit(*data, classes=classes)


def log_loss(probabilities: Array, y: Array) -> float:
    return float(-np.log(probabilities[np.arange(len(y)), y]).mean())


def reference(data: Data, l2: float) -> Array:
    """scikit-learn's probabilities on dev."""
    scaler = StandardScaler().fit(data.X.astype(np.float64))
    model = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=20_000)
    model.fit(scaler.transform(data.X.astype(np.float64)), data.y)
    return model.predict_proba(scaler.transform(data.X_dev.astype(np.float64)))


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("how", HOW)
def test_it_finds_the_optimum_that_scikit_learn_finds(how: str, l2: float) -> None:
    data = spoilt(draw(), how)
    expected = reference(data, l2)
    probe = fit(data, l2=[l2])
    got = probe.predict_proba(data.X_dev)
    assert probe.converged_
    assert abs(log_loss(got, data.y_dev) - log_loss(expected, data.y_dev)) < 1e-5
    np.testing.assert_allclose(got, expected, atol=1e-4)
    best, second = np.sort(expected, axis=1)[:, :-3:-1].T
    clear = best - second > 0.01
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(got.argmax(axis=1)[clear], expected.argmax(axis=1)[clear])


def test_two_classes_are_as_scikit_learn_has_them() -> None:
    data = draw(classes=2)
    np.testing.assert_allclose(
        fit(data, l2=[2.0]).predict_proba(data.X_dev), reference(data, 2.0), atol=1e-5
    )


def test_weaker_l2_never_fits_the_training_rows_worse() -> None:
    data = draw()
    grid = linear.HALF_DECADES
    losses = [log_loss(fit(data, l2=[l2]).predict_proba(data.X), data.y) for l2 in grid]
    assert losses[0] > losses[-1] + 0.1
    assert all(weaker <= stronger + 1e-6 for stronger, weaker in pairwise(losses))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows, noise", [(40, 3.0), (40, 6.0), (200, 1.0)])
def test_the_chosen_l2_has_the_lowest_dev_loss_of_the_whole_grid(
    seed: int, rows: int, noise: float
) -> None:
    data = draw(rows=rows, noise=noise, seed=seed)
    grid = linear.HALF_DECADES
    refits = {l2: fit(data, l2=[l2]) for l2 in grid}
    losses = {l2: log_loss(p.predict_proba(data.X_dev), data.y_dev) for l2, p in refits.items()}
    probe = fit(data)
    assert losses[probe.l2_] < min(losses.values()) + 1e-4
    assert probe.fit_report()["l2_is_at_the_edge"] == (probe.l2_ in (grid[0], grid[-1]))
    np.testing.assert_allclose(
        probe.predict_proba(data.X_dev), refits[probe.l2_].predict_proba(data.X_dev), atol=1e-5
    )


def test_the_path_ends_when_dev_gets_worse() -> None:
    data = draw(rows=40, noise=3.0)
    dev = [step.held_out for step in fit(data).path_]
    assert len(dev) < len(linear.HALF_DECADES)
    assert dev[-1] > min(dev) + 1e-5 > max(dev[dev.index(min(dev)) : -1])
    assert len(fit(data, patience=3).path_) == len(dev) + 2


def test_features_are_standardised_by_the_training_rows_alone() -> None:
    data = draw()
    probe, shifted = (
        fit(data._replace(X_dev=X_dev), l2=[1.0]) for X_dev in (data.X_dev, 50 * data.X_dev + 9)
    )
    exact = data.X.astype(np.float64)
    np.testing.assert_allclose(probe.moments_.mean, exact.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(probe.moments_.scale, exact.std(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(probe.moments_.mean, shifted.moments_.mean)
    np.testing.assert_array_equal(probe.vectors_, shifted.vectors_)


def test_the_scale_of_a_feature_changes_nothing() -> None:
    data = draw()
    small, large = (
        fit(data._replace(X=data.X * s, X_dev=data.X_dev * s)).predict_proba(data.X_dev * s)
        for s in (np.float32(2.0**-60), np.float32(2.0**60))
    )
    np.testing.assert_array_equal(small, large)


def test_a_constant_feature_that_varies_on_dev_has_no_say() -> None:
    data = draw()
    X = np.hstack([data.X, np.full((len(data.X), 1), 3, dtype=np.float32)])
    wild = np.hstack([data.X_dev, 1e9 * data.X_dev[:, :1]])
    calm = np.hstack([data.X_dev, np.full((len(data.X_dev), 1), 3, dtype=np.float32)])
    probe = fit(data._replace(X=X, X_dev=calm))
    np.testing.assert_array_equal(probe.predict_proba(wild), probe.predict_proba(calm))


def test_only_constant_features_give_the_shares_of_the_labels() -> None:
    data = draw()
    flat = data._replace(X=np.ones_like(data.X), X_dev=np.ones_like(data.X_dev))
    shares = np.bincount(data.y) / len(data.y)
    np.testing.assert_allclose(fit(flat).predict_proba(flat.X_dev)[0], shares, atol=1e-3)


def test_fewer_rows_than_classes() -> None:
    data = draw(rows=6, classes=6)
    few = Data(data.X[:4], np.array([0, 2, 4, 5]), data.X_dev, data.y_dev)
    probabilities = fit(few, classes=6).predict_proba(data.X_dev)
    assert np.isfinite(probabilities).all()
    assert (probabilities[:, [1, 3]] == 0).all() and (probabilities[:, [0, 2, 4, 5]] > 0).all()


def test_one_class_is_certain() -> None:
    data = draw(rows=20)
    probe = fit(data._replace(y=np.full(20, 2)), classes=4)
    assert probe.converged_
    assert probe.predict_proba(data.X_dev).tolist() == [[0, 0, 1, 0]] * 20


def test_a_class_that_train_lacks_changes_nothing_for_the_others() -> None:
    data = draw()
    gap = np.array([0, 2, 3, 5])  # classes 1 and 4 have no row
    got = fit(data._replace(y=gap[data.y], y_dev=gap[data.y_dev]), classes=6)
    plain = fit(data).predict_proba(data.X_dev)
    np.testing.assert_array_equal(got.predict_proba(data.X_dev)[:, gap], plain)
    assert (got.predict_proba(data.X_dev)[:, [1, 4]] == 0).all()


def test_dev_labels_that_train_lacks_do_not_count_in_the_choice() -> None:
    data = draw(rows=60, noise=3.0)
    half = len(data.y_dev) // 2
    unseen = data._replace(y_dev=np.where(np.arange(len(data.y_dev)) < half, -1, data.y_dev))
    only = data._replace(X_dev=data.X_dev[half:], y_dev=data.y_dev[half:])
    assert fit(unseen).l2_ == fit(only).l2_
    for one, other in zip(fit(unseen).path_, fit(only).path_, strict=True):
        assert one.held_out == pytest.approx(other.held_out)
    lost = fit(data._replace(y_dev=np.full(len(data.y_dev), -1)))
    assert np.isfinite(lost.predict_proba(data.X_dev)).all()


def test_separable_classes_are_told_apart_without_doubt() -> None:
    """A second softmax, or one over the wrong axis, could never reach this loss."""
    labels = np.arange(90) % 3
    X = 5 * np.eye(3, dtype=np.float32)[labels]
    probe = fit(Data(X, labels, X, labels), l2=[1e-4])
    assert log_loss(probe.predict_proba(X), labels) < 1e-3


def test_rows_of_probabilities_sum_to_one() -> None:
    data = draw(classes=7)
    probabilities = fit(data).predict_proba(data.X_dev)
    assert probabilities.shape == (len(data.X_dev), 7) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)


def test_it_is_the_same_to_the_last_bit_every_time() -> None:
    data = draw(rows=2500)  # more rows than are held at once
    once, again = (fit(data).predict_proba(data.X_dev) for _ in range(2))
    assert once.tobytes() == again.tobytes()


def test_the_number_of_threads_hardly_matters() -> None:
    data = draw(rows=2500, dim=40)
    one = fit(data, l2=[1.0]).predict_proba(data.X_dev)
    torch.set_num_threads(2)
    two = fit(data, l2=[1.0]).predict_proba(data.X_dev)
    np.testing.assert_allclose(two, one, atol=1e-6, rtol=0)


def test_too_few_iterations_are_reported_as_no_convergence() -> None:
    data = spoilt(draw(), "one giant direction")
    report = fit(data, limit=2, l2=[0.1, 1.0]).fit_report()
    assert report["converged"] is False and report["gap"] > TOLERANCE
    assert fit(data).fit_report()["converged"] is True


def test_the_arrays_that_it_is_given_stay_as_they_are() -> None:
    data = draw()
    before = [array.copy() for array in data]
    fit(data).predict_proba(data.X_dev)
    for array, copy in zip(data, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_whatever_decides_its_numbers_is_among_its_settings() -> None:
    plain = LinearProbe().settings()
    for change in ({"l2": (1.0,)}, {"patience": 2}, {"tolerance": 1e-3}, {"limit": 5}):
        assert LinearProbe(**change).settings() != plain


class TestScikitLearnsContract:
    @parametrize_with_checks([LinearProbe(l2=(100.0, 1.0, 0.01)), LinearProbe(l2=1.0)])
    def test_the_estimator_passes_every_check(self, estimator: Any, check: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SkipTestWarning)
            check(estimator)

    def test_labels_may_be_words_and_dev_may_have_more_of_them(self) -> None:
        data = draw()
        words = np.array(["noun", "verb", "adj", "x"])
        dev = np.where(np.arange(len(data.y_dev)) < 5, "unheard", words[data.y_dev])
        named = LinearProbe().fit(data.X, words[data.y], data.X_dev, dev)
        plain = LinearProbe().fit(data.X, data.y, data.X_dev[5:], data.y_dev[5:])
        assert named.l2_ == plain.l2_ and list(named.classes_) == sorted(words)
        back = words.argsort().argsort()
        np.testing.assert_allclose(
            named.predict_proba(data.X_dev)[:, back], plain.predict_proba(data.X_dev), atol=1e-6
        )
        assert (named.predict(data.X_dev) == words[plain.predict(data.X_dev)]).all()

    def test_without_dev_it_cross_validates_whatever_the_order_of_the_rows(self) -> None:
        data = draw(rows=80, noise=4.0)
        order = np.random.default_rng(1).permutation(len(data.X))
        one = LinearProbe().fit(data.X, data.y)
        other = LinearProbe().fit(data.X[order], data.y[order])
        assert one.l2_ == other.l2_
        np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-6)

    def test_cross_validation_chooses_as_scikit_learn_does_on_the_same_folds(self) -> None:
        data = draw(rows=120, noise=4.0)
        X = StandardScaler().fit_transform(data.X.astype(np.float64))
        fold = fold_of(X.astype(np.float32))
        grid = linear.HALF_DECADES[4:14]
        losses = []
        for l2 in grid:
            total = 0.0
            for out in range(5):
                model = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=5000)
                model.fit(X[fold != out], data.y[fold != out])
                p = model.predict_proba(X[fold == out])
                total += log_loss(p, data.y[fold == out]) * (fold == out).sum()
            losses.append(total)
        probe = LinearProbe(l2=grid).fit(X.astype(np.float32), data.y)
        assert probe.l2_ == pytest.approx(grid[int(np.argmin(losses))])

    def test_equal_rows_are_in_one_fold(self) -> None:
        X = np.repeat(draw().X[:20], 7, axis=0)
        folds = fold_of(X).reshape(20, 7)
        assert (folds == folds[:, :1]).all() and len(np.unique(folds)) > 2

    def test_several_columns_of_labels_are_as_many_binary_problems(self) -> None:
        data = draw(rows=400)
        Y = np.stack([data.y == 0, data.y > 1, np.zeros_like(data.y)], axis=1).astype(int)
        Y_dev = np.stack([data.y_dev == 0, data.y_dev > 1, data.y_dev * 0], axis=1).astype(int)
        together = LinearProbe().fit(data.X, Y, data.X_dev, Y_dev)
        for column in (0, 1):
            alone = LinearProbe().fit(data.X, Y[:, column], data.X_dev, Y_dev[:, column])
            assert together.l2_[column] == alone.l2_
            np.testing.assert_allclose(
                together.predict_proba(data.X_dev)[:, column],
                alone.predict_proba(data.X_dev)[:, 1],
                atol=1e-6,
            )
        assert (together.predict_proba(data.X_dev)[:, 2] == 0).all()
        assert (together.predict(data.X_dev)[:, 2] == 0).all()

    @pytest.mark.parametrize("how", ["balanced", {0: 3.0, 1: 1.0, 2: 0.5, 3: 1.0}])
    def test_class_weights_are_scikit_learns(self, how: Any) -> None:
        data = draw()
        scaler = StandardScaler()
        probe = LinearProbe(l2=1.0, class_weight=how).fit(data.X, data.y)
        weights = compute_sample_weight(how, data.y)
        X = scaler.fit_transform(data.X.astype(np.float64), sample_weight=weights)
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000, class_weight=how)
        model.fit(X, data.y)
        np.testing.assert_allclose(
            probe.predict_proba(data.X_dev),
            model.predict_proba(scaler.transform(data.X_dev.astype(np.float64))),
            atol=1e-5,
        )

    def test_coefficients_are_of_the_features_as_they_were_given(self) -> None:
        data = spoilt(draw(), "far from 0")
        probe = LinearProbe(l2=1.0).fit(data.X, data.y)
        scores = data.X_dev.astype(np.float64) @ probe.coef_.T + probe.intercept_
        np.testing.assert_allclose(scores, probe.decision_function(data.X_dev), atol=1e-6)

    def test_it_keeps_no_training_rows(self) -> None:
        data = draw(rows=5000)
        probe = LinearProbe(l2=1.0).fit(data.X, data.y)
        assert len(pickle.dumps(probe)) < 20_000

    def test_cross_validation_tells_the_edge_of_the_grid_and_every_pass(self) -> None:
        data = draw(rows=60, noise=3.0)
        probe = LinearProbe(l2=(1e5, 1e4)).fit(data.X, data.y)
        assert probe.fit_report()["l2_is_at_the_edge"] is True
        assert probe.fit_report()["passes"] == sum(step.passes for step in probe.path_)
        assert probe.fit_report()["passes"] > probe.n_iter_

    def test_values_that_float32_cannot_hold_are_refused(self) -> None:
        data = draw()
        with pytest.raises(ValueError, match="float32"):
            LinearProbe(l2=1.0).fit(data.X.astype(np.float64) * 1e200, data.y)

    def test_dev_rows_without_labels_are_refused(self) -> None:
        data = draw()
        with pytest.raises(ValueError, match="go together"):
            LinearProbe().fit(data.X, data.y, data.X_dev)
